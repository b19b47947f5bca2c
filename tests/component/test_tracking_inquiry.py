"""Mentions, reminders, checklists and links over the broker, with the service as a process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.base import now
from contracts.errors import InvalidField
from contracts.tracking import AddCheck, AddNote, Assign, LinkCase, Remind, TickCheck
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.processes import BusClient, ServiceProcess, eventually, prepared
from tests.support.tracking import UNIT, Office, actor, staff

TOMORROW = now().date() + timedelta(days=2)


@pytest.fixture(scope="module")
def service(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    environment = prepared("tracking", broker.url, postgres.url, "tracking_inquiry")
    process = ServiceProcess("tracking", environment, tmp_path_factory.mktemp("tracking") / "tracking.log").start()
    yield process
    process.stop()


@pytest.fixture
def office(service: ServiceProcess, wire: BusClient) -> Office:
    wire.listen("tracking.events")
    return Office(wire, service.environment["DATABASE_URL"]).gather()


def test_a_note_mentions_only_whom_the_case_is_not_kept_from(office: Office) -> None:
    filed = office.investigated()
    inside = actor(Role.HEAD, UNIT)
    office.wire.event(staff(inside))
    eventually(lambda: office.rows("SELECT 1 FROM staff WHERE staff_id = %s", inside.id))
    note = AddNote(text="راز یادداشت", mentions=[UUID(office.head.id)])
    office.do(office.inspector, filed.case_id, note)

    def told() -> list[Any]:
        notes = office.wire.heard("case.note_added.v1")
        return [one for one in notes if one["case_id"] == str(filed.case_id) and one["mentions"]]

    [event] = eventually(told)
    assert event["mentions"] == [office.head.id]
    assert "راز" not in json.dumps(event, ensure_ascii=False)
    for who in (inside.id, office.other_inspector.id, office.liaison.id):
        with pytest.raises(InvalidField):
            office.do(office.inspector, filed.case_id, AddNote(text="x", mentions=[UUID(who)]))


def test_a_reminder_comes_once_and_not_to_whom_the_case_was_taken_from(office: Office) -> None:
    kept, taken = office.investigated(), office.investigated()
    for filed in (kept, taken):
        case = office.do(office.inspector, filed.case_id, Remind(on=TOMORROW, text="راز یادآوری"))
        assert [one["text"] for one in case["reminders"]] == ["راز یادآوری"]
    office.do(office.head, taken.case_id, Assign(inspector=UUID(office.other_inspector.id)))
    office.run("UPDATE reminders SET on_day = current_date - 1")
    eventually(lambda: office.one("SELECT count(*) FROM reminders WHERE NOT said") == 0)
    [event] = eventually(lambda: office.wire.heard("case.reminded.v1"))
    assert (event["case_id"], event["staff"]) == (str(kept.case_id), office.inspector.id)
    assert "راز" not in json.dumps(event, ensure_ascii=False)
    assert office.get(kept.case_id)["reminders"][0]["said"]


def test_a_checklist_is_kept_with_the_case_and_hidden_from_the_citizen(office: Office) -> None:
    filed = office.investigated()
    case = office.do(office.inspector, filed.case_id, AddCheck(text="راز فهرست"))
    item = UUID(case["checklist"][0]["item_id"])
    case = office.do(office.head, filed.case_id, TickCheck(item_id=item, done=True))
    assert case["checklist"][0]["done_by"] == office.head.id
    assert "راز" not in json.dumps(office.view(filed.code_hash), ensure_ascii=False)


def test_cases_are_linked_both_ways_and_shown_only_to_who_may_know_of_them(office: Office) -> None:
    one, other = office.investigated(), office.investigated(unit="dep.civ")
    numbers = {case_id: office.get(case_id)["number"] for case_id in (one.case_id, other.case_id)}
    case = office.do(office.head, one.case_id, LinkCase(to=other.case_id))
    assert [linked["number"] for linked in case["linked"]] == [numbers[other.case_id]]
    assert [linked["number"] for linked in office.get(other.case_id)["linked"]] == [numbers[one.case_id]]
    inside = actor(Role.HEAD, "dep.civ")
    assert office.get(one.case_id, inside)["linked"] == []
    assert office.do(inside, one.case_id, AddNote(text="x"))["linked"] == []
    with pytest.raises(InvalidField):
        office.do(inside, one.case_id, LinkCase(to=other.case_id, linked=False))
    office.do(office.head, other.case_id, LinkCase(to=one.case_id, linked=False))
    assert office.get(one.case_id)["linked"] == []
