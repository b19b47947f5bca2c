"""Queries of rooms, slots and visits, a line of comment each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Row,
    Select,
    cast,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from backbone.storage import cursors, writes
from backbone.storage.writes import Write
from contracts.base import Contract
from contracts.visits import (
    AskVisit,
    BookVisit,
    CallOffVisit,
    CancelVisit,
    HoldVisit,
    MissVisit,
    MoveVisit,
    OfferSlots,
    VisitState,
)
from contracts.vocabulary import OPEN_STAGES
from services.tracking.case.facts import FactsLoader, FactsQuery
from services.tracking.case.lifecycle import Case, Change
from services.tracking.case.record import Amendment, EffectWriter, EffectWriters, Recorded, ViewParts
from services.tracking.case.scope import Scope
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.models import cases, rooms, visit_slots, visits
from services.tracking.reference.names import name_of
from services.tracking.reference.workdays import day_of
from services.tracking.visits import rules
from services.tracking.visits.rules import OPEN, TAKES_A_PLACE, Lead, Slot, Visit, VisitFacts, VisitSaved

EXCLUDED = "23P01"
"""PostgreSQL's error for two slots at one time."""
_SLOT = tuple(visit_slots.c[name] for name in ("slot_id", "inspector", "starts_at", "ends_at", "capacity", "closed"))
_PLACE = (rooms.c.name_fa.label("place_fa"), rooms.c.name_en.label("place_en"))
_TAKEN = (
    select(func.count())
    .where(visits.c.slot_id == visit_slots.c.slot_id, visits.c.state.in_(sorted(TAKES_A_PLACE)))
    .scalar_subquery()
    .label("taken")
)
_IN_ROOMS = visit_slots.join(rooms, rooms.c.room_id == visit_slots.c.room_id)


def _slot_of(row: Row[Any] | Mapping[str, Any]) -> Slot:
    values = row if isinstance(row, Mapping) else row._mapping
    return Slot(**{name: values[name] for name in Slot.__dataclass_fields__})


# --- visits ---


def open_visit(connection: Connection, case_id: UUID) -> Visit | None:
    """The visit of a (locked) case that is asked for or booked."""
    chosen = select(visits, *_SLOT[1:], *_PLACE).select_from(
        visits.outerjoin(_IN_ROOMS, visit_slots.c.slot_id == visits.c.slot_id)
    )
    row = connection.execute(chosen.where(visits.c.case_id == case_id, visits.c.state.in_(sorted(OPEN)))).first()
    return None if row is None else _visit_of(row)


def _visit_of(row: Row[Any]) -> Visit:
    slot = None if row.slot_id is None else _slot_of({**row._mapping, "taken": 0})
    return Visit(
        row.visit_id,
        row.case_id,
        VisitState(row.state),
        row.asked_at,
        slot,
        tuple(row.offered),
        row.remind_day_at,
        row.remind_hours_at,
    )


_SAVED = ("visit_id", "case_id", "state", "asked_at", "remind_day_at", "remind_hours_at", "slot_id", "offered")
_UPDATED = ", ".join(f"{name} = excluded.{name}" for name in _SAVED[1:])


def saving(visit: Visit) -> list[Write]:
    """A visit of a locked case as it is now."""
    values = {name: getattr(visit, name) for name in _SAVED if name != "slot_id"}
    row = values | {"slot_id": visit.slot.slot_id if visit.slot else None}
    return writes.insert(visits, [row], f"ON CONFLICT (visit_id) DO UPDATE SET {_UPDATED}")


def lock_slot(connection: Connection, slot_id: UUID) -> Slot | None:
    """A slot whose places nobody else takes meanwhile. Counted after the lock is held: what others committed is seen."""
    held = select(visit_slots.c.slot_id).where(visit_slots.c.slot_id == slot_id).with_for_update()
    if connection.execute(held).first() is None:
        return None
    row = connection.execute(_slots().where(visit_slots.c.slot_id == slot_id)).one()
    return _slot_of(row)


def _slots() -> Select[Any]:
    return select(*_SLOT, *_PLACE, _TAKEN).select_from(_IN_ROOMS)


def slots_of(connection: Connection, ids: Iterable[UUID]) -> list[Slot]:
    """Those of these slots that there are, by their beginning."""
    chosen = _slots().where(visit_slots.c.slot_id.in_(sorted(set(ids)))).order_by(visit_slots.c.starts_at)
    return [_slot_of(row) for row in connection.execute(chosen)]


def free_slots(
    connection: Connection, case: Case, visit: Visit, at: datetime, limit: int = 100, holidays: Iterable[date] = ()
) -> list[Slot]:
    """What the citizen of this case may take now, the next first; none on a holiday."""
    if visit.offered:
        meant: ColumnElement[bool] = visit_slots.c.slot_id.in_(list(visit.offered))
    else:
        meant = visit_slots.c.inspector == case.handler if case.handler is not None else false()
    chosen = _slots().where(meant, visit_slots.c.starts_at > at, visit_slots.c.closed.is_(False))
    chosen = chosen.where(_TAKEN.element < visit_slots.c.capacity)
    if to_come := [day for day in holidays if day >= day_of(at)]:
        chosen = chosen.where(cast(func.timezone("Asia/Tehran", visit_slots.c.starts_at), Date).not_in(to_come))
    if visit.slot is not None:
        chosen = chosen.where(visit_slots.c.slot_id != visit.slot.slot_id)
    rows = connection.execute(chosen.order_by(visit_slots.c.starts_at).limit(limit))
    return [_slot_of(row) for row in rows]


def case_by_code(connection: Connection, code_hashes: Sequence[str]) -> Case | None:
    """The case of a tracking code, for reading."""
    row = connection.execute(select(*CASE_COLUMNS).where(cases.c.code_hash.in_(code_hashes))).first()
    return None if row is None else case_of(row)


def own_case(connection: Connection, case_id: UUID, citizen_id: UUID) -> Case | None:
    """A citizen's own case, for reading."""
    chosen = select(*CASE_COLUMNS).where(cases.c.case_id == case_id, cases.c.citizen_id == citizen_id)
    row = connection.execute(chosen).first()
    return None if row is None else case_of(row)


# --- reminders ---


def due_reminders(connection: Connection, at: datetime, limit: int) -> list[UUID]:
    """Cases of visits whose reminder is due, longest due first; not locked."""
    due = or_(visits.c.remind_day_at <= at, visits.c.remind_hours_at <= at)
    first = func.least(visits.c.remind_day_at, visits.c.remind_hours_at)
    return list(connection.execute(select(visits.c.case_id).where(due).order_by(first).limit(limit)).scalars())


def lock_unless_held(connection: Connection, case_id: UUID) -> Case | None:
    """The case, locked; None while somebody else holds it: a replica that reminds of the same, or a command."""
    chosen = select(*CASE_COLUMNS).where(cases.c.case_id == case_id)
    row = connection.execute(chosen.with_for_update(skip_locked=True)).first()
    return None if row is None else case_of(row)


# --- rooms and slots ---


def all_rooms(connection: Connection) -> Sequence[Row[Any]]:
    """Rooms by name, closed ones last."""
    return connection.execute(select(rooms).order_by(rooms.c.active.desc(), rooms.c.name_fa)).all()


def room(connection: Connection, room_id: UUID, lock: bool = False) -> Row[Any] | None:
    """One room; locked, it is not closed meanwhile."""
    chosen = select(rooms).where(rooms.c.room_id == room_id)
    return connection.execute(chosen.with_for_update(read=True) if lock else chosen).first()


def add_room(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new room."""
    connection.execute(insert(rooms).values(row))


def close_room(connection: Connection, room_id: UUID) -> None:
    """No new slots in it."""
    connection.execute(update(rooms).where(rooms.c.room_id == room_id).values(active=False))


def add_slots(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New slots. Raises the database's ExclusionViolation when one overlaps."""
    connection.execute(insert(visit_slots), list(rows))


def close_slot(connection: Connection, slot_id: UUID) -> None:
    """Nobody takes a place in it any more; its time is free for another."""
    connection.execute(update(visit_slots).where(visit_slots.c.slot_id == slot_id).values(closed=True))


def list_slots(
    connection: Connection,
    scope: Scope | None,
    *,
    ids: Sequence[UUID] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    inspectors: Sequence[UUID] | None = None,
    after: str | None = None,
    limit: int = 500,
) -> Sequence[Row[Any]]:
    """Slots by their beginning, each with those cases that the scope knows (None: none). `inspectors`: their slots, and those
    of others in which a case that they handle has its visit."""
    line = func.json_build_object("case_id", cases.c.case_id, "number", cases.c.number, "state", visits.c.state)
    own_cases = (
        select(func.json_agg(aggregate_order_by(line, cases.c.number)))
        .select_from(visits.join(cases, cases.c.case_id == visits.c.case_id))
        .where(
            visits.c.slot_id == visit_slots.c.slot_id,
            visits.c.state.in_(sorted(TAKES_A_PLACE)),
            false() if scope is None else scope.condition(),
        )
        .scalar_subquery()
        .label("cases")
    )
    conditions: list[ColumnElement[bool]] = []
    if ids is not None:
        conditions.append(visit_slots.c.slot_id.in_(list(ids)))
    if since is not None:
        conditions.append(visit_slots.c.starts_at >= since)
    if until is not None:
        conditions.append(visit_slots.c.starts_at < until)
    if after is not None:
        conditions.append(tuple_(visit_slots.c.starts_at, visit_slots.c.slot_id) > cursors.decode(after))
    if inspectors is not None:
        handled = (
            exists()
            .where(visits.c.slot_id == visit_slots.c.slot_id, visits.c.state.in_(sorted(TAKES_A_PLACE)))
            .where(cases.c.case_id == visits.c.case_id, cases.c.handler.in_(inspectors))
        )
        conditions.append(or_(visit_slots.c.inspector.in_(inspectors), handled))
    named = name_of(visit_slots.c.inspector).label("inspector_name")
    chosen = _slots().add_columns(visit_slots.c.room_id, named, own_cases).where(true(), *conditions)
    return connection.execute(chosen.order_by(visit_slots.c.starts_at, visit_slots.c.slot_id).limit(limit)).all()


# --- what changes of a case need and do ---


def _load(connection: Connection, command: Any, about: FactsQuery) -> VisitFacts:
    return VisitFacts(open_visit(connection, about.case.case_id))


def _load_with_slots(connection: Connection, command: OfferSlots, about: FactsQuery) -> VisitFacts:
    visit = open_visit(connection, about.case.case_id)
    slots = tuple(slots_of(connection, command.slots))
    members = [about.staff(connection, inspector) for inspector in {slot.inspector for slot in slots}]
    return VisitFacts(visit, slots, any(member is None or member.conflicted for member in members))


def _load_to_book(lead: Lead) -> Callable[[Connection, Any, FactsQuery], VisitFacts]:
    def load(connection: Connection, command: BookVisit | MoveVisit, about: FactsQuery) -> VisitFacts:
        visit = open_visit(connection, about.case.case_id)
        slot = lock_slot(connection, command.slot_id)
        return VisitFacts(visit, (slot,) if slot is not None else (), lead=lead)

    return load


def facts_loaders(lead: Lead) -> dict[type[Contract], FactsLoader]:
    """By command; `lead`: of reminders."""
    of_visit: tuple[type[Contract], ...] = (AskVisit, CancelVisit, CallOffVisit, HoldVisit, MissVisit)
    return {
        **dict.fromkeys(of_visit, FactsLoader(_load)),
        OfferSlots: FactsLoader(_load_with_slots),
        **dict.fromkeys((BookVisit, MoveVisit), FactsLoader(_load_to_book(lead))),
    }


def _write_visit(effect: VisitSaved, recorded: Recorded) -> list[Write]:
    return saving(effect.visit)


EFFECT_WRITERS: EffectWriters = {VisitSaved: EffectWriter(_write_visit)}


def _end_visit(connection: Connection, change: Change, at: datetime) -> Change:
    """A change that ends a case, with what that does to the visit it had."""
    if not _ends(change):
        return change
    visit = open_visit(connection, change.case.case_id)
    end = rules.ended(change.case, visit, at) if visit is not None else None
    if end is None:
        return change
    return replace(change, entries=[*change.entries, *end.entries], effects=(*change.effects, *end.effects))


def _has_no_end(parts: ViewParts, change: Change) -> bool:
    return not _ends(change) or not any(VisitState(line["state"]) in OPEN for line in parts["visits"] or ())


def _ends(change: Change) -> bool:
    was_open = any(entry.previous_stage in OPEN_STAGES for entry in change.entries)
    return was_open and change.case.stage not in OPEN_STAGES


END_WITH_CASE = Amendment(_end_visit, _has_no_end)
"""The end of a case ends its visit."""
