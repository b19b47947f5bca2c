"""The calendar feed holds what its owner may see today, and nothing of a case but its number; and how the office stands."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts import tracking
from contracts.base import now
from contracts.calendars import GetCalendarFeed, MakeCalendarFeed, ReadCalendarFeed, RevokeCalendarFeed
from contracts.errors import NotAllowed, NotFound
from contracts.gateway import Actor
from contracts.screening import ShowWorkload
from contracts.visits import AddRoom, AddSlot, BookVisit, OfferSlots
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL
from tests.support.tracking import actor, staff
from tests.support.tracking_in_process import TrackingInProcess


@pytest.fixture
def office(postgres: PostgreSQL) -> TrackingInProcess:
    return TrackingInProcess(postgres.url, f"calendars_{uuid.uuid4().hex[:8]}")


def made(office: TrackingInProcess, who: Actor) -> str:
    secret_hash = uuid.uuid4().hex * 2
    office.ask("make_calendar_feed", MakeCalendarFeed(actor=who, secret_hash=secret_hash))
    return secret_hash


def read(office: TrackingInProcess, secret_hash: str) -> list[tuple[str, str]]:
    answer = office.ask("read_calendar_feed", ReadCalendarFeed(secret_hash=secret_hash))
    return [(entry.kind, entry.number) for entry in answer.items]


def number(office: TrackingInProcess, case_id: UUID) -> str:
    return str(office.one("SELECT number FROM cases WHERE case_id = %(id)s", id=case_id))


def booked(office: TrackingInProcess) -> UUID:
    """A case with a visit tomorrow, in the inspector's hands."""
    filed = office.investigated(visit_wanted=True)
    key: Any = lambda: uuid.uuid4().hex  # noqa: E731
    room = office.ask(
        "add_room", AddRoom(actor=office.head, name_fa="اتاق", name_en="Room", idempotency_key=key())
    ).room_id
    begins = (now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    slot = office.ask(
        "add_slot",
        AddSlot(
            actor=office.head,
            room_id=room,
            inspector=UUID(office.inspector.id),
            starts_at=begins,
            ends_at=begins + timedelta(minutes=30),
            capacity=1,
            idempotency_key=key(),
        ),
    )
    office.do(office.inspector, filed.case_id, OfferSlots(slots=[slot.slot_id]))
    office.do_as_citizen(filed, BookVisit(slot_id=slot.slot_id))
    return filed.case_id


def test_a_feed_has_the_visits_and_deadlines_that_its_owner_may_see(office: TrackingInProcess) -> None:
    mine, visited = office.investigated().case_id, booked(office)
    waiting_case_id = office.investigated().case_id
    office.do(office.inspector, waiting_case_id, tracking.AskUnit(text="چرا؟"))
    silent = office.investigated().case_id
    office.do(office.inspector, silent, tracking.AskCitizen(text="چه؟"))  # its clock stands
    own, others, heads = (made(office, who) for who in (office.inspector, office.other_inspector, office.head))
    expected = {
        ("decision_due", number(office, mine)),
        ("decision_due", number(office, visited)),
        ("decision_due", number(office, waiting_case_id)),
        ("unit_answer_due", number(office, waiting_case_id)),
        ("visit", number(office, visited)),
    }
    assert set(read(office, own)) == set(read(office, heads)) == expected
    assert read(office, own)[0] == ("visit", number(office, visited))  # the soonest first
    assert read(office, others) == []
    office.do(office.inspector, mine, tracking.AddCoHandler(inspector=UUID(office.other_inspector.id)))
    assert read(office, others) == [("decision_due", number(office, mine))]
    answer = office.ask("read_calendar_feed", ReadCalendarFeed(secret_hash=own))
    kept = json.dumps(answer.model_dump(mode="json"), ensure_ascii=False)
    for case_id in (mine, visited, waiting_case_id):
        for column in ("case_id", "text", "unit", "ground", "code_hash", "handler"):
            value = office.one(f"SELECT {column} FROM cases WHERE case_id = %(id)s", id=case_id)
            assert str(value) not in kept, column
    assert answer == office.ask("read_calendar_feed", ReadCalendarFeed(secret_hash=own))


def test_an_address_is_its_owners_to_renew_and_to_revoke(office: TrackingInProcess) -> None:
    assert office.ask("get_calendar_feed", GetCalendarFeed(actor=office.inspector)).made_at is None
    first = made(office, office.inspector)
    assert office.ask("get_calendar_feed", GetCalendarFeed(actor=office.inspector)).made_at is not None
    second = made(office, office.inspector)
    with pytest.raises(NotFound):
        read(office, first)
    assert read(office, second) == []
    office.ask("revoke_calendar_feed", RevokeCalendarFeed(actor=office.other_inspector))
    assert read(office, second) == []
    for _ in range(2):
        assert office.ask("revoke_calendar_feed", RevokeCalendarFeed(actor=office.inspector)).made_at is None
        with pytest.raises(NotFound):
            read(office, second)
    for who in (office.liaison, actor(Role.OPERATOR), actor(Role.ANALYST), actor(Role.CUSTODIAN)):
        with pytest.raises(NotAllowed):
            made(office, who)


@pytest.mark.parametrize("leaving", [{"active": False}, {"roles": [Role.LIAISON]}], ids=["closed", "another role"])
def test_an_address_is_dead_when_its_owner_sees_cases_no_more(
    office: TrackingInProcess, leaving: dict[str, Any]
) -> None:
    secret_hash = made(office, office.inspector)
    office.investigated()
    assert len(read(office, secret_hash)) == 1
    office.handle("keep_staff", staff(office.inspector, version=2, **leaving))
    with pytest.raises(NotFound):
        read(office, secret_hash)


def test_an_owner_in_a_conflict_of_interest_reads_no_more_of_the_case(office: TrackingInProcess) -> None:
    secret_hash = made(office, office.head)
    office.investigated()
    assert len(read(office, secret_hash)) == 1
    office.handle("keep_staff", staff(office.head, version=2, unit="dep.urb.permits.desk"))
    assert read(office, secret_hash) == []


# --- how the office stands ---


def test_a_head_sees_how_much_each_inspector_has_and_how_late_it_is(office: TrackingInProcess) -> None:
    ids = [office.investigated().case_id for _ in range(5)]
    office.do(office.inspector, ids[0], tracking.AskCitizen(text="چه؟"))
    office.do(office.inspector, ids[1], tracking.AskUnit(text="چرا؟"))
    with office.db.transaction() as connection:
        for days, case_id in ((-1, ids[2]), (1, ids[3])):
            connection.exec_driver_sql(
                "UPDATE cases SET due_on = current_date + %s, filed_at = filed_at - interval '10 days' WHERE case_id = %s",
                (days, case_id),
            )
    first, second = office.ask("show_workload", ShowWorkload(actor=office.head)).items
    assert first.inspector == UUID(office.inspector.id)
    counted = (first.open_cases, first.late, first.due_soon, first.awaiting_citizen, first.awaiting_unit)
    assert counted == (5, 1, 1, 1, 1)
    assert first.average_age == 4.0
    assert (second.inspector, second.open_cases, second.average_age) == (UUID(office.other_inspector.id), 0, 0)
    avoiding = actor(Role.HEAD, unit="dep.urb.permits.desk")
    assert {item.open_cases for item in office.ask("show_workload", ShowWorkload(actor=avoiding)).items} == {0}
    for who in (office.inspector, office.screener, office.liaison, actor(Role.ANALYST)):
        with pytest.raises(NotAllowed):
            office.ask("show_workload", ShowWorkload(actor=who))
    office.handle("keep_staff", staff(office.inspector, version=2, active=False))
    left = office.ask("show_workload", ShowWorkload(actor=office.head)).items[0]
    assert (left.inspector, left.active, left.open_cases) == (UUID(office.inspector.id), False, 5)
