"""Messages that cannot be handled, or not now: each ends where the design says. What one process does with bad, doubled and
failing messages is in tests/component/test_backbone_messages.py; here are the long way, and the whole system."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from backbone.messaging import dead_letters, topology
from backbone.messaging.consumers import MAX_FAILURES
from tests.e2e.people import Town
from tests.resilience.final_checks import Databases, check_nothing_waits
from tests.resilience.test_network import Probe, probe
from tests.support.probe_contracts import staff_changed
from tests.support.processes import BrokerClient, eventually, open_broker_client

__all__ = ["probe"]

ONCE_ROUND = ["delay.1s", "delay.10s", "delay.1m", "delay.10m"]


def hurried(broker_client: BrokerClient, stops: int) -> list[str]:
    """The delay queues that one message passes, in order, each left at once: what expires there goes to `retry` with its
    routing key and headers as they are, and that is done here before its time."""
    passed: list[str] = []
    while len(passed) < stops:

        def waiting() -> str | None:
            return next((name for name in topology.DELAYS if broker_client.queue_depth(name)), None)

        queue = eventually(waiting, timeout=20, why=f"nothing waits after {passed}")
        passed.append(queue)
        method, properties, body = broker_client.channel.basic_get(queue)
        if method is None:  # its own time had come
            continue
        broker_client.channel.basic_publish(topology.RETRY, method.routing_key, body, properties, mandatory=True)
        broker_client.channel.basic_ack(method.delivery_tag)
    return passed


def test_a_message_that_fails_for_ten_minutes_is_finally_handled(probe: Probe, broker_client: BrokerClient) -> None:
    event = staff_changed("fail 4")  # after 1 s, 10 s, 1 min and 10 min: 11 minutes
    broker_client.publish_event(event)
    assert hurried(broker_client, 4) == ONCE_ROUND
    probe.has_done(event, timeout=20)
    assert broker_client.queue_depth(topology.DEAD_LETTERS) == 0


def test_a_message_that_fails_for_an_hour_is_dead_lettered_and_replayed_once(
    probe: Probe,
    broker_client: BrokerClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    event, other = staff_changed(f"fail {MAX_FAILURES}"), staff_changed()
    broker_client.publish_event(event)
    broker_client.publish_event(other)
    assert hurried(broker_client, MAX_FAILURES - 1) == [*ONCE_ROUND, *["delay.10m"] * (MAX_FAILURES - 5)]
    eventually(lambda: broker_client.queue_depth(topology.DEAD_LETTERS) == 1)
    probe.has_done(other, timeout=10)
    assert probe.effects(event) == 0
    monkeypatch.setenv("AMQP_URL", probe.broker.url)
    output: list[str] = []
    assert dead_letters.main(["list"], output.append) == 0
    assert f"tracking.staff  staff.changed.v1, {MAX_FAILURES} failures: ValueError" in output[0]
    assert dead_letters.main(["replay", "all"], output.append) == 0
    probe.has_done(event, timeout=20)
    assert broker_client.queue_depth(topology.DEAD_LETTERS) == 0


def test_a_message_of_a_future_version_is_kept_until_it_is_supported(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer tracking runs beside older services: its events are for whom they are bound to, and lose nothing."""
    case = town.report()
    case_id = case.view()["case_id"]
    future = {"id": str(uuid.uuid4()), "case_id": case_id, "sequence": 2, "occurred_at": "2030-01-01T00:00:00Z"}
    with open_broker_client(town.system.amqp_url) as broker_client:
        broker_client.publish("tracking.events", "case.opened.v2", json.dumps(future).encode(), future["id"])
        takers = ("notify.cases", "insight.events")
        eventually(lambda: broker_client.queue_depth(topology.DEAD_LETTERS) == len(takers))
        town.report().view()  # the rest flows on
        monkeypatch.setenv("AMQP_URL", town.system.amqp_url)
        output: list[str] = []
        dead_letters.main(["list"], output.append)
        assert all(any(taker in line for taker in takers) for line in output[:-1]), output
        assert all("nobody here knows messages named case.opened.v2" in line for line in output[:-1]), output
        dead_letters.main(["drop", "all"], output.append)
    check_nothing_waits(town.system)


def test_events_repeated_in_reverse_order_change_nothing(town: Town) -> None:
    """The whole life of a case is told again, last event first, to everybody who takes such events."""
    with open_broker_client(town.system.amqp_url) as broker_client:
        broker_client.record_events("intake.events", "tracking.events")
        case, _, citizen = town.complaint()
        case_id = str(case.view()["case_id"])
        officer = town.assigned(case)
        officer.do(case_id, "citizen-questions", text="نشانی دقیق چیست؟")
        case.view_at("awaiting_citizen")
        check_nothing_waits(town.system)
        # Until the phones have said so: else a message is on its way before and there after.
        underway = "SELECT count(*) FROM messages WHERE case_id = %s AND state = 'sent'"
        eventually(lambda: Databases(town.system).value("notify", underway, case_id) == 0, timeout=60)
        before = _state_of_case(town, case_id)
        texts = sorted(town.all_texts())
        events = [event for event in broker_client.recorded_events() if event.get("case_id") == case_id]
        assert {event["_name"] for event in events} >= {"submission.registered.v1", "case.opened.v1"}
        for event in reversed(events):
            body = {name: value for name, value in event.items() if name != "_name"}
            exchange = "intake.events" if event["_name"].startswith("submission.") else "tracking.events"
            broker_client.publish(exchange, event["_name"], json.dumps(body).encode(), event["id"])
    later = town.report().view()["case_id"]  # behind them in every queue
    query = "SELECT count(*) FROM cases WHERE case_id = %s"
    eventually(lambda: Databases(town.system).value("notify", query, later) == 1)
    check_nothing_waits(town.system)
    assert _state_of_case(town, case_id) == before
    assert sorted(town.all_texts()) == texts, "somebody was told twice"
    assert citizen is not None


def _state_of_case(town: Town, case_id: str) -> list[Any]:
    databases = Databases(town.system)
    return [
        databases.query("tracking", "SELECT stage, version, history_hash FROM cases WHERE case_id = %s", case_id),
        databases.query("notify", "SELECT sequence, stage FROM cases WHERE case_id = %s", case_id),
        databases.query("notify", "SELECT id, state FROM messages WHERE case_id = %s ORDER BY id", case_id),
        databases.query("media", "SELECT upload_id FROM uploads WHERE case_id = %s ORDER BY 1", case_id),
    ]
