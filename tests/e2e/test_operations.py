"""An administrator sees how the installation runs, and deals with what could not be handled, over the API."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pika
import pytest

from backbone.messaging import amqp, topology
from deploy.local.processes import System
from tests.e2e.people import JSON, Caller, Town, good
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)

STATUS, LETTERS = "/v1/operations/status", "/v1/operations/dead-letters"
SECRET = "آنچه شهروند نوشته است"


def dead_letter(system: System, event_id: str) -> None:
    """An event that notify gave up: it holds what no administrator may read."""
    body = {"id": event_id, "occurred_at": datetime.now(UTC).isoformat(), "text": SECRET, "names": ["a", "b"]}
    headers = {
        amqp.QUEUE: "notify.catalogue",
        amqp.ERROR: "KeyError at wording/templates.py:88",
        amqp.FAILURES: 8,
        amqp.DIED: datetime.now(UTC).isoformat(),
    }
    properties = pika.BasicProperties(
        type="catalogue.changed.v1", message_id=event_id, headers=headers, delivery_mode=2
    )
    connection = pika.BlockingConnection(amqp.parameters(system.broker.url, "test"))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish(topology.DEAD_LETTERS, "", json.dumps(body).encode(), properties, mandatory=True)
    connection.close()


def letters(administrator: Caller, system: System, event_id: str) -> list[JSON]:
    """The dead letter of this event, as the API lists it."""
    listed = good(administrator.get(LETTERS))
    return [
        item
        for item in listed["items"]
        if good(administrator.get(f"{LETTERS}/{item['letter_id']}"))["event_id"] == event_id
    ]


def test_the_status_names_every_service_and_queue(town: Town) -> None:
    administrator = town.officer("administrator").caller
    status = good(administrator.get(STATUS))
    assert [service["name"] for service in status["services"]] == list(topology.SERVICES)
    for service in status["services"]:
        assert service["migrated"] is True, service
        assert service["status"]["revision"] == service["status"]["known_revision"]
    queues = {queue["name"]: queue for queue in status["queues"]}
    assert set(topology.SUBSCRIPTIONS) | {topology.DEAD_LETTERS} <= set(queues)
    assert queues["notify.cases"]["consumers"] >= 1
    assert status["ready"] is True
    for role in ("head", "auditor", "custodian", "inspector"):
        assert town.officer(role).caller.get(STATUS).status_code == 403
        assert town.officer(role).caller.get(LETTERS).status_code == 403
    assert "amqp://" not in str(status)


def test_a_service_that_does_not_run_is_said_so(town: Town, system: System) -> None:
    administrator = town.officer("administrator").caller
    insight = system.process("insight")
    insight.stop()
    try:

        def is_missing() -> bool:
            services = {item["name"]: item for item in good(administrator.get(STATUS))["services"]}
            assert services["insight"]["status"] is None
            assert services["tracking"]["status"] is not None
            return True

        eventually(is_missing)
    finally:
        insight.start()


def test_a_dead_letter_is_seen_without_what_it_says_and_replayed(town: Town, system: System) -> None:
    administrator = town.officer("administrator").caller
    event_id = str(uuid4())
    dead_letter(system, event_id)
    [letter] = eventually(lambda: letters(administrator, system, event_id) or None)
    assert (letter["queue"], letter["type"], letter["failures"]) == ("notify.catalogue", "catalogue.changed.v1", 8)
    assert letter["reason"] == "KeyError at wording/templates.py:88"
    by_queue = {item["queue"]: item["count"] for item in good(administrator.get(LETTERS))["by_queue"]}
    assert by_queue["notify.catalogue"] >= 1
    shown = good(administrator.get(f"{LETTERS}/{letter['letter_id']}"))
    assert {"name": "text", "holds": f"text of {len(SECRET)} characters"} in shown["fields"]
    assert SECRET not in str(shown)

    # Dropped with a reason, once, whoever repeats it.
    path = f"{LETTERS}/{letter['letter_id']}"
    assert administrator.post(f"{path}/drop", {}).status_code == 422
    dropping = {"reason": "آزمایشی بود و اثری ندارد"}
    assert good(administrator.post(f"{path}/drop", dropping, key="drop-it-once"))["queue"] == "notify.catalogue"
    assert good(administrator.post(f"{path}/drop", dropping, key="drop-it-once"))["queue"] == "notify.catalogue"
    assert letters(administrator, system, event_id) == []
    assert administrator.post(f"{path}/replay", {}).status_code == 404

    # It is in the audit.
    auditor = town.officer("auditor").caller
    who = town.officer("administrator").staff_id

    def audited() -> bool:
        commands = {entry["command"] for entry in good(auditor.get("/v1/audit", person=who, limit=100))["items"]}
        assert {"list_dead_letters", "show_dead_letter", "drop_dead_letter", "read_queues"} <= commands
        return True

    eventually(audited)


def test_a_replayed_letter_goes_back_to_its_queue(town: Town, system: System) -> None:
    administrator = town.officer("administrator").caller
    event_id = str(uuid4())
    dead_letter(system, event_id)
    [letter] = eventually(lambda: letters(administrator, system, event_id) or None)
    path = f"{LETTERS}/{letter['letter_id']}/replay"
    assert good(administrator.post(path, {}, key="replay-it-once"), 202)["queue"] == "notify.catalogue"
    assert good(administrator.post(path, {}, key="replay-it-once"), 202)["letter_id"] == letter["letter_id"]

    # What it says is no catalogue: notify gives it up again, at once, for another reason.
    def again() -> JSON:
        [fallen] = letters(administrator, system, event_id)
        assert fallen["reason"] != letter["reason"]
        return fallen

    fallen = eventually(again, timeout=60)
    good(administrator.post(f"{LETTERS}/{fallen['letter_id']}/drop", {"reason": "آزمایشی بود"}))
