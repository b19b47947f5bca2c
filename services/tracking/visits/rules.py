"""The rules of visits (DOMAIN: The life of a case) as pure functions: a case, its visit, a slot and the time → a Change.

A visit is asked for, booked, moved, and ends as held, missed or cancelled; or, when the case ends before a time was
chosen, as avoided. Nothing here reads a clock or a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from contracts import tracking, visits
from contracts.errors import (
    InvalidField,
    SlotOnHoliday,
    SlotPast,
    SlotTaken,
    UnknownSlot,
    VisitNotBegun,
    WrongStage,
    WrongVisitState,
)
from contracts.vocabulary import OPEN_STAGES, Stage
from services.tracking.case.lifecycle import Case, Change, Context, Effect, TimelineEntry
from services.tracking.case.transitions import (
    BY_CITIZEN,
    BY_INSPECTOR,
    CommandRule,
    Guard,
    Hindrance,
    staying_in,
)
from services.tracking.reference.workdays import ONE_DAY, TEHRAN, Workdays, day_of

BOOKED = frozenset({visits.VisitState.BOOKED, visits.VisitState.MOVED})
OPEN = frozenset({visits.VisitState.ASKED, *BOOKED})
TAKES_A_PLACE = frozenset({*BOOKED, visits.VisitState.HELD, visits.VisitState.NO_SHOW})
"""States in which a visit counts against its slot's capacity."""


@dataclass(frozen=True)
class Slot:
    """A time in a room with an inspector. `taken`: places of `capacity` that are gone."""

    slot_id: UUID
    inspector: UUID
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    closed: bool
    place_fa: str
    place_en: str


@dataclass(frozen=True)
class Visit:
    """`offered`: slots chosen for it; none: any of the case's inspector. `remind_…_at`: None when not, or done."""

    visit_id: UUID
    case_id: UUID
    state: visits.VisitState
    asked_at: datetime
    slot: Slot | None = None
    offered: tuple[UUID, ...] = ()
    remind_day_at: datetime | None = None
    remind_hours_at: datetime | None = None


@dataclass(frozen=True)
class Lead:
    """How long before a visit the citizen is reminded, and between which whole hours of Tehran (7 to 22)."""

    day: timedelta = timedelta(hours=24)
    hours: timedelta = timedelta(hours=2)
    wakes: int = 7
    sleeps: int = 22


@dataclass(frozen=True)
class VisitSaved(Effect):
    """The visit as it is now."""

    visit: Visit


@dataclass(frozen=True)
class VisitFacts:
    """The case's open visit; the slots that the command names, as far as there are such (the one that is booked is locked);
    `conflicted`: one of them belongs to an inspector who may not know of the case."""

    visit: Visit | None = None
    slots: tuple[Slot, ...] = ()
    conflicted: bool = False
    lead: Lead = Lead()

    @property
    def slot(self) -> Slot | None:
        return self.slots[0] if self.slots else None


# --- the citizen ---


def ask(case: Case, visit: Visit | None, at: datetime, new_id: UUID) -> Change:
    """The citizen wants to come. One visit at a time, while the case is open."""
    _open_case(case, "ask_visit")
    _none_yet(visit, at)
    return _saved(case, Visit(new_id, case.case_id, visits.VisitState.ASKED, at), "visit_asked", tracking.VisitAsked)


def book(case: Case, visit: Visit | None, slot: Slot | None, at: datetime, lead: Lead) -> Change:
    """Takes a place. `slot` is locked, so that `taken` is the truth. UnknownSlot, SlotPast, SlotTaken."""
    _open_case(case, "book_visit")
    held = _to_book(visit, at)
    return _saved(
        case, _placed(case, held, slot, visits.VisitState.BOOKED, at, lead), "visit_booked", tracking.VisitBooked
    )


def move(case: Case, visit: Visit | None, slot: Slot | None, at: datetime, lead: Lead) -> Change:
    """Takes another place instead, until the visit begins; the one before is free again."""
    _open_case(case, "move_visit")
    held = _to_move(visit, at)
    if slot is not None and held.slot is not None and slot.slot_id == held.slot.slot_id:
        raise InvalidField(fields=[{"field": "slot_id", "reason": "same_slot"}])
    return _saved(
        case, _placed(case, held, slot, visits.VisitState.MOVED, at, lead), "visit_moved", tracking.VisitMoved
    )


def cancel(case: Case, visit: Visit | None, at: datetime) -> Change:
    """The citizen does not come; until the visit begins."""
    held = _to_cancel(visit, at)
    return _saved(
        case, _quiet(held, visits.VisitState.CANCELLED), "visit_cancelled", tracking.VisitCancelled, by="citizen"
    )


def offers(case: Case, visit: Visit, slot: Slot) -> bool:
    """Whether this slot is for this visit: one chosen for it or, where none was, any of the case's inspector."""
    return slot.slot_id in visit.offered if visit.offered else slot.inspector == case.handler


# --- staff ---


def offer(case: Case, visit: Visit | None, slots: Sequence[Slot], at: datetime) -> Change:
    """Chooses the slots that the citizen may take. UnknownSlot, SlotPast."""
    _open_case(case, "offer_slots")
    held = _to_offer(visit, at)
    for slot in slots:
        if slot.closed:
            raise UnknownSlot
        if slot.starts_at <= at:
            raise SlotPast
        if case.stage is Stage.REVIEW and slot.inspector in case.excluded_staff:
            raise InvalidField(fields=[{"field": "slots", "reason": "decided_it_before"}])
    chosen = replace(held, offered=tuple(dict.fromkeys(slot.slot_id for slot in slots)))
    return _saved(
        case, chosen, "visit_offered", tracking.VisitOffered, slots=[str(slot_id) for slot_id in chosen.offered]
    )


def call_off(case: Case, visit: Visit | None, at: datetime, because: Literal["holiday"] | None = None) -> Change:
    """The office cannot hold it: another time is to be chosen. `because`: not by a command, but for its day."""
    held = _to_call_off(visit, at)
    again = replace(_quiet(held, visits.VisitState.ASKED), offered=())
    fields: dict[str, Any] = {"by": "office"}
    if because is not None:
        fields |= {"because": because, "inspector": held.slot.inspector if held.slot is not None else None}
    details = {name: str(value) for name, value in fields.items() if value is not None}
    entry = entry_of(case, held, "visit_cancelled", tracking.VisitCancelled, details, fields)
    return Change(case, [entry], (VisitSaved(replace(again, slot=None)),))


def hold(case: Case, visit: Visit | None, minutes: str, at: datetime) -> Change:
    """It took place. Whatever has become of the case meanwhile."""
    held = _to_hold(visit, at)
    # Not among the entries whose text the citizen reads (lifecycle.TEXTS_SHOWN).
    return _saved(case, _quiet(held, visits.VisitState.HELD), "visit_held", tracking.VisitHeld, text=minutes)


def miss(case: Case, visit: Visit | None, at: datetime) -> Change:
    """The citizen did not come."""
    return _saved(
        case,
        _quiet(_to_miss(visit, at), visits.VisitState.NO_SHOW),
        "visit_missed",
        tracking.VisitMissed,
    )


# --- nobody's command ---


def ended(case: Case, visit: Visit, at: datetime) -> Change | None:
    """What the end of a case does to its visit. One that has begun goes on: its end is still to be recorded. A wish of a case
    that was merged is not over with it: whoever handles the other case reads it."""
    if visit.state is visits.VisitState.ASKED:
        if case.stage is Stage.MERGED:
            return None
        return _saved(case, _quiet(visit, visits.VisitState.AVOIDED), "visit_avoided", tracking.VisitAvoided)
    if visit.slot is None or visit.slot.starts_at <= at:
        return None
    return _saved(
        case, _quiet(visit, visits.VisitState.CANCELLED), "visit_cancelled", tracking.VisitCancelled, by="ended"
    )


def remind(case: Case, visit: Visit, at: datetime) -> Change | None:
    """The reminder that is due, if one is. Both at once are one: the nearer includes what the other would say."""
    if visit.state not in BOOKED or visit.slot is None:
        return None
    hours = visit.remind_hours_at is not None and visit.remind_hours_at <= at
    day = visit.remind_day_at is not None and visit.remind_day_at <= at
    if not (hours or day):
        return None
    after = replace(visit, remind_day_at=None, remind_hours_at=None if hours else visit.remind_hours_at)
    if visit.slot.starts_at <= at:
        return Change(case, effects=(VisitSaved(after),))  # too late to remind
    before = "hours" if hours else "day"
    return _saved(case, after, "visit_reminded", tracking.VisitReminded, before=before)


def reminders(starts_at: datetime, at: datetime, lead: Lead) -> tuple[datetime | None, datetime | None]:
    """When to remind of a visit that is booked `at`: (the day before, hours before), each at a waking hour, or None where
    that moment is over: the citizen has just chosen the time."""
    day = _waking(starts_at - lead.day, lead)
    hours = _waking(starts_at - lead.hours, lead)
    soon = hours if at < hours < starts_at else None
    return (day if at < day < (soon or starts_at) else None), soon


def _waking(moment: datetime, lead: Lead) -> datetime:
    """`moment` or, in the night, the waking hour nearest to it: the evening before, or for early hours the morning."""
    local = moment.astimezone(TEHRAN)
    if lead.wakes <= local.hour < lead.sleeps:
        return moment
    if local.hour < lead.wakes:
        return datetime.combine(local.date(), time(lead.wakes), TEHRAN).astimezone(moment.tzinfo)
    evening = datetime.combine(local.date(), time(lead.sleeps), TEHRAN) - timedelta(minutes=1)
    return evening.astimezone(moment.tzinfo)


# --- slots ---


def week(
    first_day: date, hours: tuple[time, time], minutes: int, workdays: Workdays
) -> Iterator[tuple[datetime, datetime]]:
    """(start, end) of one slot after another, from the first hour to the last, on each working day of seven."""
    for day in (first_day + ONE_DAY * step for step in range(7)):
        if not workdays.works(day):
            continue
        start, close = (datetime.combine(day, hour, TEHRAN) for hour in hours)
        while start + timedelta(minutes=minutes) <= close:
            yield start, start + timedelta(minutes=minutes)
            start += timedelta(minutes=minutes)


# --- which visit a command is about; its errors are what is in the way whatever slot is named ---


def _none_yet(visit: Visit | None, at: datetime) -> None:
    if visit is not None:
        raise WrongVisitState(state=visit.state, command="ask_visit")


def _to_book(visit: Visit | None, at: datetime) -> Visit:
    return _in_state(visit, frozenset({visits.VisitState.ASKED}), "book_visit")


def _to_move(visit: Visit | None, at: datetime) -> Visit:
    return _not_begun(_in_state(visit, BOOKED, "move_visit"), at)


def _to_cancel(visit: Visit | None, at: datetime) -> Visit:
    return _not_begun(_in_state(visit, OPEN, "cancel_visit"), at)


def _to_offer(visit: Visit | None, at: datetime) -> Visit:
    return _in_state(visit, OPEN, "offer_slots")


def _to_call_off(visit: Visit | None, at: datetime) -> Visit:
    return _not_begun(_in_state(visit, BOOKED, "call_off_visit"), at)


def _to_hold(visit: Visit | None, at: datetime) -> Visit:
    return _begun(_in_state(visit, BOOKED, "hold_visit"), at)


def _to_miss(visit: Visit | None, at: datetime) -> Visit:
    return _begun(_in_state(visit, BOOKED, "miss_visit"), at)


def _guarded_by(judge: Callable[[Visit | None, datetime], object]) -> Guard:
    """The guard of a command that is about the visit which `judge` finds."""

    def guard(case: Case, context: Context) -> Hindrance | None:
        visit = context.loaded(VisitFacts).visit
        try:
            judge(visit, context.now)
        except WrongVisitState as error:
            return Hindrance("not_yet", "no_visit" if visit is None else "wrong_visit_state", error)
        except SlotPast as error:
            return Hindrance("too_late", "visit_begun", error)
        except VisitNotBegun as error:
            return Hindrance("not_yet", "visit_not_begun", error)
        return None

    return guard


# --- parts ---


def _open_case(case: Case, command: str) -> None:
    if case.stage not in OPEN_STAGES:
        raise WrongStage(stage=case.stage, command=command)


def _in_state(visit: Visit | None, states: frozenset[visits.VisitState], command: str) -> Visit:
    if visit is None or visit.state not in states:
        raise WrongVisitState(state=visit.state if visit else None, command=command)
    return visit


def _not_begun(visit: Visit, at: datetime) -> Visit:
    if visit.slot is not None and visit.slot.starts_at <= at:
        raise SlotPast
    return visit


def _begun(visit: Visit, at: datetime) -> Visit:
    if visit.slot is not None and at < visit.slot.starts_at:
        raise VisitNotBegun
    return visit


def _placed(case: Case, visit: Visit, slot: Slot | None, state: visits.VisitState, at: datetime, lead: Lead) -> Visit:
    if slot is None or slot.closed or not offers(case, visit, slot):
        raise UnknownSlot
    if slot.starts_at <= at:
        raise SlotPast
    if slot.taken >= slot.capacity:
        raise SlotTaken
    day, hours = reminders(slot.starts_at, at, lead)
    return replace(visit, state=state, slot=slot, remind_day_at=day, remind_hours_at=hours)


def _quiet(visit: Visit, state: visits.VisitState) -> Visit:
    return replace(visit, state=state, remind_day_at=None, remind_hours_at=None)


def _saved(case: Case, visit: Visit, entry: str, event: type[tracking.VisitEvent], **more: Any) -> Change:
    fields = {name: value for name, value in more.items() if name in event.model_fields}
    return Change(case, [entry_of(case, visit, entry, event, more, fields)], (VisitSaved(visit),))


def entry_of(
    case: Case,
    visit: Visit,
    entry: str,
    event: type[tracking.VisitEvent],
    details: Mapping[str, Any],
    fields: Mapping[str, Any],
) -> TimelineEntry:
    """An entry about the visit, with its time and place. `details` go to the timeline, `fields` to the event."""
    about: dict[str, Any] = {"visit_id": visit.visit_id}
    if visit.slot is not None:
        about |= {name: getattr(visit.slot, name) for name in ("slot_id", "starts_at", "place_fa", "place_en")}
    plain = {name: value.isoformat() if isinstance(value, datetime) else str(value) for name, value in about.items()}
    return TimelineEntry(entry, case, event, {**plain, **details}, {**about, **fields})


# --- commands ---


def _ask_visit(case: Case, command: visits.AskVisit, context: Context) -> Change:
    return ask(case, context.loaded(VisitFacts).visit, context.now, context.new_id)


def _book_visit(case: Case, command: visits.BookVisit, context: Context) -> Change:
    facts = context.loaded(VisitFacts)
    booked = book(case, facts.visit, facts.slot, context.now, facts.lead)
    _not_on_holidays(facts, context.workdays)
    return booked


def _move_visit(case: Case, command: visits.MoveVisit, context: Context) -> Change:
    facts = context.loaded(VisitFacts)
    moved = move(case, facts.visit, facts.slot, context.now, facts.lead)
    _not_on_holidays(facts, context.workdays)
    return moved


def _not_on_holidays(facts: VisitFacts, workdays: Workdays) -> None:
    """SlotOnHoliday; a slot on another day off was made for that day."""
    if any(day_of(slot.starts_at) in workdays.holidays for slot in facts.slots):
        raise SlotOnHoliday


def _cancel_visit(case: Case, command: visits.CancelVisit, context: Context) -> Change:
    return cancel(case, context.loaded(VisitFacts).visit, context.now)


def _offer_slots(case: Case, command: visits.OfferSlots, context: Context) -> Change:
    facts = context.loaded(VisitFacts)
    if len(facts.slots) != len(set(command.slots)):
        raise UnknownSlot
    if facts.conflicted:
        raise InvalidField(fields=[{"field": "slots", "reason": "conflict_of_interest"}])
    _not_on_holidays(facts, context.workdays)
    return offer(case, facts.visit, facts.slots, context.now)


def _call_off_visit(case: Case, command: visits.CallOffVisit, context: Context) -> Change:
    return call_off(case, context.loaded(VisitFacts).visit, context.now)


def _hold_visit(case: Case, command: visits.HoldVisit, context: Context) -> Change:
    return hold(case, context.loaded(VisitFacts).visit, command.minutes, context.now)


def _miss_visit(case: Case, command: visits.MissVisit, context: Context) -> Change:
    return miss(case, context.loaded(VisitFacts).visit, context.now)


_WHILE_OPEN = staying_in(*OPEN_STAGES)
_WHENEVER = staying_in(*Stage)
COMMANDS = (
    CommandRule(visits.AskVisit, _WHILE_OPEN, BY_CITIZEN, _ask_visit, guard=_guarded_by(_none_yet)),
    CommandRule(visits.BookVisit, _WHILE_OPEN, BY_CITIZEN, _book_visit, guard=_guarded_by(_to_book)),
    CommandRule(visits.MoveVisit, _WHILE_OPEN, BY_CITIZEN, _move_visit, guard=_guarded_by(_to_move)),
    CommandRule(visits.CancelVisit, _WHENEVER, BY_CITIZEN, _cancel_visit, guard=_guarded_by(_to_cancel)),
    CommandRule(visits.OfferSlots, _WHILE_OPEN, BY_INSPECTOR, _offer_slots, guard=_guarded_by(_to_offer)),
    CommandRule(visits.CallOffVisit, _WHENEVER, BY_INSPECTOR, _call_off_visit, guard=_guarded_by(_to_call_off)),
    CommandRule(visits.HoldVisit, _WHENEVER, BY_INSPECTOR, _hold_visit, guard=_guarded_by(_to_hold)),
    CommandRule(visits.MissVisit, _WHENEVER, BY_INSPECTOR, _miss_visit, guard=_guarded_by(_to_miss)),
)
