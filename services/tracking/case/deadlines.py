"""What the calendar asks of a case: when a decision is owed, who is warned, where it is escalated, when it is closed
(DOMAIN: The life of a case). Pure; days are Tehran's and count from their beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil
from typing import Any

from contracts.tracking import CaseEscalated, CaseRescheduled, CaseStageChanged, DeadlineWarned, TrackedEvent
from contracts.vocabulary import OPEN_STAGES, Kind, Stage
from services.tracking.case import unanswered
from services.tracking.case.lifecycle import ASKED, Case, Change, Context, TimelineEntry
from services.tracking.case.workers import workers
from services.tracking.reference.workdays import ONE_DAY, Deadlines, Workdays, day_of

WARNED_AT = 0.8
"""The share of its time after which the handler is warned."""

ENDING = frozenset({Stage.DECIDED, Stage.REFUSED})
"""Stages that end by themselves."""


def due_date(workdays: Workdays, start: date, days: int, pauses: Sequence[Sequence[str]]) -> date:
    """The `days`-th working day after `start`, not counting those on which the clock was paused."""
    return workdays.after(start, days + paused_workdays(workdays, pauses))


def paused_workdays(workdays: Workdays, pauses: Sequence[Sequence[str]]) -> int:
    """The working days of pauses, each after its first day and with its last."""
    return sum(workdays.between(date.fromisoformat(first), date.fromisoformat(last)) for first, last in pauses)


def with_clock_started(case: Case, since: date, context_of: tuple[Workdays, Deadlines]) -> Case:
    """The clock set anew from `since`: no alarm of it was raised, and it was never paused."""
    workdays, deadlines = context_of
    days = deadlines.days("decision", case.kind, case.ground, case.urgent)
    return replace(
        case,
        due_from=since,
        due_days=days,
        pauses=(),
        due_on=workdays.after(since, days),
        alarms_raised=alarms_without(case, "decision"),
    )


def alarms_without(case: Case, step: str) -> tuple[str, ...]:
    """The alarms raised, without those of this step."""
    return tuple(mark for mark in case.alarms_raised if not mark.startswith(f"{step}:"))


def first_due(case: Case, workdays: Workdays, deadlines: Deadlines) -> date:
    """The last day for a first human reading."""
    days = deadlines.days("first_reading", case.kind, case.ground, case.urgent)
    return workdays.after(day_of(case.filed_at), days)


@dataclass(frozen=True)
class Alarm:
    """Something to raise or do once `day` has come: a warning, an escalation to `level`, or (step close) an end."""

    day: date
    step: str
    level: str
    due_on: date
    unit: str | None = None

    @property
    def mark(self) -> str:
        return f"{self.step}:{self.level}"


def alarms(case: Case, workdays: Workdays, deadlines: Deadlines) -> list[Alarm]:
    """What has not been raised yet, the earliest first."""
    waiting = [alarm for alarm in _alarms(case, workdays, deadlines) if alarm.mark not in case.alarms_raised]
    return sorted(waiting, key=lambda alarm: alarm.day)


def _alarms(case: Case, workdays: Workdays, deadlines: Deadlines) -> Iterator[Alarm]:
    if case.stage in ENDING:
        yield from _ending(case, workdays, deadlines)
    if case.stage is Stage.REGISTERED and case.first_due_on is not None:
        start = day_of(case.filed_at)
        yield Alarm(_warning(workdays, start, case.first_due_on), "first_reading", "warning", case.first_due_on)
        yield Alarm(case.first_due_on + ONE_DAY, "first_reading", "head", case.first_due_on)
    if case.stage in ASKED and case.pending_question is not None:
        yield from _question_alarms(case, case.pending_question, (workdays, deadlines))
    if case.stage in OPEN_STAGES and case.paused_on is None and case.due_on is not None:
        due, mark = case.due_on, mark_of(case, workdays)
        if mark is not None:
            yield Alarm(mark, "decision", "warning", due)
        yield Alarm(due + ONE_DAY, "decision", "head", due)
        yield Alarm(workdays.after(due, deadlines.mayor) + ONE_DAY, "decision", "mayor", due)


def mark_of(case: Case, workdays: Workdays) -> date | None:
    """The day on which 80 % of the time for the decision is over; None while nothing is owed, and where it is not known from when
    it is."""
    if case.expected_on is None or case.due_from is None or case.due_days is None:
        return None
    return workdays.after(case.due_from, ceil(case.due_days * WARNED_AT) + paused_workdays(workdays, case.pauses))


def _warning(workdays: Workdays, start: date, due: date) -> date:
    return workdays.after(start, ceil(workdays.between(start, due) * WARNED_AT))


def _question_alarms(
    case: Case, pending_question: Mapping[str, Any], context_of: tuple[Workdays, Deadlines]
) -> Iterator[Alarm]:
    workdays, _ = context_of
    start, due, unit = (
        date.fromisoformat(pending_question["on"]),
        date.fromisoformat(pending_question["due_on"]),
        pending_question["unit"],
    )
    if unit is None:
        last = unanswered.last_day(case, *context_of)
        yield Alarm(unanswered.reminder_day(case, *context_of), "citizen", "reminder", last)
        yield Alarm(due + ONE_DAY, "citizen", "warning", due)
        yield Alarm(last + ONE_DAY, "citizen", "close", last)
        return
    yield Alarm(_warning(workdays, start, due), "unit", "warning", due, unit)
    yield Alarm(due + ONE_DAY, "unit", "head", due, unit)


def _ending(case: Case, workdays: Workdays, deadlines: Deadlines) -> Iterator[Alarm]:
    last: date | None = None
    if case.stage is Stage.REFUSED:
        last = workdays.after(case.refused_on, deadlines.closing(case.filed_at)) if case.refused_on else None
    elif not case.final:
        silent = workdays.after(day_of(case.decided_at), deadlines.closing(case.filed_at)) if case.decided_at else None
        last = case.objection_until and max(case.objection_until, silent or case.objection_until)
    elif case.decided_at is not None:
        last = workdays.after(day_of(case.decided_at), deadlines.closing(case.filed_at))
    if last is not None:
        yield Alarm(last + ONE_DAY, "close", "close", last)


def with_next_check(change: Change, context: Context) -> Change:
    """The change with the day on which the scheduler checks the case again, and its 80 % mark."""
    # A change of a process that does not know the newest calendar yet is reckoned again.
    case = replace(change.case, calendar=min(change.case.calendar, context.calendar))
    waiting = alarms(case, context.workdays, context.deadlines)
    next_check_on, mark_on = waiting[0].day if waiting else None, mark_of(case, context.workdays)
    return replace(change, case=replace(case, next_check_on=next_check_on, mark_on=mark_on))


def raise_due_alarms(case: Case, context: Context) -> Change:
    """What the day has brought: warnings, escalations, the closing; each raised once. No entry when there is nothing."""
    entries: list[TimelineEntry] = []
    while True:
        due = [alarm for alarm in alarms(case, context.workdays, context.deadlines) if alarm.day <= context.today]
        if not due:
            return with_next_check(Change(case, entries), context)
        entry = _raised(replace(case, alarms_raised=(*case.alarms_raised, due[0].mark)), due[0], context)
        entries.append(entry)
        case = entry.case


def _raised(case: Case, alarm: Alarm, context: Context) -> TimelineEntry:
    if alarm.step == "close":
        return TimelineEntry(
            "closed", closed(case, context), CaseStageChanged, {}, {"workers": workers(case, context)}, case.stage
        )
    if (alarm.step, alarm.level) == ("citizen", "reminder"):
        return unanswered.reminded(case, alarm.due_on)
    if (alarm.step, alarm.level) == ("citizen", "close"):
        return unanswered.closed(case, context)
    fields: dict[str, Any] = {"step": alarm.step, "due_on": alarm.due_on, "unit_asked": alarm.unit}
    event: type[TrackedEvent] = DeadlineWarned
    if alarm.level != "warning":
        event = CaseEscalated
        fields |= {"level": alarm.level, "to_unit": context.mayor_unit if alarm.level == "mayor" else None}
    details = {name: str(value) for name, value in fields.items() if value is not None}
    return TimelineEntry("deadline_warned" if event is DeadlineWarned else "escalated", case, event, details, fields)


def closed(case: Case, context: Context) -> Case:
    """The case at its end; its decision may be rated for a while."""
    rate_until = context.today + timedelta(days=context.deadlines.rating) if case.outcome is not None else None
    return replace(case, stage=Stage.CLOSED, rate_until=rate_until)


def rescheduled(case: Case, context: Context) -> Change:
    """The case under a calendar that has changed, or rules that hold for open cases as well: every day that is still to come is
    reckoned anew. The time to object, which was promised in writing, is never made shorter; a question keeps its days."""
    work = context.workdays
    after = replace(case, calendar=context.calendar)
    if case.due_on is not None and case.stage in OPEN_STAGES:
        since = case.due_from or day_of(case.filed_at)
        days = work.between(since, case.due_on) if case.due_days is None else case.due_days
        if case.calendar < context.open_rules:
            days = changed_days(context.deadlines, case.kind, case.ground, case.urgent, days)
        after = replace(after, due_from=since, due_days=days, due_on=due_date(work, since, days, case.pauses))
        if case.due_days is not None and days > case.due_days:  # there is time again: what was raised is raised anew
            after = replace(after, alarms_raised=alarms_without(case, "decision"))
    if case.stage is Stage.REGISTERED:
        after = replace(after, first_due_on=first_due(case, work, context.deadlines))
    if case.pending_question is not None and case.stage in ASKED:
        due = work.after(date.fromisoformat(case.pending_question["on"]), case.pending_question["days"])
        after = replace(after, pending_question={**case.pending_question, "due_on": due.isoformat()})
    if case.stage is Stage.DECIDED and case.objection_until is not None and case.decided_at is not None:
        days = context.deadlines.days("objection", case.kind, case.ground, case.urgent)
        until = work.after(day_of(case.decided_at), days)
        if case.objection_until >= context.today:
            after = replace(after, objection_until=max(until, case.objection_until))
    moved = after.expected_on != case.expected_on or after.objection_until != case.objection_until
    moved = moved or case.due_days not in (None, after.due_days)
    details: dict[str, Any] = {"due_on": str(after.due_on), "calendar": context.calendar}
    if after.due_days != case.due_days:
        details["days"] = after.due_days
    entries = [TimelineEntry("rescheduled", after, CaseRescheduled, details)] if moved else []
    return with_next_check(Change(after, entries), context)


def changed_days(deadlines: Deadlines, kind: Kind, ground: str, urgent: bool, due_days: int) -> int:
    """The working days for a decision of an open case that has `due_days`, where changed rules hold for it as well. Those of an
    urgent case count what had passed when it was marked: they never become fewer, or all of these were late at once."""
    days = deadlines.days("decision", kind, ground, urgent)
    return max(days, due_days) if urgent else days


def due_of(pending_question: Mapping[str, Any]) -> date:
    """The last day for the open question's answer."""
    return date.fromisoformat(pending_question["due_on"])


def paused(case: Case, today: date) -> Case:
    """The clock is paused from today on."""
    return replace(case, paused_on=today)


def resumed(case: Case, today: date, workdays: Workdays) -> Case:
    """Back at work: the day owed moves by the working days of the pause."""
    if case.paused_on is None:
        return case
    pause = (case.paused_on.isoformat(), today.isoformat())
    due = case.due_on and workdays.after(case.due_on, workdays.between(case.paused_on, today))
    after = replace(case, paused_on=None, pauses=(*case.pauses, pause), due_on=due)
    if case.due_from is None or case.due_days is None:  # of a time before pauses were kept
        return replace(after, pauses=())
    return replace(after, due_on=due_date(workdays, case.due_from, case.due_days, after.pauses))
