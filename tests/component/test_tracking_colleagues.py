"""Who is a second inspector on a case, or is asked for advice, sees it as long as they are that; and leaves it by themselves."""

from __future__ import annotations

import json
import uuid
from typing import Any
from uuid import UUID

import pytest

from contracts import tracking
from contracts.errors import NotAllowed, StaleVersion, UnknownCase
from contracts.gateway import Actor
from contracts.searches import CountFoundCases, ListCases
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL
from tests.support.tracking import staff
from tests.support.tracking_in_process import TrackingInProcess


@pytest.fixture
def office(postgres: PostgreSQL) -> TrackingInProcess:
    return TrackingInProcess(postgres.url, f"colleagues_{uuid.uuid4().hex[:8]}")


def sees(office: TrackingInProcess, who: Actor, case_id: UUID) -> bool:
    """By its id, in lists of every order, by words and in counts, all the same."""
    try:
        office.ask("get_case", tracking.GetCase(actor=who, case_id=case_id))
        read = True
    except UnknownCase:
        read = False
    for filters in ({}, {"text": "پروانه"}, {"stage": ["investigating", "screening"]}, {"sort": "due_on"}):
        listed = office.ask("list_cases", ListCases(actor=who, **filters)).read().items
        assert (case_id in {line.case_id for line in listed}) == read, filters
    assert len({line.case_id for line in listed}) == len(listed)
    assert office.ask("count_found_cases", CountFoundCases(actor=who)).count == len(listed)
    return read


def test_a_second_inspector_sees_the_case_until_removed(office: TrackingInProcess) -> None:
    case_id = office.investigated(text="پروانه").case_id
    office.investigated(text="پروانه دیگر")
    other = UUID(office.other_inspector.id)
    assert not sees(office, office.other_inspector, case_id)
    before = office.version(case_id)
    view = office.do(office.inspector, case_id, tracking.AddCoHandler(inspector=other))
    assert view.co_handlers == [other]
    assert sees(office, office.other_inspector, case_id)
    assert sees(office, office.inspector, case_id)
    noted = office.do(office.other_inspector, case_id, tracking.AddNote(text="من هم", mentions=[other]))
    assert noted.timeline[-1].actor_id == office.other_inspector.id
    removal = tracking.RemoveCoHandler(inspector=other)
    stale = office.request(office.inspector, case_id, removal, expected_version=before)
    with pytest.raises(StaleVersion):
        office.ask("execute", stale)
    with pytest.raises(NotAllowed):
        office.do(office.other_inspector, case_id, tracking.RemoveCoHandler(inspector=other))
    assert office.do(office.head, case_id, tracking.RemoveCoHandler(inspector=other)).co_handlers == []
    assert not sees(office, office.other_inspector, case_id)


def test_who_is_consulted_sees_the_case_until_the_answer(office: TrackingInProcess) -> None:
    case_id = office.investigated(text="پروانه").case_id
    ask = tracking.ConsultColleague(colleague=UUID(office.other_inspector.id), text="چه کنیم؟")
    [asked] = office.do(office.inspector, case_id, ask).consultations
    assert sees(office, office.other_inspector, case_id)
    with pytest.raises(NotAllowed):
        office.do(office.other_inspector, case_id, tracking.AddNote(text="x"))
    answer = tracking.AnswerConsultation(consultation_id=asked.consultation_id, text="بازدید کنید")
    last = office.do(office.other_inspector, case_id, answer)
    assert last.timeline[-1].details["text"] == "بازدید کنید"
    assert not sees(office, office.other_inspector, case_id)
    asking, event = (
        row for row in office_events(office, "case.colleagues_changed.v1") if row["case_id"] == str(case_id)
    )
    assert (asking["what"], event["what"]) == ("colleague_consulted", "consultation_answered")
    # Whose live stream has the case's changes
    assert [row["state"]["consulted"] for row in (asking, event)] == [[office.other_inspector.id], []]
    assert event["asked_by"] == office.inspector.id
    assert "بازدید" not in str(event)


def office_events(office: TrackingInProcess, name: str) -> list[dict[str, Any]]:
    with office.db.read() as connection:
        rows = connection.exec_driver_sql("SELECT body FROM outbox WHERE name = %s", (name,)).scalars()
        return [json.loads(bytes(row)) for row in rows]


@pytest.mark.parametrize(
    "leaving",
    [{"active": False}, {"roles": [Role.OPERATOR]}, {"unit": "dep.urb.permits.desk"}],
    ids=["closed", "another role", "into the unit complained about"],
)
def test_who_leaves_is_a_colleague_no_longer(office: TrackingInProcess, leaving: dict[str, object]) -> None:
    case_id = office.investigated(text="پروانه").case_id
    other = UUID(office.other_inspector.id)
    office.do(office.inspector, case_id, tracking.AddCoHandler(inspector=other))
    with office.db.transaction() as connection:
        assert office.tracking.use_cases.scheduler.part_from_colleagues(connection) == 0
    assert office.ask("get_case", tracking.GetCase(actor=office.head, case_id=case_id)).co_handlers == [other]
    office.handle("keep_staff", staff(office.other_inspector, version=2, **leaving))
    with office.db.transaction() as connection:
        assert office.tracking.use_cases.scheduler.part_from_colleagues(connection) == 1
        assert office.tracking.use_cases.scheduler.part_from_colleagues(connection) == 0
    case = office.ask("get_case", tracking.GetCase(actor=office.head, case_id=case_id))
    assert (case.co_handlers, case.timeline[-1].entry) == ([], "co_handler_removed")


def test_colleagues_end_when_the_citizen_withdraws(office: TrackingInProcess) -> None:
    filed = office.investigated(text="پروانه")
    other = UUID(office.other_inspector.id)
    office.do(office.inspector, filed.case_id, tracking.AddCoHandler(inspector=other))
    office.do_as_citizen(filed, tracking.Withdraw())
    assert not sees(office, office.other_inspector, filed.case_id)
    entries = [
        entry.entry
        for entry in office.ask("get_case", tracking.GetCase(actor=office.head, case_id=filed.case_id)).timeline
    ]
    assert entries[-2:] == ["withdrawn", "co_handler_removed"]
