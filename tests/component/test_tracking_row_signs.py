"""What the rows of a list say of deadlines, of what is new and of whose answer is waited for, is what the case itself says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.gateway import Actor
from contracts.searches import CaseLine, ListCases
from contracts.tracking import AddNote, AskCitizen, AskUnit, Correct, GetCase
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL
from tests.support.tracking import UNIT, actor, staff
from tests.support.tracking_in_process import TrackingInProcess


@pytest.fixture(scope="module")
def office(postgres: PostgreSQL) -> TrackingInProcess:
    return TrackingInProcess(postgres.url, "row_signs")


def line(office: TrackingInProcess, reader: Actor, case_id: UUID) -> CaseLine:
    office.tracking.cls.keep_looks(office.tracking)
    page = office.ask("list_cases", ListCases(actor=reader, limit=100)).read()
    found: CaseLine = next(one for one in page.items if one.case_id == case_id)
    return found


def age(office: TrackingInProcess, case_id: UUID, days: int) -> None:
    """As if the clock had been started so many days earlier."""
    back: dict[str, Any] = {"back": timedelta(days=days), "case_id": case_id}
    with office.db.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE cases SET due_from = (due_from - %(back)s)::date, due_on = (due_on - %(back)s)::date"
            " WHERE case_id = %(case_id)s",
            back,
        )


@pytest.mark.parametrize("days", [0, 7, 14, 21, 28, 49])
def test_a_deadline_is_counted_in_the_row_as_in_the_case(office: TrackingInProcess, days: int) -> None:
    filed = office.investigated()
    age(office, filed.case_id, days)
    row = line(office, office.head, filed.case_id)
    deadline = office.ask("get_case", GetCase(actor=office.head, case_id=filed.case_id)).deadline
    assert (row.warn_on, row.days_left) == (deadline.warn_on, deadline.days_left)
    assert (row.days_left or 0) <= 15 - days // 2
    office.do(office.inspector, filed.case_id, AskCitizen(text="?"))
    waiting = line(office, office.head, filed.case_id)
    assert (waiting.days_left, waiting.question_to) == (row.days_left, "citizen")


def test_a_row_says_of_whom_an_answer_is_waited_for_and_when_something_happened(office: TrackingInProcess) -> None:
    filed = office.investigated()
    assert line(office, office.head, filed.case_id).question_to is None
    after = office.do(office.inspector, filed.case_id, AskUnit(text="?"))
    row = line(office, office.head, filed.case_id)
    assert (row.question_to, row.last_activity) == (UNIT, after.timeline[-1].at.replace(microsecond=0))
    assert row.handler_name == after.handler_name


def test_what_came_since_one_looked_is_unread_to_oneself_alone(office: TrackingInProcess) -> None:
    filed = office.investigated()
    colleague = actor(Role.HEAD)
    office.handle("keep_staff", staff(colleague))
    assert line(office, colleague, filed.case_id).unread
    office.ask("get_case", GetCase(actor=colleague, case_id=filed.case_id))
    assert not line(office, colleague, filed.case_id).unread
    # Another does something; who did it has seen it, who looked before has not.
    office.do(office.inspector, filed.case_id, AddNote(text="x"))
    assert line(office, colleague, filed.case_id).unread
    assert not line(office, office.inspector, filed.case_id).unread
    read = office.ask("get_case", GetCase(actor=colleague, case_id=filed.case_id))
    assert (read.unread, read.seen_version) == (1, read.version - 1)
    assert office.ask("get_case", GetCase(actor=office.other_head, case_id=filed.case_id)).unread == read.version


def test_a_row_of_an_analyst_says_nothing_of_what_they_read_or_who_is_asked(office: TrackingInProcess) -> None:
    filed = office.investigated()
    office.do(office.head, filed.case_id, Correct(urgent=True))
    office.do(office.inspector, filed.case_id, AskUnit(text="?"))
    analyst = actor(Role.ANALYST)
    office.handle("keep_staff", staff(analyst))
    row = line(office, analyst, filed.case_id)
    assert (row.unread, row.question_to, row.handler_name, row.excerpt) == (False, None, None, "")
