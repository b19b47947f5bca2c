"""Visits, asked for and told over the broker: booking under a crowd, reminders under replicas and kills, who may what."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from backbone.persian import jalali
from contracts.base import now
from contracts.errors import (
    InvalidField,
    KeyReused,
    NotAllowed,
    PeygirError,
    SlotInUse,
    SlotOverlap,
    SlotPast,
    SlotTaken,
    StaleVersion,
    UnknownCase,
    UnknownRoom,
    UnknownSlot,
    VisitNotBegun,
    WrongStage,
    WrongVisitState,
)
from contracts.gateway import Actor
from contracts.intake import SubmissionRegistered
from contracts.tracking import ExecuteCitizenCommand
from contracts.visits import (
    AddRoom,
    AddSlot,
    AskVisit,
    BookVisit,
    CallOffVisit,
    CancelVisit,
    CloseRoom,
    CloseSlot,
    HoldVisit,
    ListOfferedSlots,
    ListRooms,
    ListSlots,
    MakeSlots,
    MissVisit,
    MoveVisit,
    OfferSlots,
)
from contracts.vocabulary import ActorKind, Role
from deploy.local.parts import RabbitMQ
from tests.support.processes import BrokerClient, ServiceProcess, eventually, open_broker_client
from tests.support.tracking import Office, actor, decision, staff


@pytest.fixture(scope="module")
def tracking_settings() -> dict[str, str]:
    hours = {"VISIT_REMIND_FROM_HOUR": "0", "VISIT_REMIND_UNTIL_HOUR": "24"}
    return {"VISIT_REMIND_DAY_BEFORE": "7200", "VISIT_REMIND_HOURS_BEFORE": "3600", **hours}


class Reception(Office):
    """The office with its rooms."""

    def gather(self) -> Reception:
        super().gather()
        self.administrator = actor(Role.ADMINISTRATOR)
        # Of each test its own: their slots do not meet.
        self.inspector = self.employed(Role.INSPECTOR)
        return self

    def employed(self, role: Role, unit: str | None = "insp") -> Actor:
        """Somebody new of the staff, known to tracking."""
        who = actor(role, unit)
        self.broker_client.publish_event(staff(who))
        eventually(lambda: self.value("SELECT count(*) FROM staff WHERE staff_id = %s", UUID(who.id)) == 1)
        return who

    def room(self, name: str = "اتاق ۱") -> UUID:
        request = AddRoom(actor=self.administrator, idempotency_key=uuid.uuid4().hex, name_fa=name, name_en="Room 1")
        return UUID(self.ask("add_room", request)["room_id"])

    def slot(
        self, starts: timedelta = timedelta(days=3), capacity: int = 1, inspector: Actor | None = None, **more: Any
    ) -> UUID:
        """A slot of half an hour that begins so long from now."""
        at: datetime = now() + starts
        values: dict[str, Any] = {
            "actor": self.head,
            "idempotency_key": uuid.uuid4().hex,
            "room_id": more.pop("room_id", None) or self.room(),
            "inspector": UUID((inspector or self.inspector).id),
            "starts_at": at,
            "ends_at": at + timedelta(minutes=30),
            "capacity": capacity,
        }
        return UUID(self.ask("add_slot", AddSlot(**values | more))["slot_id"])

    def offered(self, code: str) -> list[str]:
        request = ListOfferedSlots(actor=Actor(kind=ActorKind.BEARER, id=code), code_hashes=[code])
        return [slot["slot_id"] for slot in self.ask("list_offered_slots", request)["items"]]

    def wanted(self) -> SubmissionRegistered:
        """A case in the inspector's hands whose citizen asked for a visit at filing."""
        return self.investigated(visit_wanted=True)

    def state(self, code: str) -> list[str]:
        return [visit["state"] for visit in self.view(code)["visits"]]

    def begin(self, slot_id: UUID) -> None:
        """The slot's time has come."""
        self.run(
            f"UPDATE visit_slots SET starts_at = now() - interval '1 minute', ends_at = now() WHERE slot_id = '{slot_id}'"
        )


@pytest.fixture
def office(tracking: ServiceProcess, broker_client: BrokerClient) -> Reception:
    return Reception(broker_client, tracking.environment["DATABASE_URL"]).gather()


def names(office: Office, case_id: UUID) -> list[str]:
    """The visit's events of a case, in order."""
    events = [
        event
        for event in office.broker_client.recorded_events()
        if event["case_id"] == str(case_id) and event["_name"].startswith("visit.")
    ]
    return [event["_name"].split(".")[1] for event in sorted(events, key=lambda event: int(event["sequence"]))]


def test_a_visit_is_requested_booked_held_and_recorded(office: Reception) -> None:
    office.broker_client.record_events("tracking.events")
    filed = office.wanted()
    code = filed.code_hash
    first, second = office.slot(), office.slot(timedelta(days=4))
    assert office.state(code) == ["asked"]
    assert office.view(code)["visit_can"] == ["book_visit", "cancel_visit"]
    assert office.offered(code) == [str(first), str(second)]

    booked = office.do_as_citizen(code, BookVisit(slot_id=first))
    assert booked["visit_can"] == ["move_visit", "cancel_visit"]
    assert booked["visits"][0]["place_fa"] == "اتاق ۱"
    assert office.offered(code) == [str(second)]
    moved = office.do_as_citizen(code, MoveVisit(slot_id=second))
    assert (moved["visits"][0]["state"], moved["visits"][0]["slot_id"]) == ("moved", str(second))
    with pytest.raises(VisitNotBegun):
        office.do(office.inspector, filed.case_id, HoldVisit(minutes="گفت‌وگو شد."))
    office.begin(second)
    with pytest.raises(SlotPast):
        office.do_as_citizen(code, CancelVisit())
    held = office.do(office.inspector, filed.case_id, HoldVisit(minutes="راز صورت‌جلسه"))
    assert held["timeline"][-1]["details"]["text"] == "راز صورت‌جلسه"
    assert held["visits"][0]["inspector"] == office.inspector.id
    seen = office.view(code)
    assert seen["timeline"][-1]["entry"] == "visit_held"
    assert "راز" not in json.dumps(seen, ensure_ascii=False)
    assert office.inspector.id not in json.dumps(seen)
    assert seen["visit_can"] == ["ask_visit"]
    eventually(lambda: names(office, filed.case_id) == ["asked", "booked", "moved", "held"])


def test_a_visit_is_requested_later_missed_and_requested_again(office: Reception) -> None:
    filed = office.investigated()
    code = filed.code_hash
    assert office.view(code)["visit_can"] == ["ask_visit"]
    with pytest.raises(WrongVisitState):
        office.do_as_citizen(code, CancelVisit())
    office.do_as_citizen(code, AskVisit())
    with pytest.raises(WrongVisitState) as raised:
        office.do_as_citizen(code, AskVisit())
    assert raised.value.params["state"] == "asked"
    slot = office.slot()
    office.do_as_citizen(code, BookVisit(slot_id=slot))
    office.begin(slot)
    office.do(office.head, filed.case_id, MissVisit())
    office.do_as_citizen(code, AskVisit())
    office.do_as_citizen(code, CancelVisit())
    assert office.state(code) == ["no_show", "cancelled"]


def test_twenty_simultaneous_citizens_book_exactly_the_available_places(office: Reception, broker: RabbitMQ) -> None:
    filed = [office.wanted() for _ in range(20)]
    slot = office.slot(capacity=3)
    answers: Counter[str] = Counter()
    ready = threading.Barrier(len(filed))

    def book(code: str) -> None:
        with open_broker_client(broker.url) as client:
            request = ExecuteCitizenCommand(
                actor=Actor(kind=ActorKind.BEARER, id=code),
                code_hashes=[code],
                idempotency_key=uuid.uuid4().hex,
                command=BookVisit(slot_id=slot),
            )
            ready.wait()
            try:
                client.call("tracking", "execute_citizen", request, timeout=30)
                answers["booked"] += 1
            except PeygirError as error:
                answers[error.code] += 1

    crowd = [threading.Thread(target=book, args=(submitted.code_hash,)) for submitted in filed]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert answers == {"booked": 3, "slot_taken": 17}
    assert office.value("SELECT count(*) FROM visits WHERE slot_id = %s", slot) == 3
    [shown] = office.ask("list_slots", ListSlots(actor=office.inspector))["items"]
    assert (shown["taken"], len(shown["cases"])) == (3, 3)
    # A place that is given back is free for another.
    winner = next(submitted for submitted in filed if office.state(submitted.code_hash) == ["booked"])
    loser = next(submitted for submitted in filed if office.state(submitted.code_hash) == ["asked"])
    office.do_as_citizen(winner.code_hash, CancelVisit())
    office.do_as_citizen(loser.code_hash, BookVisit(slot_id=slot))
    assert office.value("SELECT count(*) FROM visits WHERE slot_id = %s AND state = 'booked'", slot) == 3


def test_each_reminder_is_published_once_despite_kills(
    office: Reception, tracking_environment: dict[str, str], tmp_path: Path
) -> None:
    office.broker_client.record_events("tracking.events")
    filed = [office.wanted() for _ in range(30)]
    slot = office.slot(timedelta(hours=3), capacity=30)
    for submitted in filed:
        office.do_as_citizen(submitted.code_hash, BookVisit(slot_id=slot))
    assert (
        office.value("SELECT count(*) FROM visits WHERE remind_day_at IS NOT NULL AND remind_hours_at IS NOT NULL")
        >= 30
    )
    replicas = [ServiceProcess("tracking", tracking_environment, tmp_path / f"{number}.log") for number in range(3)]
    for replica in replicas:
        replica.start()
    reminders: Counter[tuple[str, str]] = Counter()
    try:
        for number, before in enumerate(("day", "hours"), start=1):
            # The moment comes for all at once, and one replica after another is killed in the midst of it.
            office.run(f"UPDATE visits SET remind_{before}_at = now() + interval '1 second' WHERE slot_id = '{slot}'")
            for replica in replicas:
                more(office, filed, len(reminders))
                replica.kill()
                replica.start(ready=False)
                reminders = reminders_of(office, filed)
            # All of the first time are said before the second comes: both at once would be said as one.
            more(office, filed, 30 * number - 1, timeout=60)
        for replica in replicas:
            eventually(replica.ready, timeout=40)
        eventually(lambda: office.value("SELECT count(*) FROM outbox") == 0)
        reminders = reminders_of(office, filed)
    finally:
        for replica in replicas:
            replica.stop()
    rows = office.rows("SELECT case_id, count(*) FROM timeline WHERE entry = 'visit_reminded' GROUP BY case_id")
    ours = {str(submitted.case_id) for submitted in filed}
    assert {count for case_id, count in rows if str(case_id) in ours} == {2}
    assert len(reminders) == 60


def more(office: Office, filed: list[Any], than: int, timeout: float = 30) -> None:
    """Until more reminders were said than that."""
    eventually(lambda: len(reminders_of(office, filed)) > than, timeout=timeout)


def reminders_of(office: Office, filed: list[Any]) -> Counter[tuple[str, str]]:
    """Reminders by case and time. The relay may say one event twice, always under one id, which consumers take once."""
    ids = {event["id"]: event for event in office.broker_client.recorded_events("visit.reminded.v1")}
    ours = {str(submitted.case_id) for submitted in filed}
    reminders = Counter(
        (reminder["case_id"], reminder["before"]) for reminder in ids.values() if reminder["case_id"] in ours
    )
    assert set(reminders.values()) <= {1}
    return reminders


def test_a_case_that_ends_needs_no_visit(office: Reception) -> None:
    office.broker_client.record_events("tracking.events")
    requested, booked, begun = office.wanted(), office.wanted(), office.wanted()
    free, later, past = office.slot(), office.slot(timedelta(days=4)), office.slot(timedelta(days=5))
    office.do_as_citizen(booked.code_hash, BookVisit(slot_id=later))
    office.do_as_citizen(begun.code_hash, BookVisit(slot_id=past))
    office.begin(past)
    for submitted in (requested, booked, begun):
        office.do(office.inspector, submitted.case_id, decision())
    assert office.state(requested.code_hash) == ["avoided"]
    assert office.state(booked.code_hash) == ["cancelled"]
    assert office.state(begun.code_hash) == ["booked"]
    office.do(office.inspector, begun.case_id, HoldVisit(minutes="پیش از نتیجه آمده بود."))
    with pytest.raises(WrongStage):
        office.do_as_citizen(requested.code_hash, AskVisit())
    assert office.view(requested.code_hash)["visit_can"] == []
    assert office.offered(requested.code_hash) == []
    eventually(lambda: names(office, requested.case_id) == ["asked", "avoided"])
    eventually(lambda: names(office, booked.case_id) == ["asked", "booked", "cancelled"])
    assert office.broker_client.recorded_events("visit.cancelled.v1")[-1]["by"] == "ended"
    # Its place is free, and the slot can be closed.
    for slot in (free, later):
        assert office.ask("close_slot", CloseSlot(actor=office.head, slot_id=slot))["closed"]


def test_the_office_cancels_a_visit_and_another_time_is_chosen(office: Reception) -> None:
    filed, slot = office.wanted(), office.slot()
    office.do_as_citizen(filed.code_hash, BookVisit(slot_id=slot))
    with pytest.raises(SlotInUse):
        office.ask("close_slot", CloseSlot(actor=office.administrator, slot_id=slot))
    office.do(office.inspector, filed.case_id, CallOffVisit())
    assert office.state(filed.code_hash) == ["asked"]
    office.ask("close_slot", CloseSlot(actor=office.administrator, slot_id=slot))
    assert office.offered(filed.code_hash) == []
    with pytest.raises(UnknownSlot):
        office.do_as_citizen(filed.code_hash, BookVisit(slot_id=slot))
    # The hour is the inspector's again.
    office.slot()


def test_only_offered_slots_can_be_booked(office: Reception) -> None:
    filed, foreign = office.wanted(), office.open(visit_wanted=True)
    other = office.employed(Role.INSPECTOR)
    own, elsewhere = office.slot(), office.slot(inspector=other)
    assert office.offered(foreign.code_hash) == []
    for slot in (elsewhere, uuid.uuid4()):
        with pytest.raises(UnknownSlot):
            office.do_as_citizen(filed.code_hash, BookVisit(slot_id=slot))
    office.do(office.head, filed.case_id, OfferSlots(slots=[elsewhere]))
    assert office.offered(filed.code_hash) == [str(elsewhere)]
    with pytest.raises(UnknownSlot):
        office.do_as_citizen(filed.code_hash, BookVisit(slot_id=own))
    office.do_as_citizen(filed.code_hash, BookVisit(slot_id=elsewhere))
    taken = office.investigated(visit_wanted=True)
    office.do(office.head, taken.case_id, OfferSlots(slots=[elsewhere]))
    assert office.offered(taken.code_hash) == []
    with pytest.raises(SlotTaken):
        office.do_as_citizen(taken.code_hash, BookVisit(slot_id=elsewhere))
    # Whoever belongs to the unit complained about holds no visit of the case.
    insider = office.slot(inspector=office.insider, starts=timedelta(days=9, minutes=uuid.uuid4().int % 9999))
    with pytest.raises(InvalidField):
        office.do(office.head, taken.case_id, OfferSlots(slots=[insider]))
    past = office.slot(timedelta(days=6))
    office.begin(past)
    with pytest.raises(SlotPast):
        office.do(office.head, taken.case_id, OfferSlots(slots=[past]))


def test_only_permitted_actors_may_do_it(office: Reception) -> None:
    filed, room_id = office.wanted(), office.room()
    slot = office.slot(room_id=room_id)
    foreign = office.employed(Role.INSPECTOR)
    with pytest.raises(UnknownCase):
        office.do(foreign, filed.case_id, OfferSlots(slots=[slot]))
    with pytest.raises(NotAllowed):
        office.do(office.screener, filed.case_id, OfferSlots(slots=[slot]))
    insider_head = office.employed(Role.HEAD, "dep.urb.permits.desk")
    with pytest.raises(UnknownCase):
        office.do(insider_head, filed.case_id, MissVisit())
    office.do_as_citizen(filed.code_hash, BookVisit(slot_id=slot))

    def cases(who: Actor) -> list[str]:
        request = ListSlots(actor=who, inspector=UUID(office.inspector.id))
        return [case["case_id"] for item in office.ask("list_slots", request)["items"] for case in item["cases"]]

    assert cases(office.head) == cases(office.inspector) == [str(filed.case_id)]
    assert cases(insider_head) == cases(office.administrator) == cases(foreign) == []
    for who in (office.inspector, office.screener, office.liaison):
        for request, method in (
            (AddRoom(actor=who, idempotency_key="a-key-of-a-room", name_fa="x", name_en="x"), "add_room"),
            (CloseRoom(actor=who, room_id=room_id), "close_room"),
            (CloseSlot(actor=who, slot_id=slot), "close_slot"),
        ):
            with pytest.raises(NotAllowed):
                office.ask(method, request)
        with pytest.raises(NotAllowed):
            office.slot(actor=who)
    for who in (office.screener, office.liaison, Actor(kind=ActorKind.CITIZEN, id=str(uuid.uuid4()))):
        with pytest.raises(NotAllowed):
            office.ask("list_slots", ListSlots(actor=who))
    stranger = Actor(kind=ActorKind.CITIZEN, id=str(uuid.uuid4()))
    with pytest.raises(UnknownCase):
        office.ask("list_offered_slots", ListOfferedSlots(actor=stranger, case_id=filed.case_id))
    with pytest.raises(UnknownCase):
        office.ask(
            "execute_citizen",
            ExecuteCitizenCommand(
                actor=stranger, case_id=filed.case_id, idempotency_key="a-strangers-key", command=CancelVisit()
            ),
        )


def test_a_stale_command_is_refused_as_stale_and_a_repeated_one_has_its_effect_once(office: Reception) -> None:
    filed, slot = office.wanted(), office.slot()
    version = office.get(filed.case_id)["version"]
    with pytest.raises(StaleVersion):
        office.do(office.inspector, filed.case_id, OfferSlots(slots=[slot]), version=version - 1)
    first = office.do_as_citizen(filed.code_hash, BookVisit(slot_id=slot), key="the-same-booking")
    again = office.do_as_citizen(filed.code_hash, BookVisit(slot_id=slot), key="the-same-booking")
    assert first == again
    with pytest.raises(KeyReused):
        office.do_as_citizen(filed.code_hash, CancelVisit(), key="the-same-booking")


def test_slots_are_made_by_the_week_and_never_overlap(office: Reception) -> None:
    room_id, other_room = office.room(), office.room("اتاق ۲")
    saturday = jalali.today(now()) + timedelta(days=30 + (5 - jalali.today(now()).weekday()) % 7)

    def make(key: str, **changes: Any) -> list[dict[str, Any]]:
        values: dict[str, Any] = {
            "actor": office.administrator,
            "idempotency_key": key,
            "room_id": room_id,
            "inspector": UUID(office.inspector.id),
            "first_day": saturday,
            "opens": "08:00",
            "closes": "14:00",
            "minutes": 60,
            "capacity": 2,
        }
        made: list[dict[str, Any]] = office.ask("make_slots", MakeSlots(**values | changes))["items"]
        return made

    week = make("a-week-of-slots")
    assert len(week) == 5 * 6  # Thursday and Friday nobody works
    assert week[0]["starts_at"] == f"{saturday}T04:30:00Z"
    assert make("a-week-of-slots") == week
    with pytest.raises(KeyReused):
        make("a-week-of-slots", minutes=30)
    other = UUID(office.employed(Role.INSPECTOR).id)
    meets: list[dict[str, Any]] = [{"room_id": other_room}, {"inspector": other}]
    for changes in meets:
        with pytest.raises(SlotOverlap):
            make(uuid.uuid4().hex, opens="13:00", **changes)
    assert office.value("SELECT count(*) FROM visit_slots WHERE room_id = %s", other_room) == 0
    # One may begin when the other ends.
    office.slot(
        room_id=room_id, starts_at=week[0]["ends_at"].replace("05:30", "10:30"), ends_at=f"{saturday}T11:00:00Z"
    )
    for changes in (
        {"opens": "07:00"},
        {"closes": "15:00"},
        {"minutes": 480},
        {"inspector": UUID(office.screener.id)},
        {"opens": "12:00", "closes": "11:00"},
    ):
        with pytest.raises(InvalidField):
            make(uuid.uuid4().hex, **changes)
    with pytest.raises(SlotPast):
        make(uuid.uuid4().hex, first_day=jalali.today(now()) - timedelta(days=8))
    with pytest.raises(InvalidField):
        office.slot(starts_at=now() + timedelta(days=2), ends_at=now() + timedelta(days=1))
    office.ask("close_room", CloseRoom(actor=office.head, room_id=other_room))
    for gone in (other_room, uuid.uuid4()):
        with pytest.raises(UnknownRoom):
            office.slot(room_id=gone)


def test_rooms_are_listed_and_created_once(office: Reception) -> None:
    request = AddRoom(actor=office.head, idempotency_key=uuid.uuid4().hex, name_fa="تالار", name_en="Hall")
    first, again = office.ask("add_room", request), office.ask("add_room", request)
    assert first == again
    listed = office.ask("list_rooms", ListRooms(actor=office.inspector))["items"]
    assert [item for item in listed if item["room_id"] == first["room_id"]] == [first]
    with pytest.raises(UnknownRoom):
        office.ask("close_room", CloseRoom(actor=office.head, room_id=uuid.uuid4()))


@pytest.mark.parametrize("name", ["evil.xyz", "bit[.]ly", "Room\u202e 1"])
def test_the_name_of_a_room_is_used_in_sms_and_contains_no_link(office: Reception, name: str) -> None:
    key = uuid.uuid4().hex
    with pytest.raises(InvalidField) as refused:
        office.ask("add_room", AddRoom(actor=office.head, idempotency_key=key, name_fa="تالار", name_en=name))
    [field] = refused.value.params["fields"]
    assert field["field"] == "name_en"
    made = office.ask("add_room", AddRoom(actor=office.head, idempotency_key=key, name_fa="تالار", name_en="Hall"))
    assert made["name_en"] == "Hall"
