"""What people do about a case's visit: citizens ask, book, move and cancel, staff offer and tell how it ended; and the
reminders, each said once whatever is killed. Rooms and slots are kept in visits_desk.py.

Locks are taken in one order, the case before the slot, so two never wait in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from backbone.process import logs
from backbone.storage.database import Database, is_outage
from contracts.errors import InvalidField, UnknownSlot
from contracts.gateway import Actor
from contracts.visits import (
    AskVisit,
    BookVisit,
    CallOffVisit,
    CancelVisit,
    HoldVisit,
    OfferedSlot,
    OfferedSlots,
    OfferSlots,
    StaffVisitCommand,
    VisitCommand,
)
from contracts.vocabulary import OPEN_STAGES, ActorKind
from services.tracking.case.lifecycle import Case, Change, Context, StaffFacts
from services.tracking.visits import rules as visits_domain
from services.tracking.visits import store as visits_store
from services.tracking.visits.rules import Lead, Slot

log = logs.get("visits")

MOST = 50
"""Reminders looked for at once."""
BY_CALENDAR = Actor(kind=ActorKind.SYSTEM, id="scheduler")

Candidate = Callable[[UUID], StaffFacts | None]


def act_as_citizen(connection: Connection, case: Case, command: VisitCommand, context: Context, lead: Lead) -> Change:
    """A command of the one who filed this locked case. WrongStage, WrongVisitState, UnknownSlot, SlotPast, SlotTaken."""
    visit, at = visits_store.open_visit(connection, case.case_id), context.now
    if isinstance(command, AskVisit):
        done = visits_domain.ask(case, visit, at, context.new_id)
    elif isinstance(command, CancelVisit):
        done = visits_domain.cancel(case, visit, at)
    else:
        slot = visits_store.lock_slot(connection, command.slot_id)
        take = visits_domain.book if isinstance(command, BookVisit) else visits_domain.move
        done = take(case, visit, slot, at, lead)
    visits_store.save(connection, done.visit)
    return done.change


def act(
    connection: Connection, case: Case, command: StaffVisitCommand, context: Context, candidate: Candidate
) -> Change:
    """A command of staff. NotAllowed, WrongStage, WrongVisitState, UnknownSlot, SlotPast, VisitNotBegun."""
    visits_domain.authorise(case, context.actor)
    visit, at = visits_store.open_visit(connection, case.case_id), context.now
    if isinstance(command, OfferSlots):
        done = visits_domain.offer(case, visit, _meant(connection, command.slots, candidate), at)
    elif isinstance(command, CallOffVisit):
        done = visits_domain.call_off(case, visit, at)
    elif isinstance(command, HoldVisit):
        done = visits_domain.hold(case, visit, command.minutes, at)
    else:
        done = visits_domain.miss(case, visit, at)
    visits_store.save(connection, done.visit)
    return done.change


def _meant(connection: Connection, ids: Sequence[UUID], candidate: Candidate) -> list[Slot]:
    """These slots, all of them; whoever holds one may hear the case."""
    slots = visits_store.slots_of(connection, ids)
    if len(slots) != len(set(ids)):
        raise UnknownSlot
    for inspector in {slot.inspector for slot in slots}:
        facts = candidate(inspector)
        if facts is None or facts.conflicted:
            raise InvalidField(fields=[{"field": "command.slots", "reason": "conflict_of_interest"}])
    return slots


def with_end_of_visit(connection: Connection, change: Change, at: datetime) -> Change:
    """A change that ends a case, with what that does to the visit it had."""
    if change.case.stage in OPEN_STAGES or not any(step.previous_stage in OPEN_STAGES for step in change.entries):
        return change
    visit = visits_store.open_visit(connection, change.case.case_id)
    end = visits_domain.ended(change.case, visit, at) if visit is not None else None
    if end is None:
        return change
    visits_store.save(connection, end[0])
    return replace(change, entries=[*change.entries, end[1]])


def offered(connection: Connection, case: Case, at: datetime) -> OfferedSlots:
    """The times that the citizen of this case may take now."""
    visit = visits_store.open_visit(connection, case.case_id)
    if visit is None or case.stage not in OPEN_STAGES:
        return OfferedSlots(items=[])
    return OfferedSlots(
        items=[
            OfferedSlot(
                slot_id=slot.slot_id,
                starts_at=slot.starts_at,
                ends_at=slot.ends_at,
                place_fa=slot.place_fa,
                place_en=slot.place_en,
                free=slot.capacity - slot.taken,
            )
            for slot in visits_store.free_slots(connection, case, visit, at)
        ]
    )


# --- reminders ---

Record = Callable[[Connection, Change, Actor, datetime], Any]


def remind_due(database: Database, at: datetime, record: Record) -> int:
    """Says the reminders that are due, one transaction each: who holds the case says it, and with the event in the outbox
    it is noted as said. Whatever is killed before the commit said nothing; how many were said."""
    with database.read() as connection:
        due = visits_store.due_reminders(connection, at, MOST)
    said = 0
    for case_id in due:
        try:
            said += _remind(database, case_id, at, record)
        except Exception as error:
            if isinstance(error, DBAPIError) and is_outage(error):
                raise
            log.exception("a reminder could not be said", case_id=str(case_id))  # and the others are
    return said


def _remind(database: Database, case_id: UUID, at: datetime, record: Record) -> bool:
    with database.transaction() as connection:
        case = visits_store.lock_unless_held(connection, case_id)
        visit = visits_store.open_visit(connection, case_id) if case is not None else None
        done = visits_domain.remind(case, visit, at) if case is not None and visit is not None else None
        if done is None:
            return False
        visits_store.save(connection, done.visit)
        if done.change.entries:
            record(connection, done.change, BY_CALENDAR, at)
        return True
