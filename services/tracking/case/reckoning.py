"""The clock of a case whose kind, ground or urgency is set right while it runs (docs/explanation/the-way-back.md). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from services.tracking.case import deadlines
from services.tracking.case.lifecycle import Case, Context
from services.tracking.case.transitions import days_of
from services.tracking.reference.workdays import Workdays, day_of


def with_days_anew(case: Case, context: Context) -> Case:
    """The same start and the same pauses, with the days that the case has as it is now.

    An urgent case is owed from the moment it is marked. Any other is owed as if it had been so from its start; where that day is
    over already, on the next working day: a correction makes nobody late at once. Nothing that is over by then is warned of."""
    start, work = case.due_from or day_of(case.filed_at), context.workdays
    days, spent = days_of(case, "decision", context), _spent(case, start, context.today, work)
    if case.urgent:
        days += spent
    elif deadlines.due_date(work, start, days, _pauses_until(case, context.today)) < context.today:
        days = spent + 1
    due = deadlines.due_date(work, start, days, case.pauses)
    raised = deadlines.alarms_without(case, "decision")
    after = replace(case, due_from=start, due_days=days, due_on=due, alarms_raised=raised)
    return replace(after, alarms_raised=(*raised, *_over(after, context)))


def _pauses_until(case: Case, today: date) -> tuple[Sequence[str], ...]:
    """Its pauses, with the one that goes on."""
    going_on = ((case.paused_on.isoformat(), today.isoformat()),) if case.paused_on is not None else ()
    return (*case.pauses, *going_on)


def _spent(case: Case, start: date, today: date, workdays: Workdays) -> int:
    """The working days that the clock has run."""
    until = case.paused_on or today
    return workdays.between(start, until) - deadlines.paused_workdays(workdays, case.pauses)


def _over(case: Case, context: Context) -> Iterator[str]:
    """Marks of the decision's alarms whose day is over before anybody could have been warned."""
    for alarm in deadlines.alarms(case, context.workdays, context.deadlines):
        if alarm.step == "decision" and alarm.day <= context.today:
            yield alarm.mark
