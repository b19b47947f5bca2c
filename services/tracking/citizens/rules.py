"""What the one who filed a case may do with it: withdraw it, object to its decision, rate it. Pure."""

from __future__ import annotations

from contracts.tracking import CaseObjected, CaseRated, CaseWithdrawn, RaiseObjection, Rate, Withdraw
from contracts.vocabulary import OPEN_STAGES, Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import Case, Change, Context
from services.tracking.case.rules import may_object, may_rate, without_handler
from services.tracking.case.transitions import (
    BY_CITIZEN,
    CommandRule,
    Hindrance,
    change_of,
    moved,
    not_at_this_stage,
    staying_in,
)
from services.tracking.case.workers import concluding
from services.tracking.inquiry.rules import question_lapsed


def _withdraw(case: Case, command: Withdraw, context: Context) -> Change:
    after = moved(case, context, paused_on=None, pending_question=None, proposal=None)
    effects = question_lapsed(context.question)
    fields = concluding(case, context)
    return change_of(case, after, "withdrawn", CaseWithdrawn, *effects, details={"text": command.reason}, fields=fields)


def _may_object(case: Case, context: Context) -> Hindrance | None:
    if may_object(case, context.today):
        return None
    return not_at_this_stage(case, RaiseObjection, "too_late", "final" if case.final else "deadline_passed")


def _object(case: Case, command: RaiseObjection, context: Context) -> Change:
    after = moved(without_handler(case), context, paused_on=None)
    after = deadlines.with_clock_started(after, context.today, (context.workdays, context.deadlines))
    return change_of(case, after, "objected", CaseObjected, details={"text": command.text})


def _may_rate(case: Case, context: Context) -> Hindrance | None:
    if may_rate(case, context.today):
        return None
    return not_at_this_stage(case, Rate, "too_late", "not_decided" if case.outcome is None else "deadline_passed")


def _rate(case: Case, command: Rate, context: Context) -> Change:
    details = command.model_dump(mode="json", exclude={"type"}, exclude_none=True)
    after = moved(case, context, score=command.score)
    return change_of(case, after, "rated", CaseRated, details=details, fields={"score": command.score})


COMMANDS = (
    CommandRule(Withdraw, dict.fromkeys(OPEN_STAGES, Stage.WITHDRAWN), BY_CITIZEN, _withdraw, in_summary=True),
    CommandRule(
        RaiseObjection,
        {Stage.DECIDED: Stage.REVIEW},
        BY_CITIZEN,
        _object,
        guard=_may_object,
        in_summary=True,
    ),
    CommandRule(Rate, staying_in(Stage.DECIDED, Stage.CLOSED), BY_CITIZEN, _rate, guard=_may_rate, in_summary=True),
)
