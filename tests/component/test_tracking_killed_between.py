"""Tracking is killed (-9) at the reading or at the writing statement of a staff command, in the middle of a group of decisions,
and while changed rules are applied to open cases: what is given again under its key has its effect once, whole, and what nobody
gives again is taken up by itself."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from contracts.base import now
from contracts.intake import DeadlineRule
from contracts.tracking import AddNote, AskUnit, ExecuteCommand
from contracts.vocabulary import Kind
from deploy.local.parts import PostgreSQL, RabbitMQ
from gateway.cases.case_cache import CaseCache
from gateway.cases.group_decisions import CaseResult, CaseToDecide, GroupDecisions
from services.tracking.case.scheduler import MOST
from services.tracking.reference.workdays import day_of
from tests.support.gateway_clients import connected_client
from tests.support.processes import BrokerClient, ServiceProcess, eventually, open_broker_client, prepared
from tests.support.tracking import Office, decision, submission

HELD = {
    "at the reading one": "LOCK TABLE questions IN ACCESS EXCLUSIVE MODE",
    "at the writing one": "SELECT FROM cases FOR UPDATE",
}
"""What another session holds, for which that statement waits."""
_WAITING = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
WAITS_FOR_A_LOCK = f"SELECT count(*) {_WAITING}"


@pytest.fixture(scope="module")
def service(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    environment = prepared("tracking", broker.url, postgres.url, "tracking_killed_between")
    log: Path = tmp_path_factory.mktemp("tracking") / "tracking.log"
    process = ServiceProcess("tracking", environment, log).start()
    yield process
    process.stop()


@pytest.fixture
def office(service: ServiceProcess, broker_client: BrokerClient) -> Office:
    office = Office(broker_client, service.environment["DATABASE_URL"])
    office.broker_client.record_events("tracking.events")
    return office.gather()


def ask_and_forget(broker: RabbitMQ, request: ExecuteCommand) -> threading.Thread:
    """Gives the command from elsewhere; nobody waits for its answer."""

    def ask() -> None:
        with open_broker_client(broker.url) as client, suppress(TimeoutError):
            client.call("tracking", "execute", request, timeout=20)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


@pytest.mark.parametrize("held", HELD)
def test_a_command_has_its_effect_once(office: Office, service: ServiceProcess, broker: RabbitMQ, held: str) -> None:
    case_id = office.investigated().case_id
    version = office.get(case_id)["version"]
    request = ExecuteCommand(
        actor=office.inspector,
        case_id=case_id,
        expected_version=version,
        idempotency_key=uuid.uuid4().hex,
        command=AddNote(text="یادداشت"),
    )
    with psycopg.connect(office._url) as other:
        other.execute(HELD[held])
        asking = ask_and_forget(broker, request)
        eventually(lambda: office.value(WAITS_FOR_A_LOCK) == 1)
        service.kill()
    service.start()

    answer = office.ask("execute", request)
    asking.join()

    assert answer["version"] == version + 1
    assert [entry["entry"] for entry in answer["timeline"]][-1] == "note_added"
    noted = "SELECT count(*) FROM timeline WHERE case_id = %s AND entry = 'note_added'"
    assert office.value(noted, case_id) == 1
    assert office.value("SELECT count(*) FROM commands WHERE key = %s", request.idempotency_key) == 1
    eventually(lambda: office.value("SELECT count(*) FROM outbox") == 0)
    assert len(event_ids(office, "case.note_added.v1", case_id)) == 1


class Group:
    """One decision for several cases, as the gateway makes it of a request with this key."""

    def __init__(self, office: Office, broker: RabbitMQ, case_ids: Sequence[UUID]) -> None:
        self._office, self._broker, self._key = office, broker, uuid.uuid4().hex
        # As its sender saw them, each time.
        self._cases = [CaseToDecide(case_id, office.get(case_id)["version"]) for case_id in case_ids]

    def decide(self) -> list[CaseResult]:
        return asyncio.run(asyncio.wait_for(self._decide(), 60))

    def decide_and_forget(self) -> threading.Thread:
        thread = threading.Thread(target=self.decide)
        thread.start()
        return thread

    async def _decide(self) -> list[CaseResult]:
        async with connected_client(self._broker.url, f"group-{uuid.uuid4().hex[:8]}") as rabbit:
            decisions = GroupDecisions(rabbit, CaseCache(10, 10_000, 1.0))
            return await decisions.decide(self._office.inspector, decision(), self._cases, self._key)


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_group_of_decisions_that_is_cut_short_decides_each_case_once_with_one_letter(
    office: Office, service: ServiceProcess, broker: RabbitMQ, carried_out: bool
) -> None:
    """`carried_out`: PostgreSQL does what the killed process had asked for last, all the same."""
    case_ids = [office.investigated().case_id for _ in range(6)]
    undecided = case_ids[-1]
    group = Group(office, broker, case_ids)
    decided = "SELECT count(*) FROM cases WHERE case_id = ANY(%s) AND stage = 'decided'"
    with psycopg.connect(office._url) as other:
        other.execute("SELECT FROM cases WHERE case_id = %s FOR UPDATE", [undecided])
        asking = group.decide_and_forget()
        eventually(lambda: office.value(decided, case_ids) == len(case_ids) - 1)
        eventually(lambda: office.value(WAITS_FOR_A_LOCK) >= 1)
        service.kill()
        if not carried_out:
            office.run(f"SELECT pg_terminate_backend(pid) {_WAITING}")
    eventually(lambda: office.value(decided, [undecided]) == carried_out)
    service.start()
    asking.join()

    results = group.decide()

    assert [(result.case_id, result.result) for result in results] == [(case_id, "decided") for case_id in case_ids]
    assert {result.version for result in results} == {office.get(case_id)["version"] for case_id in case_ids}
    of_each = "SELECT count(*) FROM {table} WHERE case_id = %s"
    eventually(lambda: office.value("SELECT count(*) FROM outbox") == 0)
    for case_id in case_ids:
        entries = [entry["entry"] for entry in office.get(case_id)["timeline"]]
        assert entries.count("decided") == 1
        assert office.value(of_each.format(table="letters"), case_id) == 1
        assert len(event_ids(office, "case.decided.v1", case_id)) == 1


def test_changed_rules_reach_every_open_case_once_though_tracking_is_killed_on_the_way(
    office: Office, service: ServiceProcess
) -> None:
    last = office.investigated().case_id
    office.do(office.inspector, last, AskUnit(text="چرا؟"))
    filed = [submission() for _ in range(MOST + 20)]
    for event in filed:
        office.broker_client.publish_event(event)
    case_ids = [*(event.case_id for event in filed), last]
    eventually(lambda: office.value("SELECT count(*) FROM cases WHERE case_id = ANY(%s)", case_ids) == len(case_ids))
    # Of cases with older rules those with the oldest are first.
    office.run("UPDATE cases SET calendar = -1 WHERE stage = 'registered'")
    moved = "SELECT count(*) FROM cases WHERE case_id = ANY(%s) AND calendar = 2 AND due_days = 5"
    told = "SELECT count(*) FROM timeline WHERE case_id = ANY(%s) AND entry = 'rescheduled'"
    holidays = [day_of(now()) + timedelta(days=days) for days in range(1, 5)]
    five = [DeadlineRule(kind=Kind.COMPLAINT, days=5)]
    with psycopg.connect(office._url) as other:
        other.execute("SELECT FROM questions WHERE case_id = %s FOR UPDATE", [last])  # has another last day, too
        office.set_catalogue(2, deadlines=five, holidays=holidays, open_case_rules=1)
        eventually(lambda: office.value(WAITS_FOR_A_LOCK) >= 1)
        service.kill()
    assert office.value(moved, case_ids) == MOST, "the batch before the one that waited"
    assert office.value(told, case_ids) == MOST
    service.start()

    eventually(lambda: office.value(moved, case_ids) == len(case_ids))
    assert office.value(told, case_ids) == len(case_ids)
    eventually(lambda: office.value("SELECT count(*) FROM outbox") == 0)
    eventually(
        lambda: all(len(event_ids(office, "case.rescheduled.v1", case_id)) == 1 for case_id in case_ids), timeout=30
    )


def event_ids(office: Office, name: str, case_id: UUID) -> set[Any]:
    """The events of this name that were published of a case, each once."""
    events = office.broker_client.recorded_events(name)
    return {event["id"] for event in events if event["case_id"] == str(case_id)}
