"""Somebody is always responsible (DOMAIN: The people): what becomes of an open case, of a visit and of a question to a unit when
whoever had it may not have it any more. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from contracts.tracking import CaseAssigned, HandlerLeft, UnitWithoutLiaison, VisitHandedOver
from contracts.vocabulary import Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import Case, Change, Context, Effect, StaffFacts, TimelineEntry, Unfit
from services.tracking.case.rules import without_handler
from services.tracking.case.transitions import change_of
from services.tracking.visits import rules as visits
from services.tracking.visits.rules import BOOKED, Visit


@dataclass(frozen=True)
class RemindersHandedOver(Effect):
    """What somebody wanted to be reminded of in this case, another one is."""

    leaver: UUID
    successor: UUID


@dataclass(frozen=True)
class MissingLiaisonReported(Effect):
    """It was reported that nobody answers this question."""

    question_id: UUID


def may_take(case: Case, successor: StaffFacts | None) -> bool:
    """Whether this member of staff may be made handler of the case."""
    if successor is None or not (successor.active and successor.inspector) or successor.conflicted:
        return False
    return not (case.stage is Stage.REVIEW and successor.staff_id in case.excluded_staff)


def handed_over(case: Case, because: Unfit, successor: StaffFacts | None, context: Context) -> Change:
    """The open case goes to the successor, where there is one who may have it, else to the head, who is notified."""
    leaver = case.handler
    assert leaver is not None
    details = {"because": because, "before": str(leaver)}
    free = without_handler(case)
    if successor is None or not may_take(case, successor):
        # Whoever is in a conflict of interest leaves no proposal; another one's can be approved or returned.
        proposal = None if because == "conflict" else case.proposal
        after = replace(free, proposal=proposal)
        fields = {"because": because}
        return deadlines.with_next_check(
            change_of(case, after, "handler_left", HandlerLeft, details=details, fields=fields), context
        )
    after = replace(free, handler=successor.staff_id, proposal=None)
    details |= {"inspector": str(successor.staff_id)}
    reminders = RemindersHandedOver(leaver, successor.staff_id)
    change = change_of(case, after, "handed_over", CaseAssigned, reminders, details=details)
    return deadlines.with_next_check(change, context)


def to_another_handler(case: Case, visit: Visit | None, at: datetime) -> Visit | None:
    """The visit that somebody else is to hold now that the case has another handler, or none: one that has not begun, in the
    slot of somebody who handled the case before."""
    if visit is None or visit.state not in BOOKED or visit.slot is None or visit.slot.starts_at <= at:
        return None
    slot = visit.slot
    return visit if slot.inspector in case.previous_handlers and slot.inspector != case.handler else None


def visit_handed_over(case: Case, visit: Visit, inspector: UUID | None) -> Change:
    """Another inspector holds it; None: the head sees to it."""
    details = {"inspector": str(inspector)} if inspector is not None else {}
    entry = visits.entry_of(case, visit, "visit_handed_over", VisitHandedOver, details, {"inspector": inspector})
    return Change(case, [entry])


def slot_successor(successors: Sequence[StaffFacts | None]) -> UUID | None:
    """Who takes over a slot of somebody who left: who was named, as to each case with a visit there; None when they may not."""
    for successor in successors:
        if successor is None or not (successor.active and successor.inspector) or successor.conflicted:
            return None
    return successors[0].staff_id if successors and successors[0] is not None else None


def liaison_missing(case: Case, question_id: UUID, unit: str) -> Change:
    """Nobody is left who answers the open question for its unit."""
    fields = {"question_id": question_id, "unit_asked": unit}
    details = {"question_id": str(question_id), "unit": unit}
    entry = TimelineEntry("liaison_missing", case, UnitWithoutLiaison, details, fields)
    return Change(case, [entry], (MissingLiaisonReported(question_id),))
