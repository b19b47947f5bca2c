"""What the one who filed a case may do with it: withdraw it, object to its decision, rate it. Pure."""

from __future__ import annotations

from contracts.errors import WrongStage
from contracts.tracking import CaseObjected, CaseRated, CaseWithdrawn, RaiseObjection, Rate, Withdraw
from contracts.vocabulary import OPEN_STAGES, Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import Case, Change, Context
from services.tracking.case.rules import may_object, may_rate, without_handler
from services.tracking.case.transitions import BY_CITIZEN, CommandRule, change_of, moved, staying_in
from services.tracking.case.workers import concluding
from services.tracking.inquiry.rules import question_lapsed


def _withdraw(case: Case, command: Withdraw, context: Context) -> Change:
    after = moved(case, context, paused_on=None, pending_question=None, proposal=None)
    effects = question_lapsed(context.question)
    fields = concluding(case, context)
    return change_of(case, after, "withdrawn", CaseWithdrawn, *effects, details={"text": command.reason}, fields=fields)


def _object(case: Case, command: RaiseObjection, context: Context) -> Change:
    if not may_object(case, context.today):
        raise WrongStage(stage=case.stage, command=command.type)
    after = moved(without_handler(case), context, paused_on=None)
    after = deadlines.with_clock_started(after, context.today, (context.workdays, context.deadlines))
    return change_of(case, after, "objected", CaseObjected, details={"text": command.text})


def _rate(case: Case, command: Rate, context: Context) -> Change:
    if not may_rate(case, context.today):
        raise WrongStage(stage=case.stage, command=command.type)
    details = command.model_dump(mode="json", exclude={"type"}, exclude_none=True)
    after = moved(case, context, score=command.score)
    return change_of(case, after, "rated", CaseRated, details=details, fields={"score": command.score})


COMMANDS = (
    CommandRule(Withdraw, dict.fromkeys(OPEN_STAGES, Stage.WITHDRAWN), BY_CITIZEN, _withdraw, offered=True),
    CommandRule(
        RaiseObjection,
        {Stage.DECIDED: Stage.REVIEW},
        BY_CITIZEN,
        _object,
        offered=True,
        available=may_object,
    ),
    CommandRule(Rate, staying_in(Stage.DECIDED, Stage.CLOSED), BY_CITIZEN, _rate, offered=True, available=may_rate),
)
