"""What is asked for by RPC about visits: the times offered to a citizen; rooms and slots, which head and administrator
keep; and the reminders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from uuid import UUID, uuid5

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from backbone.storage import cursors
from contracts import sms, visits
from contracts.errors import (
    InvalidField,
    NotAllowed,
    SlotInUse,
    SlotOverlap,
    SlotPast,
    UnknownCase,
    UnknownRoom,
    UnknownSlot,
)
from contracts.gateway import Actor
from contracts.vocabulary import OPEN_STAGES, ActorKind, Role
from services.tracking.case.access import Access, actor_id
from services.tracking.case.context import Clock
from services.tracking.case.idempotency import done_before
from services.tracking.case.lifecycle import Case
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.scope import SEE_ALL, Scope
from services.tracking.case.view_texts import with_texts
from services.tracking.reference import store as reference_store
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.reference.workdays import day_of
from services.tracking.visits import rules, store

_MADE_OF_KEYS = UUID("9d0b3a52-4c1e-5f7a-8b46-2e1f0c9d7a35")  # the space of such ids; never to be changed
KEEPERS = frozenset({Role.HEAD, Role.ADMINISTRATOR})
READERS = KEEPERS | {Role.INSPECTOR, Role.SUBSTITUTE}


class VisitUseCases:
    """The use cases of citizens, and of those who keep rooms and slots. `hours`: between which a week's slots lie."""

    def __init__(self, access: Access, catalogue: CatalogueCopy, clock: Clock, hours: tuple[time, time]) -> None:
        self._access, self._catalogue, self._clock, self._hours = access, catalogue, clock, hours

    def list_offered_slots(self, connection: Connection, request: visits.ListOfferedSlots) -> visits.OfferedSlots:
        """The times that the citizen may take now. UnknownCase."""
        if request.actor.kind not in (ActorKind.CITIZEN, ActorKind.BEARER):
            raise NotAllowed
        case: Case | None = None
        if request.code_hashes:
            case = store.case_by_code(connection, request.code_hashes)
        elif request.case_id is not None:
            case = store.own_case(connection, request.case_id, actor_id(request.actor, ActorKind.CITIZEN))
        if case is None:
            raise UnknownCase
        return self._offered(connection, case, self._clock())

    def _offered(self, connection: Connection, case: Case, at: datetime) -> visits.OfferedSlots:
        """The times that the citizen of this case may take now."""
        visit = store.open_visit(connection, case.case_id)
        if visit is None or case.stage not in OPEN_STAGES:
            return visits.OfferedSlots(items=[])
        holidays = self._catalogue.current(connection).workdays.holidays
        return visits.OfferedSlots(
            items=[
                visits.OfferedSlot(
                    slot_id=slot.slot_id,
                    starts_at=slot.starts_at,
                    ends_at=slot.ends_at,
                    place_fa=slot.place_fa,
                    place_en=slot.place_en,
                    free=slot.capacity - slot.taken,
                )
                for slot in store.free_slots(connection, case, visit, at, holidays=holidays)
            ]
        )

    # --- rooms ---

    def list_rooms(self, connection: Connection, request: visits.ListRooms) -> visits.Rooms:
        """All rooms."""
        self._allowed(connection, request.actor, READERS)
        return visits.Rooms(
            items=[visits.Room.model_validate(dict(row._mapping)) for row in store.all_rooms(connection)]
        )

    def add_room(self, connection: Connection, request: visits.AddRoom) -> visits.Room:
        """A new room; repeated with its key, the one it made. KeyReused."""
        self._allowed(connection, request.actor, KEEPERS)
        reject_null_characters(request)
        names = {"name_fa": request.name_fa, "name_en": request.name_en}  # they go into an SMS
        problems = [
            {"field": field, "reason": reason, **named}
            for field, name in names.items()
            for reason, named in sms.wrong_in_sms(name)
        ]
        if problems:
            raise InvalidField(fields=problems)
        room_id = _id_of(request.actor, request.idempotency_key)
        if not done_before(connection, request.actor, request.idempotency_key, room_id, request):
            row = {"room_id": room_id, **names, "active": True}
            store.add_room(connection, row)
        return self._room(connection, room_id)

    def close_room(self, connection: Connection, request: visits.CloseRoom) -> visits.Room:
        """It gets no new slots. UnknownRoom."""
        self._allowed(connection, request.actor, KEEPERS)
        store.close_room(connection, request.room_id)
        return self._room(connection, request.room_id)

    def _room(self, connection: Connection, room_id: UUID) -> visits.Room:
        row = store.room(connection, room_id)
        if row is None:
            raise UnknownRoom
        return visits.Room.model_validate(dict(row._mapping))

    # --- slots ---

    def list_slots(self, connection: Connection, request: visits.ListSlots) -> visits.Slots:
        """Slots, with those cases in them that the actor may know of. Inspectors see their own slots alone."""
        self._allowed(connection, request.actor, READERS)
        keeper = bool(request.actor.roles & KEEPERS)
        knows = request.actor.roles & (SEE_ALL | {Role.INSPECTOR, Role.SUBSTITUTE})
        slots = self._slots(
            connection,
            request.actor,
            self._access.scope(connection, request.actor) if knows else None,
            since=request.since,
            until=request.until,
            inspectors=([request.inspector] if request.inspector else None)
            if keeper
            else self._own(connection, request),
            after=request.after,
            limit=request.limit + 1,
        )
        more, slots = len(slots) > request.limit, slots[: request.limit]
        following = cursors.encode(slots[-1].starts_at, slots[-1].slot_id) if more else None
        return visits.Slots(items=slots, next=following)

    @staticmethod
    def _own(connection: Connection, request: visits.ListSlots) -> list[UUID]:
        """Whose slots an inspector sees: their own, and those of whoever has them as deputy."""
        member = reference_store.member(connection, UUID(request.actor.id))
        return [UUID(request.actor.id), *(member.stands_in_for if member is not None else ())]

    def add_slot(self, connection: Connection, request: visits.AddSlot) -> visits.Slot:
        """One slot, at any time to come. SlotPast, SlotOverlap, UnknownRoom, KeyReused."""
        if request.ends_at <= request.starts_at:
            raise _wrong("ends_at", "not_after_its_start")
        if day_of(request.starts_at) in self._catalogue.current(connection).workdays.holidays:
            raise _wrong("starts_at", "holiday")
        return self._make(connection, request, [(request.starts_at, request.ends_at)])[0]

    def make_slots(self, connection: Connection, request: visits.MakeSlots) -> visits.Slots:
        """A week's slots, on its working days within working hours: all, or none where one overlaps."""
        opens, closes = time.fromisoformat(request.opens), time.fromisoformat(request.closes)
        if opens < self._hours[0]:
            raise _wrong("opens", "outside_working_hours")
        if closes > self._hours[1]:
            raise _wrong("closes", "outside_working_hours")
        workdays = self._catalogue.current(connection).workdays
        times = list(rules.week(request.first_day, (opens, closes), request.minutes, workdays))
        if not times:
            raise _wrong("first_day", "no_time_for_a_slot")
        return visits.Slots(items=self._make(connection, request, times))

    def close_slot(self, connection: Connection, request: visits.CloseSlot) -> visits.Slot:
        """Nobody takes a place in it any more. UnknownSlot; SlotInUse while somebody has one."""
        self._allowed(connection, request.actor, KEEPERS)
        slot = store.lock_slot(connection, request.slot_id)
        if slot is None:
            raise UnknownSlot
        if slot.taken:
            raise SlotInUse
        store.close_slot(connection, request.slot_id)
        return self._slots(connection, request.actor, None, ids=[request.slot_id])[0]

    def _make(
        self,
        connection: Connection,
        request: visits.AddSlot | visits.MakeSlots,
        times: Sequence[tuple[datetime, datetime]],
    ) -> list[visits.Slot]:
        self._allowed(connection, request.actor, KEEPERS)
        ids = [_id_of(request.actor, f"{request.idempotency_key}:{number}") for number in range(len(times))]
        if not done_before(connection, request.actor, request.idempotency_key, ids[0], request):
            if times[0][0] <= self._clock():
                raise SlotPast
            self._check(connection, request.room_id, request.inspector)
            shared = {"room_id": request.room_id, "inspector": request.inspector, "capacity": request.capacity}
            rows = [
                {"slot_id": slot_id, "starts_at": start, "ends_at": end, "closed": False, **shared}
                for slot_id, (start, end) in zip(ids, times, strict=True)
            ]
            try:
                store.add_slots(connection, rows)
            except IntegrityError as error:
                if getattr(error.orig, "sqlstate", None) == store.EXCLUDED:
                    raise SlotOverlap from None
                raise
        return self._slots(connection, request.actor, None, ids=ids)

    def _check(self, connection: Connection, room_id: UUID, inspector: UUID) -> None:
        room = store.room(connection, room_id, lock=True)
        if room is None or not room.active:
            raise UnknownRoom
        member = reference_store.member(connection, inspector)
        if member is None or not member.active or not member.roles & {Role.INSPECTOR, Role.SUBSTITUTE}:
            raise _wrong("inspector", "not_an_inspector")

    def _slots(
        self,
        connection: Connection,
        reader: Actor,
        scope: Scope | None,
        *,
        ids: Sequence[UUID] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        inspectors: Sequence[UUID] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> list[visits.Slot]:
        rows = store.list_slots(
            connection, scope, ids=ids, since=since, until=until, inspectors=inspectors, after=after, limit=limit
        )
        slots = [visits.Slot.model_validate({**row._mapping, "cases": row.cases or []}) for row in rows]
        return [with_texts(slot, reader.language) for slot in slots]

    def _allowed(self, connection: Connection, actor: Actor, roles: frozenset[Role]) -> None:
        if actor.kind is not ActorKind.STAFF or not actor.roles & roles:
            raise NotAllowed
        member = reference_store.member(connection, UUID(actor.id))
        if member is not None and not member.active:
            raise NotAllowed


def _id_of(actor: Actor, key: str) -> UUID:
    return uuid5(_MADE_OF_KEYS, f"{actor.id}:{key}")


def _wrong(path: str, reason: str) -> InvalidField:
    return InvalidField(fields=[{"field": path, "reason": reason}])
