"""The call-back list: a sample that can be repeated, one operator a case, three attempts, a rating recorded as given by phone."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.base import now
from contracts.call_backs import ListCallBackWeeks, RecordCall, SkipCallBack, TakeCallBack
from contracts.errors import InvalidField, KeyReused, NotAllowed, NotFound, WrongStage
from contracts.gateway import Actor
from contracts.tracking import GetCase
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL
from services.tracking.call_backs.rules import week_of
from services.tracking.reference.workdays import day_of
from tests.support.tracking import UNIT, actor, decision, staff
from tests.support.tracking_in_process import TrackingInProcess

OPERATOR, OTHER = actor(Role.OPERATOR), actor(Role.OPERATOR)
INSIDER = actor(Role.OPERATOR, UNIT)


@pytest.fixture(scope="module")
def tracking(postgres: PostgreSQL) -> TrackingInProcess:
    made = TrackingInProcess(postgres.url, "tracking_call_backs")
    for who in (OPERATOR, OTHER, INSIDER):
        made.handle("keep_staff", staff(who))
    return made


@pytest.fixture
def office(tracking: TrackingInProcess) -> Iterator[TrackingInProcess]:
    yield tracking
    write(tracking, "DELETE FROM call_backs")
    write(tracking, "DELETE FROM call_back_draws")
    write(tracking, "UPDATE cases SET rate_until = NULL")


def write(office: TrackingInProcess, statement: str) -> None:
    with office.db.transaction() as connection:
        connection.exec_driver_sql(statement)


def closed(office: TrackingInProcess, **changes: Any) -> UUID:
    """A decided case that was closed, whose citizen said nothing of it."""
    case_id = office.investigated(**changes).case_id
    office.do(office.inspector, case_id, decision())
    until = day_of(now()) + timedelta(days=20)
    write(
        office,
        f"UPDATE cases SET stage = 'closed', rate_until = '{until}', anonymous = false WHERE case_id = '{case_id}'",
    )
    return case_id


def draw(office: TrackingInProcess, size: int = 50, share: int = 100) -> int:
    use_cases = office.tracking.use_cases.call_backs
    use_cases._size, use_cases._share = size, share
    with office.db.transaction() as connection:
        return int(use_cases.draw(connection))


def take(office: TrackingInProcess, who: Actor = OPERATOR) -> Any:
    return office.ask("take_call_back", TakeCallBack(actor=who))


def record(
    office: TrackingInProcess, case_id: UUID, result: str, who: Actor = OPERATOR, key: str = "", **said: Any
) -> Any:
    request = RecordCall.model_validate(
        {"actor": who, "case_id": case_id, "result": result, "idempotency_key": key or uuid.uuid4().hex, **said}
    )
    return office.ask("record_call", request)


def week(office: TrackingInProcess, who: Actor = OPERATOR) -> Any:
    return office.ask("list_call_back_weeks", ListCallBackWeeks(actor=who)).items[0]


def test_the_weeks_come_by_pages(office: TrackingInProcess) -> None:
    weeks = [day_of(now()) - timedelta(weeks=place) for place in range(1, 4)]
    for week in weeks:
        values = f"'{week}', 50, 100, 0, 0"
        write(office, f"INSERT INTO call_back_draws (week, size, share, eligible, drawn) VALUES ({values})")
    listed, after = [], None
    while True:
        page = office.ask("list_call_back_weeks", ListCallBackWeeks(actor=OPERATOR, after=after, limit=2))
        listed += [item.week for item in page.items]
        after = page.next
        if after is None:
            break
    assert listed == weeks


def test_the_sample_is_drawn_once_a_week_and_can_be_repeated(office: TrackingInProcess) -> None:
    cases = [closed(office) for _ in range(6)]
    report = closed(office, kind="information", ground="waste")
    rated, unnamed, late = closed(office), closed(office), closed(office)
    write(office, f"UPDATE cases SET score = 5 WHERE case_id = '{rated}'")
    write(office, f"UPDATE cases SET anonymous = true WHERE case_id = '{unnamed}'")
    write(office, f"UPDATE cases SET rate_until = '2020-01-01' WHERE case_id = '{late}'")
    assert draw(office, share=50) == 1
    assert draw(office, share=50) == 0
    drawn = office.one("SELECT array_agg(case_id ORDER BY place) FROM call_backs")
    saturday = week_of(day_of(now()))

    def place(case_id: UUID) -> str:
        return hashlib.md5(f"{saturday.isoformat()}:{case_id}".encode(), usedforsecurity=False).hexdigest()

    assert drawn == sorted(cases, key=place)[:3]
    assert report not in drawn
    shown = week(office)
    assert (shown.week, shown.eligible, shown.drawn, shown.waiting) == (saturday, 6, 3, 3)


def test_an_operator_takes_one_case_at_a_time_which_nobody_else_gets(office: TrackingInProcess) -> None:
    for _ in range(2):
        closed(office)
    draw(office)
    first = take(office)
    assert take(office).case_id == first.case_id
    assert take(office, OTHER).case_id != first.case_id
    with pytest.raises(NotFound):
        take(office, INSIDER)  # of the unit complained about
    # Whoever reads cases as well would learn whose this one is
    both = office.inspector.model_copy(update={"roles": frozenset({Role.OPERATOR, Role.INSPECTOR})})
    for who in (office.head, office.screener, office.inspector, both):
        with pytest.raises(NotAllowed):
            take(office, who)
    write(office, f"UPDATE call_backs SET taken_at = now() - interval '3 hours' WHERE case_id = '{first.case_id}'")
    record(office, take(office, OTHER).case_id, "declined", OTHER)
    assert take(office, OTHER).case_id == first.case_id, "who took it has left"
    with pytest.raises(NotFound):
        record(office, first.case_id, "declined")


def test_a_rating_by_phone_is_recorded_as_such(office: TrackingInProcess) -> None:
    case_id = closed(office)
    draw(office)
    assert take(office).case_id == case_id
    said: dict[str, Any] = {
        "score": 4,
        "informed_clearly": True,
        "treated_well": True,
        "on_time": False,
        "asked_improper": False,
    }
    key = uuid.uuid4().hex
    for _ in range(2):
        assert record(office, case_id, "rated", key=key, **said).state == "rated"
    with pytest.raises(KeyReused):
        record(office, case_id, "rated", key=key, score=5)
    case = office.ask("get_case", GetCase(actor=office.head, case_id=case_id))
    entries = [entry for entry in case.timeline if entry.entry == "rated_by_phone"]
    assert [(entry.details, entry.actor_id) for entry in entries] == [(said, OPERATOR.id)]
    assert case.score == 4
    assert office.one("SELECT count(*) FROM outbox WHERE name = 'case.rated_by_phone.v1'") == 1
    assert office.one("SELECT count(*) FROM outbox WHERE name = 'case.rated.v1'") == 0
    assert week(office, office.head).rated == 1
    with pytest.raises(NotFound):
        take(office)


def test_who_is_not_reached_is_called_three_times_on_different_days(office: TrackingInProcess) -> None:
    case_id = closed(office)
    draw(office)
    for attempt in (1, 2, 3):
        assert take(office).attempt == attempt
        state = record(office, case_id, "not_reached")
        assert state.attempts == attempt
        if attempt < 3:
            assert (state.state, state.next_on) == ("waiting", day_of(now()) + timedelta(days=1))
            with pytest.raises(NotFound):
                take(office)
            write(office, "UPDATE call_backs SET next_on = next_on - 1")
    assert state.state == "not_reached"
    with pytest.raises(NotFound):
        take(office)


def test_who_cannot_be_called_is_passed_over(office: TrackingInProcess) -> None:
    case_id = closed(office)
    draw(office)
    skipping = SkipCallBack(actor=OPERATOR, case_id=case_id)
    with pytest.raises(NotFound):
        office.ask("skip_call_back", skipping)  # not taken
    take(office)
    assert office.ask("skip_call_back", skipping).state == "unreachable"
    assert week(office).unreachable == 1
    with pytest.raises(NotFound):
        take(office)


def test_what_is_wrong_with_a_result_is_refused(office: TrackingInProcess) -> None:
    case_id = closed(office)
    draw(office)
    with pytest.raises(NotFound):
        record(office, case_id, "declined")  # not taken
    take(office)
    for result, said in (("rated", {}), ("declined", {"score": 3}), ("not_reached", {"on_time": True})):
        with pytest.raises(InvalidField):
            record(office, case_id, result, **said)
    with pytest.raises(NotAllowed):
        record(office, case_id, "declined", office.head)
    with pytest.raises(NotFound):
        record(office, case_id, "declined", OTHER)
    write(office, f"UPDATE cases SET score = 2 WHERE case_id = '{case_id}'")
    with pytest.raises(WrongStage):
        record(office, case_id, "rated", score=4)  # they have rated meanwhile
    with pytest.raises(NotFound):
        take(office)
