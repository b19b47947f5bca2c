"""When a case last changed and when 80 % of its time is over: kept with each change, and noted for cases of before an upgrade."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.base import now
from contracts.searches import ListCases
from contracts.tracking import AnswerQuestion, AskCitizen, Withdraw
from deploy.local.parts import PostgreSQL
from services.tracking.search import renewal
from tests.support.tracking_in_process import TrackingInProcess


@pytest.fixture(scope="module")
def office(postgres: PostgreSQL) -> TrackingInProcess:
    return TrackingInProcess(postgres.url, "last_changes")


def of_case(office: TrackingInProcess, case_id: UUID, column: str) -> Any:
    return office.one(f"SELECT {column} FROM cases WHERE case_id = %(case_id)s", case_id=case_id)


def last_line(office: TrackingInProcess, case_id: UUID) -> datetime:
    at: datetime = office.one("SELECT max(at) FROM timeline WHERE case_id = %(case_id)s", case_id=case_id)
    return at


def run(office: TrackingInProcess, statement: str, *values: Any) -> None:
    with office.db.transaction() as connection:
        connection.exec_driver_sql(statement, values)


def test_the_last_change_is_that_of_the_last_line(office: TrackingInProcess) -> None:
    filed = office.open()
    assert of_case(office, filed.case_id, "changed_at") == last_line(office, filed.case_id)
    investigated = office.investigated()
    office.do(office.inspector, investigated.case_id, AskCitizen(text="کدام روز؟"))
    office.do_as_citizen(investigated, AnswerQuestion(text="دیروز"))
    assert of_case(office, investigated.case_id, "changed_at") == last_line(office, investigated.case_id)


def test_what_a_process_of_the_release_before_writes_is_a_change_as_well(office: TrackingInProcess) -> None:
    case_id = office.open().case_id
    long_ago = now() - timedelta(days=9)
    run(office, "UPDATE cases SET changed_at = %s WHERE case_id = %s", long_ago, case_id)
    run(office, "UPDATE cases SET urgent = true WHERE case_id = %s", case_id)  # no line of the timeline
    assert of_case(office, case_id, "changed_at") == long_ago
    run(office, "UPDATE cases SET version = version + 1 WHERE case_id = %s", case_id)
    assert of_case(office, case_id, "changed_at") > now() - timedelta(minutes=5)


def test_changes_of_before_are_noted_in_batches(office: TrackingInProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [office.open(filed_at=now() - timedelta(days=place)).case_id for place in range(5)]
    run(office, "UPDATE cases SET changed_at = NULL")
    before = office.ask("list_cases", ListCases(actor=office.head, sort="-changed_at", limit=100)).read()
    assert set(ids) <= {line.case_id for line in before.items}  # found meanwhile, by when they were opened
    monkeypatch.setattr(renewal, "AT_ONCE", 2)
    batches = 0
    while True:
        with office.db.transaction() as connection:
            if renewal.renew(connection) == 0:
                break
        batches += 1
    assert batches > 2
    for case_id in ids:
        assert of_case(office, case_id, "changed_at") == last_line(office, case_id)


def test_the_mark_follows_the_clock(office: TrackingInProcess) -> None:
    filed = office.investigated(filed_at=now() - timedelta(days=12))
    mark = of_case(office, filed.case_id, "mark_on")
    due = of_case(office, filed.case_id, "due_on")
    assert isinstance(mark, date)
    assert mark < due
    office.do(office.inspector, filed.case_id, AskCitizen(text="کدام روز؟"))
    assert of_case(office, filed.case_id, "mark_on") is None  # the clock is stopped
    office.do_as_citizen(filed, AnswerQuestion(text="دیروز"))
    assert of_case(office, filed.case_id, "mark_on") == mark  # within a day
    office.do_as_citizen(filed, Withdraw(reason=None))
    assert of_case(office, filed.case_id, "mark_on") is None


def test_marks_of_before_are_reckoned(office: TrackingInProcess) -> None:
    ids = [office.open(filed_at=now() - timedelta(days=place)).case_id for place in range(3)]
    marks = {case_id: of_case(office, case_id, "mark_on") for case_id in ids}
    run(office, "UPDATE cases SET mark_on = NULL")
    scheduler = office.tracking.use_cases.scheduler
    with office.db.transaction() as connection:
        assert scheduler.reckon_marks(connection) >= 3
    assert {case_id: of_case(office, case_id, "mark_on") for case_id in ids} == marks
    with office.db.transaction() as connection:
        assert scheduler.reckon_marks(connection) == 0
