"""A question that its citizen does not answer: they are reminded, and in the end the case is closed; one message of theirs within
the time for objection reopens it (DOMAIN: The life of a case). Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from contracts.tracking import CaseUnanswered, CitizenReminded
from contracts.vocabulary import Stage
from services.tracking.case.lifecycle import Case, Context, TimelineEntry
from services.tracking.reference.workdays import Deadlines, Workdays

REASON = "unanswered"
"""Why a case was closed."""


def reminder_day(case: Case, workdays: Workdays, deadlines: Deadlines) -> date:
    """The day on which who was asked is reminded."""
    return _after(case, "citizen_reminder", workdays, deadlines)


def last_day(case: Case, workdays: Workdays, deadlines: Deadlines) -> date:
    """The last day for an answer, after which the case is closed: never before the one that the citizen was given."""
    assert case.pending_question is not None
    given = date.fromisoformat(case.pending_question["due_on"])
    return max(_after(case, "citizen_close", workdays, deadlines), given)


def reminded(case: Case, close_on: date) -> TimelineEntry:
    """The citizen is reminded of the question."""
    details = {"close_on": close_on.isoformat()}
    return TimelineEntry("citizen_reminded", case, CitizenReminded, details, {"close_on": close_on})


def closed(case: Case, context: Context) -> TimelineEntry:
    """The case ends. The question stays open and the clock stopped, as the citizen's message finds them."""
    days = context.deadlines.days("objection", case.kind, case.ground, case.urgent)
    until = context.workdays.after(context.today, days)
    after = replace(case, stage=Stage.CLOSED, objection_until=until, proposal=None)
    details = {"reason": REASON, "until": until.isoformat()}
    return TimelineEntry("closed_unanswered", after, CaseUnanswered, details, {"object_until": until}, case.stage)


def may_reopen(case: Case, today: date) -> bool:
    """Whether a message of the citizen still reopens it."""
    return case.unanswered and case.objection_until is not None and today <= case.objection_until


def _after(case: Case, step: str, workdays: Workdays, deadlines: Deadlines) -> date:
    assert case.pending_question is not None
    asked_on = date.fromisoformat(case.pending_question["on"])
    return workdays.after(asked_on, deadlines.days(step, case.kind, case.ground, case.urgent))
