"""Somebody is always responsible: what becomes of cases, reminders, visits and questions when whoever had them may not have
them any more, and when a day becomes a holiday."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.base import now
from contracts.errors import InvalidField, SlotOnHoliday, UnknownSlot
from contracts.gateway import Actor
from contracts.screening import HandOver
from contracts.tracking import AskUnit, Assign, GetCase, Remind, StartScreening
from contracts.visits import AddRoom, AddSlot, BookVisit, HoldVisit, ListOfferedSlots, ListSlots, MoveVisit, OfferSlots
from contracts.vocabulary import ActorKind, Role
from deploy.local.parts import PostgreSQL
from services.tracking.reference.workdays import TEHRAN, day_of
from tests.support.tracking import UNIT, actor, catalogue, staff
from tests.support.tracking_in_process import TrackingInProcess


class City(TrackingInProcess):
    """Tracking whose timers run when the test says so."""

    def __init__(self, server_url: str, database: str) -> None:
        super().__init__(server_url, database)
        self.versions: dict[str, int] = {}
        self.catalogue_version = 1

    def change(self, who: Actor, **changes: Any) -> None:
        """Accounts publish another state of a member of staff, twice; what follows from it is done."""
        version = self.versions[who.id] = self.versions.get(who.id, 1) + 1
        event = staff(who, version=version, **changes)
        for _ in range(2):
            self.handle("keep_staff", event)
        self.work()

    def declare(self, *holidays: date) -> None:
        """The administrator saves the catalogue with these holidays."""
        self.catalogue_version += 1
        whole = catalogue(self.catalogue_version)
        changed = whole.catalogue.model_copy(update={"holidays": list(holidays)})
        self.handle("keep_catalogue", whole.model_copy(update={"catalogue": changed}))

    def work(self) -> None:
        """All timers that keep somebody responsible, until there is nothing left."""
        uses = self.tracking.use_cases
        for work in (
            uses.responsibility.settle,
            uses.responsibility.call_off_on_holidays,
            uses.responsibility.report_missing_liaisons,
        ):
            while self.transact(work):
                pass

    def transact(self, work: Any) -> int:
        with self.db.transaction() as connection:
            return int(work(connection))

    def events(self, name: str) -> list[dict[str, Any]]:
        """What was published under this name."""
        with self.db.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT convert_from(body, 'UTF8')::jsonb FROM outbox WHERE name = %(name)s ORDER BY 1", {"name": name}
            )
            return [row[0] for row in rows]

    def get(self, case_id: UUID) -> dict[str, Any]:
        """The head's view."""
        return self.ask("get_case", GetCase(actor=self.head, case_id=case_id)).model_dump(mode="json")  # type: ignore[no-any-return]

    def investigated(self, **changes: Any) -> Any:
        filed = self.open(**changes)
        self.do(self.screener, filed.case_id, StartScreening())
        self.do(self.screener, filed.case_id, Assign(inspector=UUID(self.inspector.id)))
        return filed

    def slot(self, inspector: Actor, starts: datetime, capacity: int = 1) -> UUID:
        room = self.ask(
            "add_room",
            AddRoom(actor=self.head, idempotency_key=uuid.uuid4().hex, name_fa="اتاق", name_en="Room"),
        )
        request = AddSlot(
            actor=self.head,
            idempotency_key=uuid.uuid4().hex,
            room_id=room.room_id,
            inspector=UUID(inspector.id),
            starts_at=starts,
            ends_at=starts + timedelta(minutes=30),
            capacity=capacity,
        )
        return UUID(str(self.ask("add_slot", request).slot_id))

    def offered(self, filed: Any) -> list[UUID]:
        bearer = Actor(kind=ActorKind.BEARER, id=filed.code_hash)
        request = ListOfferedSlots(actor=bearer, code_hashes=[filed.code_hash])
        return [slot.slot_id for slot in self.ask("list_offered_slots", request).items]

    def inspector_of(self, slot_id: UUID) -> UUID:
        return UUID(str(self.one("SELECT inspector FROM visit_slots WHERE slot_id = %(slot)s", slot=slot_id)))


@pytest.fixture
def city(postgres: PostgreSQL) -> Iterator[City]:
    made = City(postgres.url, f"responsibility_{uuid.uuid4().hex[:8]}")
    yield made
    made.db.engine.dispose()


def noon(days: int) -> datetime:
    """Noon in Tehran, so many days from now."""
    return datetime.combine(day_of(now()) + timedelta(days=days), time(12), TEHRAN)


# --- cases ---


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"active": False}, "left"),
        ({"roles": [Role.SCREENER]}, "role"),
        ({"unit": "dep.urb.permits.desk"}, "conflict"),
    ],
)
def test_who_may_not_handle_a_case_any_more_loses_it_to_the_head(
    city: City, changes: dict[str, Any], because: str
) -> None:
    case_id = city.investigated().case_id
    elsewhere = city.investigated(unit="dep.civ").case_id
    city.change(city.inspector, **changes)
    case = city.get(case_id)
    assert case["handler"] is None
    assert case["stage"] == "investigating"
    assert case["timeline"][-1]["entry"] == "handler_left"
    assert case["timeline"][-1]["details"] == {"because": because, "before": city.inspector.id}
    [event] = [event for event in city.events("case.handler_left.v1") if event["case_id"] == str(case_id)]
    assert event["because"] == because
    assert event["state"]["handler"] is None
    # A conflict of interest is one of the case's, not of the person's.
    kept = city.inspector.id if because == "conflict" else None
    assert city.get(elsewhere)["handler"] == kept


def test_what_no_event_tells_of_is_found_in_time(city: City) -> None:
    case_id = city.investigated(unit="dep.civ").case_id
    with city.db.transaction() as connection:
        connection.exec_driver_sql("UPDATE staff SET unsettled_until = NULL")
        connection.exec_driver_sql("UPDATE cases SET unit = 'insp'")  # as another command would have found it
    city.work()
    assert city.one("SELECT handler FROM cases WHERE case_id = %(case)s", case=case_id) is not None
    with city.db.transaction() as connection:
        city.tracking.use_cases.responsibility.look_at_all(connection)
    city.work()
    assert city.one("SELECT handler FROM cases WHERE case_id = %(case)s", case=case_id) is None


def test_a_successor_takes_over_cases_and_reminders(city: City) -> None:
    case_id = city.investigated().case_id
    city.do(city.inspector, case_id, Remind(on=day_of(now()) + timedelta(days=5), text="سر بزنم"))
    city.change(city.inspector, active=False, successor=UUID(city.other_inspector.id))
    case = city.get(case_id)
    assert case["handler"] == city.other_inspector.id
    assert [line["staff"] for line in case["reminders"]] == [city.other_inspector.id]
    assert case["timeline"][-1]["entry"] == "handed_over"
    assert len(city.events("case.assigned.v1")) == 2
    assert city.events("case.handler_left.v1") == []


def test_a_successor_with_a_conflict_of_interest_takes_nothing_of_it(city: City) -> None:
    insider = actor(Role.INSPECTOR, unit="dep.urb.permits.desk")
    city.handle("keep_staff", staff(insider))
    about_them, elsewhere = city.investigated().case_id, city.investigated(unit="dep.civ").case_id
    city.change(city.inspector, active=False, successor=UUID(insider.id))
    assert city.get(about_them)["handler"] is None
    assert city.get(elsewhere)["handler"] == insider.id


def test_a_reminder_reaches_whoever_sees_the_case_on_its_day(city: City) -> None:
    case_id = city.investigated().case_id
    city.do(city.inspector, case_id, Remind(on=day_of(now()) + timedelta(days=1), text="سر بزنم"))
    city.change(city.inspector, active=False)
    with city.db.transaction() as connection:
        connection.exec_driver_sql("UPDATE reminders SET on_day = on_day - 1")
    city.transact(city.tracking.use_cases.scheduler.send_reminders)
    assert {event["staff"] for event in city.events("case.reminded.v1")} == {city.head.id, city.other_head.id}


def test_what_a_leaver_had_last_is_handed_over_afterwards_too(city: City) -> None:
    case_id = city.investigated().case_id
    city.change(city.inspector, active=False)
    request = HandOver(
        actor=city.head,
        leaver=UUID(city.inspector.id),
        inspector=UUID(city.other_inspector.id),
        idempotency_key=uuid.uuid4().hex,
    )
    assert [item.handler for item in city.ask("hand_over", request).items] == [UUID(city.other_inspector.id)]
    assert city.get(case_id)["handler"] == city.other_inspector.id
    assert city.ask("hand_over", request).items == []


def test_a_unit_that_is_moved_below_the_one_complained_about_takes_its_inspectors_off_the_case(city: City) -> None:
    case_id = city.investigated().case_id
    city.catalogue_version += 1
    whole = catalogue(city.catalogue_version)
    moved = [
        unit.model_copy(update={"parent": UNIT}) if unit.code == "insp" else unit for unit in whole.catalogue.units
    ]
    changed = whole.catalogue.model_copy(update={"units": moved})
    city.handle("keep_catalogue", whole.model_copy(update={"catalogue": changed}))
    city.work()
    assert city.one("SELECT handler FROM cases WHERE case_id = %(case)s", case=case_id) is None


# --- visits ---


def booked(city: City, slot_id: UUID) -> Any:
    filed = city.investigated(visit_wanted=True)
    city.do_as_citizen(filed, BookVisit(slot_id=slot_id))
    return filed


def test_a_booked_visit_goes_with_its_case(city: City) -> None:
    slot_id = city.slot(city.inspector, noon(3))
    filed = booked(city, slot_id)
    city.do(city.head, filed.case_id, Assign(inspector=UUID(city.other_inspector.id)))
    assert city.inspector_of(slot_id) == UUID(city.other_inspector.id)
    [event] = city.events("visit.handed_over.v1")
    assert event["inspector"] == city.other_inspector.id


def test_a_visit_in_a_slot_of_several_stays_there_and_its_inspector_is_told(city: City) -> None:
    slot_id = city.slot(city.inspector, noon(3), capacity=2)
    filed, _ = booked(city, slot_id), booked(city, slot_id)
    city.do(city.head, filed.case_id, Assign(inspector=UUID(city.other_inspector.id)))
    assert city.inspector_of(slot_id) == UUID(city.inspector.id)
    assert [event["inspector"] for event in city.events("visit.handed_over.v1")] == [city.other_inspector.id]
    listed = city.ask("list_slots", ListSlots(actor=city.other_inspector))
    assert [slot.slot_id for slot in listed.items] == [slot_id]
    assert [line.case_id for line in listed.items[0].cases] == [filed.case_id]


def test_slots_of_a_leaver_become_the_successors(city: City) -> None:
    shared, free = city.slot(city.inspector, noon(3), capacity=2), city.slot(city.inspector, noon(4))
    cases = [booked(city, shared), booked(city, shared)]
    city.change(city.inspector, active=False, successor=UUID(city.other_inspector.id))
    assert {city.inspector_of(slot) for slot in (shared, free)} == {UUID(city.other_inspector.id)}
    told = city.events("visit.handed_over.v1")
    assert {event["case_id"] for event in told} == {str(filed.case_id) for filed in cases}
    assert len(told) == 2
    city.do_as_citizen(cases[0], MoveVisit(slot_id=free))


def test_without_a_successor_nobody_books_a_leavers_slots_and_the_head_sees_to_the_visits(city: City) -> None:
    taken, free = city.slot(city.inspector, noon(3)), city.slot(city.inspector, noon(4))
    filed = booked(city, taken)
    city.change(city.inspector, active=False)
    [event] = city.events("visit.handed_over.v1")
    assert (event["inspector"], event["slot_id"]) == (None, str(taken))
    with pytest.raises(UnknownSlot):
        city.do_as_citizen(filed, MoveVisit(slot_id=free))
    city.do(city.head, filed.case_id, Assign(inspector=UUID(city.other_inspector.id)))
    assert city.inspector_of(taken) == UUID(city.other_inspector.id)
    with city.db.transaction() as connection:
        connection.exec_driver_sql("UPDATE visit_slots SET starts_at = now() - interval '1 minute', ends_at = now()")
    city.do(city.other_inspector, filed.case_id, HoldVisit(minutes="آمد و گفت"))


# --- holidays ---


def test_a_day_that_becomes_a_holiday_takes_its_slots_out_of_the_offer_at_once(city: City) -> None:
    lost, kept = city.slot(city.inspector, noon(3)), city.slot(city.inspector, noon(4))
    filed = city.investigated(visit_wanted=True)
    assert city.offered(filed) == [lost, kept]
    city.declare(noon(3).date())
    assert city.offered(filed) == [kept]
    with pytest.raises(SlotOnHoliday):
        city.do_as_citizen(filed, BookVisit(slot_id=lost))
    with pytest.raises(SlotOnHoliday):
        city.do(city.inspector, filed.case_id, OfferSlots(slots=[lost]))
    with pytest.raises(InvalidField):
        city.slot(city.inspector, noon(3) + timedelta(hours=1))
    city.declare()
    city.do_as_citizen(filed, BookVisit(slot_id=lost))


def test_a_visit_on_a_new_holiday_is_called_off_once_and_both_are_told(city: City) -> None:
    lost, kept = city.slot(city.inspector, noon(3)), city.slot(city.inspector, noon(4))
    filed, other = booked(city, lost), booked(city, kept)
    city.declare(noon(3).date())
    city.work()
    city.work()
    [event] = city.events("visit.cancelled.v1")
    assert (event["case_id"], event["by"], event["because"]) == (str(filed.case_id), "office", "holiday")
    assert event["inspector"] == city.inspector.id
    assert city.get(filed.case_id)["visits"][0]["state"] == "asked"
    assert city.get(other.case_id)["visits"][0]["state"] == "booked"
    other_slot = city.slot(city.inspector, noon(5))
    city.do_as_citizen(filed, BookVisit(slot_id=other_slot))


# --- liaisons ---


def test_a_question_whose_last_liaison_leaves_is_named_once(city: City) -> None:
    above = actor(Role.LIAISON, unit="dep.urb")
    city.handle("keep_staff", staff(above))
    filed = city.investigated()
    city.do(city.inspector, filed.case_id, AskUnit(text="چرا؟"))
    city.change(city.liaison, active=False)
    assert city.events("case.unit_without_liaison.v1") == []  # one above answers for it
    city.change(above, unit="dep.civ")
    city.work()
    [event] = city.events("case.unit_without_liaison.v1")
    assert (event["case_id"], event["unit_asked"]) == (str(filed.case_id), UNIT)
    assert event["state"]["handler"] == city.inspector.id
    city.change(city.liaison)  # somebody answers again
    city.change(city.liaison, roles=[Role.OPERATOR])
    assert len(city.events("case.unit_without_liaison.v1")) == 2
