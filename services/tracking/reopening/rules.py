"""The way back: what the office takes back as its own mistake, and cases that are screened again from the inquiry
(DOMAIN: The life of a case; docs/adr/0022). The history stays. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.errors import TextsErased
from contracts.tracking import CaseParted, CaseReopened, CaseReturned, Reopen, ReturnToScreening
from contracts.tracking.fields import Mistake
from contracts.vocabulary import Role, Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import AT_WORK, Case, Change, Context, Effect
from services.tracking.case.rules import without_handler
from services.tracking.case.transitions import (
    BY_HEAD,
    BY_INSPECTOR,
    BY_SCREENER,
    CommandRule,
    Hindrance,
    change_of,
    moved,
    not_by_this_one,
)
from services.tracking.case.workers import concluding
from services.tracking.decisions.rules import RecommendationsIssued
from services.tracking.inquiry.rules import question_lapsed

TAKEN_BACK: dict[Mistake, str] = {
    "refused": "refusal_taken_back",
    "decided": "decision_taken_back",
    "closed": "closing_taken_back",
    "merged": "merge_undone",
}
"""What was the mistake → the entry of the timeline."""


@dataclass(frozen=True)
class ReopeningFacts:
    """`texts_erased`: the time is over for which its texts were kept, and there is nothing left to screen."""

    texts_erased: bool = False


def mistake_of(case: Case) -> Mistake:
    """What is taken back when this case is reopened."""
    if case.stage is Stage.MERGED:
        return "merged"
    if case.outcome is not None:
        return "decided"
    return "refused" if case.refusal_reason is not None else "closed"


def _has_texts(case: Case, context: Context) -> Hindrance | None:
    erased = context.loaded(ReopeningFacts).texts_erased
    return Hindrance("too_late", "texts_erased", TextsErased()) if erased else None


def _reopen(case: Case, command: Reopen, context: Context) -> Change:
    return _taken_back(case, command.reason, context)


def _may_return(case: Case, context: Context) -> Hindrance | None:
    """From the review of an objection the decision goes with it, which is the head's."""
    if case.stage is Stage.REVIEW and Role.HEAD not in context.roles_on(case):
        return not_by_this_one("head_only")
    return None


def _return(case: Case, command: ReturnToScreening, context: Context) -> Change:
    """From the inquiry the clock runs on."""
    if case.stage is Stage.REVIEW:
        return _taken_back(case, command.reason, context)
    after = moved(without_handler(case), context, proposal=None, pending_question=None)
    after = deadlines.resumed(after, context.today, context.workdays)
    return change_of(
        case,
        after,
        "returned_to_screening",
        CaseReturned,
        *question_lapsed(context.question),
        details={"text": command.reason},
        fields=concluding(case, context),
    )


def _taken_back(case: Case, reason: str, context: Context) -> Change:
    """Screened again, owed anew from today; with no decision, refusal or merge. What was asked of units is void."""
    mistake = mistake_of(case)
    after = moved(
        without_handler(case),
        context,
        calendar=context.calendar,
        alarms_raised=(),
        paused_on=None,
        pending_question=None,
        proposal=None,
        merged_into=None,
        **_WITHOUT_END,
        names={},
    )
    after = deadlines.with_clock_started(after, context.today, (context.workdays, context.deadlines))
    effects: tuple[Effect, ...] = question_lapsed(context.question)
    recommended_to = case.unit if case.recommendations else None
    if case.recommendations:
        effects = (*effects, RecommendationsIssued((), supersedes=True))
    return change_of(
        case,
        after,
        TAKEN_BACK[mistake],
        CaseReopened,
        *effects,
        details={"text": reason},
        fields={"mistake": mistake, "recommended_to": recommended_to, **concluding(case, context)},
    )


_WITHOUT_END: dict[str, Any] = {
    "outcome": None,
    "reasons": None,
    "decided_at": None,
    "final": False,
    "objection_until": None,
    "rate_until": None,
    "root_causes": (),
    "recommendations": (),
    "refusal_reason": None,
    "refusal_explanation": None,
    "refusal_address": None,
    "refused_on": None,
    "score": None,
    # Nobody has decided it: whoever has may decide it again, and who does not is kept from the review of that decision.
    "excluded_staff": (),
    "approver": None,
}


def _merge_undone(target: Case, parted: Case, command: Reopen) -> Change:
    """What an undone merge leaves in the case that goes on."""
    details = {"number": parted.number}
    return change_of(target, target, "duplicate_parted", CaseParted, details=details, fields={"merged": parted.case_id})


COMMANDS = (
    CommandRule(
        ReturnToScreening,
        dict.fromkeys((*AT_WORK, Stage.REVIEW), Stage.SCREENING),
        BY_SCREENER | BY_INSPECTOR,
        _return,
        guard=_may_return,
    ),
    CommandRule(
        Reopen,
        dict.fromkeys((Stage.REFUSED, Stage.DECIDED, Stage.CLOSED, Stage.MERGED), Stage.SCREENING),
        BY_HEAD,
        _reopen,
        guard=_has_texts,
        partner=lambda case: case.merged_into,
        change_other=_merge_undone,
    ),
)
