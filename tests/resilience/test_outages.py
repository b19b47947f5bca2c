"""What is away for a while: services, the broker, a broker that takes nothing. The gateway reports it at once, and recovers."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from deploy.local.processes import PATIENCE
from tests.e2e.hostile_parts import called
from tests.e2e.people import Case, Town
from tests.resilience.conftest import Report
from tests.resilience.fault_injection import alarm, frozen
from tests.resilience.filing_client import Client, signed_in
from tests.resilience.final_checks import Databases, check_everything, check_nothing_waits
from tests.support.processes import eventually, open_broker_client

REPORT = {"kind": "information", "unit": "dep.civ.roads", "ground": "waste", "consent": True}
WITHIN = 2.0
"""DESIGN: broker down, 503 within 2 s."""


def timed(town: Town, route: str, ask: Callable[[], httpx.Response]) -> tuple[httpx.Response, float]:
    """An answer, and the seconds that the gateway took from the request to the answer's last byte, by its own metrics: what a
    busy machine takes to hand both over is not the gateway's. Nobody else may ask at this route meanwhile."""
    gateway = town.system.process("gateway")

    def measured() -> tuple[float, float]:
        return tuple(called(gateway, f"peygir_http_seconds_{what}", route=route) for what in ("count", "sum"))  # type: ignore[return-value]  # two of two

    (count, spent), answer = measured(), ask()
    eventually(lambda: measured()[0] > count)
    return answer, measured()[1] - spent


def filed(town: Town, key: str | None = None) -> tuple[httpx.Response, float]:
    """One anonymous report, and how long its answer took."""
    body = {**REPORT, "text": "آسفالت نو دوباره کنده شد."}
    return timed(town, "/v1/submissions", lambda: town.caller().post("/v1/submissions", body, key=key))


def taken(town: Town) -> Case:
    """A report, as soon as the gateway accepts one."""

    def taken_now() -> Case | None:
        answer, _ = filed(town)
        if answer.status_code != 201:
            return None
        receipt = answer.json()
        code = receipt["tracking_code"].replace(" ", "")
        return Case(code, town.caller(code=code), receipt["submission_id"], receipt)

    return eventually(taken_now, timeout=60, why="the gateway does not open again")


def refused_at_once(town: Town) -> bool:
    """Whether a submission is refused as the design says: 503 with Retry-After, in time."""
    answer, took = filed(town)
    if answer.status_code == 201:
        return False
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"].isdigit()
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert took < WITHIN, f"it took {took:.1f} s to say so"
    return True


def test_with_every_service_stopped_codes_are_given_and_cases_follow_later(
    town: Town, seed: int, report: Report
) -> None:
    older = taken(town)
    older.view()
    before = Databases(town.system).cases()
    citizens = signed_in(town, 2)
    services = [p for p in town.system.processes() if p.name not in ("gateway", "simulator")]
    for service in services:
        service.ask_to_stop()
    for service in services:
        assert service.await_stop(PATIENCE) == 0, f"{service.name} did not stop in good order"
    client = Client(town.system.gateway_url, citizens, seed, pause=0.05, evidence=0).start()
    try:
        eventually(lambda: sum(bool(entry.answers) for entry in client.entries) > 60)
        entries = client.finish()
    finally:
        client.abandon()
    # Nobody is there to ask: of a code just given the gateway knows by itself, of an older one, whose
    # answer it keeps in Persian alone, it says that it cannot tell.
    for code, status, expected in ((entries[0].code, 200, "registering"), (older.code, 503, "status_unavailable")):
        shown, took = timed(town, "/v1/tracking", partial(town.caller("en", code=code).get, "/v1/tracking"))
        assert (shown.status_code, shown.json().get("code") or shown.json()["stage"]) == (status, expected)
        assert took < WITHIN, f"it took {took:.1f} s to say so"
    for service in services:
        service.start()
    for service in services:
        service.await_ready()
    check_everything(town, entries, before)
    report(f"{len(entries)} codes given while no service ran; each is a case")


def test_without_the_broker_the_gateway_answers_503_in_time_and_recovers(town: Town) -> None:
    key = uuid.uuid4().hex
    town.system.broker.kill()
    for _ in range(5):
        assert refused_at_once(town), "taken, although nobody can keep it"
    assert filed(town, key)[0].status_code == 503
    assert town.http.get("/readyz").status_code == 503
    assert town.http.get("/healthz").status_code == 200
    town.system.broker.start()
    case = taken(town)
    assert case.view()["stage"] == "registered"
    assert filed(town, key)[0].status_code == 201
    for process in town.system.processes():
        process.await_ready()
    check_nothing_waits(town.system)


def test_a_hanging_broker_is_not_awaited(town: Town) -> None:
    """It answers nothing and closes nothing; what was sent into the silence may still be taken later, under its key."""
    key = uuid.uuid4().hex
    before = Databases(town.system).cases()
    with frozen([town.system.broker]):
        for _ in range(3):
            assert refused_at_once(town)
        answer, took = filed(town, key)
        assert answer.status_code == 503
        assert took < WITHIN
    eventually(lambda: filed(town, key)[0].status_code == 201, timeout=60)
    first = filed(town, key)[0].json()["tracking_code"]
    assert filed(town, key)[0].json()["tracking_code"] == first
    check_nothing_waits(town.system)
    # The three under keys of their own were sent, though not promised.
    assert Databases(town.system).cases() - before in range(1, 5)


def test_queued_messages_are_handled_while_the_broker_blocks_publishers(town: Town) -> None:
    """An alarm passes only when queues are emptied: a consumer whose acknowledgements wait behind its own publications
    would keep it up for ever."""
    intake = town.system.process("intake")
    intake.stop(PATIENCE)
    waiting = [taken(town) for _ in range(20)]
    databases = Databases(town.system)
    before = databases.submissions()
    with alarm(town.system.broker):
        eventually(lambda: refused_at_once(town))
        intake.start()
        eventually(lambda: databases.submissions() == before + len(waiting), 40, why="the queue is not worked off")
        with open_broker_client(town.system.amqp_url) as broker_client:
            eventually(lambda: broker_client.queue_depth("intake.submissions") == 0)

        def acknowledged() -> bool:
            listed = town.system.broker.control("list_queues", "name", "messages")
            return "intake.submissions\t0\n" in listed

        eventually(acknowledged, timeout=30, why="what is done is not acknowledged")
        assert refused_at_once(town)
        assert town.caller(code=waiting[0].code).get("/v1/tracking").status_code in (200, 503, 504)
    for case in waiting:
        assert case.view()["stage"] == "registered"
    taken(town)
    check_nothing_waits(town.system)


@pytest.mark.long
def test_a_resource_alarm_of_minutes_loses_no_message(town: Town) -> None:
    """Longer than the minute after which a blocked connection is given up, with work in everybody's hands."""
    tracking = town.system.process("tracking")
    tracking.stop(PATIENCE)
    waiting = [taken(town) for _ in range(30)]
    with alarm(town.system.broker):
        eventually(lambda: refused_at_once(town))
        tracking.start()
        until = time.monotonic() + 150
        while time.monotonic() < until:
            assert refused_at_once(town)
    for case in waiting:
        assert case.view()["stage"] == "registered"
    check_nothing_waits(town.system)
