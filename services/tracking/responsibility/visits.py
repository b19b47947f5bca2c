"""A booked visit goes with its case: whoever handles the case from now on holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from contracts.tracking import CaseAssigned, HandlerLeft
from services.tracking.case.lifecycle import Change
from services.tracking.case.record import Amendment, ViewParts
from services.tracking.responsibility import rules, store
from services.tracking.visits import store as visits_store
from services.tracking.visits.rules import BOOKED


def _follow(connection: Connection, change: Change, at: datetime) -> Change:
    """The slot becomes the new handler's, where nobody else has a visit in it and they are free; else the visit stays in it, and
    they are told all the same."""
    if not (_changes_handler(change) and change.case.previous_handlers):
        return change
    case = change.case
    visit = rules.to_another_handler(case, visits_store.open_visit(connection, case.case_id), at)
    if visit is None or visit.slot is None:
        return change
    if case.handler is not None:
        store.give_slot_of_one(connection, visit.slot.slot_id, case.handler)
    handed_over = rules.visit_handed_over(case, visit, case.handler)
    return replace(change, entries=[*change.entries, *handed_over.entries])


def _adds_nothing(parts: ViewParts, change: Change) -> bool:
    """None of its visits is booked with somebody who handled the case before."""
    if not _changes_handler(change):
        return True
    earlier = set(change.case.previous_handlers) - {change.case.handler}
    return not any(
        line["state"] in BOOKED and line["inspector"] and UUID(line["inspector"]) in earlier
        for line in parts["visits"] or []
    )


def _changes_handler(change: Change) -> bool:
    return any(entry.event in (CaseAssigned, HandlerLeft) for entry in change.entries)


FOLLOW_HANDLER = Amendment(_follow, _adds_nothing)
