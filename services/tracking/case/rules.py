"""What holds for every case: how it begins, who may give a command, notes of the office, closing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from contracts.tracking import CaseStageChanged, Close, NoteAdded
from contracts.vocabulary import Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import Case, Change, Context
from services.tracking.case.transitions import (
    BY_HEAD,
    CommandRule,
    Hindrance,
    change_of,
    moved,
    not_at_this_stage,
)
from services.tracking.case.workers import workers
from services.tracking.reference.workdays import Deadlines, Workdays, day_of


def opened(case: Case, workdays: Workdays, days: Deadlines) -> Case:
    """A case at its beginning, its clock set from the day of filing."""
    begun = deadlines.with_clock_started(replace(case, stage=Stage.REGISTERED), day_of(case.filed_at), (workdays, days))
    begun = replace(begun, first_due_on=deadlines.first_due(case, workdays, days))
    next_check_on = min(alarm.day for alarm in deadlines.alarms(begun, workdays, days))
    return replace(begun, next_check_on=next_check_on, mark_on=deadlines.mark_of(begun, workdays))


def may_object(case: Case, today: date) -> bool:
    """Whether the time to object to the decision is not over."""
    return not case.final and case.objection_until is not None and today <= case.objection_until


def may_rate(case: Case, today: date) -> bool:
    """Whether the citizen may rate how it was handled: once decided, and for a while after the closing."""
    if case.stage is Stage.DECIDED:
        return True
    return case.outcome is not None and case.rate_until is not None and today <= case.rate_until


def without_handler(case: Case) -> Case:
    """Taken from whoever handles it, who is remembered."""
    if case.handler is None:
        return case
    earlier = tuple(staff_id for staff_id in case.previous_handlers if staff_id != case.handler)
    return replace(case, handler=None, previous_handlers=(*earlier, case.handler))


def note(case: Case, details: Mapping[str, Any]) -> Change:
    """An entry of the office's own timeline that changes nothing."""
    return change_of(case, case, "noted", NoteAdded, details=details)


def _may_close(case: Case, context: Context) -> Hindrance | None:
    if case.stage is Stage.DECIDED and may_object(case, context.today):  # closing would take that right away
        return not_at_this_stage(case, Close, "not_yet", "may_be_objected_to")
    return None


def _close(case: Case, command: Close, context: Context) -> Change:
    after = deadlines.closed(moved(case, context), context)
    return change_of(case, after, "closed", CaseStageChanged, fields={"workers": workers(case, context)})


COMMANDS = (
    CommandRule(Close, {Stage.DECIDED: Stage.CLOSED, Stage.REFUSED: Stage.CLOSED}, BY_HEAD, _close, guard=_may_close),
)
