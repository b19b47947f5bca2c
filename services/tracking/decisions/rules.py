"""The decision: proposed by the inspector and approved or returned by the head where the kind asks for four eyes, else made
at once; and the recommendations to the unit that come of it (DOMAIN: The life of a case). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from contracts.errors import FourEyesNeeded, NotAllowed, NotFound, WrongStage
from contracts.tracking import (
    Approve,
    CaseDecided,
    CaseEscalated,
    Decide,
    DecisionProposed,
    ProposalReturned,
    Propose,
    RecommendationReported,
    RecommendationSettled,
    ReturnProposal,
    SettleRecommendation,
)
from contracts.vocabulary import Outcome, Stage
from services.tracking.case.lifecycle import Case, Change, Context, Effect, TimelineEntry
from services.tracking.case.transitions import (
    BY_HEAD,
    BY_INSPECTOR,
    CommandRule,
    change_of,
    days_of,
    moved,
    named,
    staying_in,
    wrong,
)

REASONED = frozenset({Outcome.UPHELD, Outcome.PARTLY_UPHELD})
"""Outcomes that name a root cause."""
REPORTED = {"reported_done": "done", "reported_declined": "declined"}
"""What the unit reported → what it is once the office has agreed."""


@dataclass(frozen=True)
class IssuedRecommendation:
    """A recommendation to a unit. `state`: open, reported_done, reported_declined (the unit's word), done, declined (the
    office agreed), or superseded by the final decision. `escalated`: the head was informed that it is overdue."""

    recommendation_id: UUID
    unit: str | None
    text: str
    due_on: date
    state: str = "open"
    reason: str | None = None
    escalated: bool = False


@dataclass(frozen=True)
class RecommendationsIssued(Effect):
    """What a decision recommends. `supersedes`: what an earlier one recommended and was not done is over."""

    recommendations: tuple[IssuedRecommendation, ...]
    supersedes: bool


@dataclass(frozen=True)
class RecommendationsChanged(Effect):
    """Recommendations as they are now."""

    recommendations: tuple[IssuedRecommendation, ...]


@dataclass(frozen=True)
class RecommendationFacts:
    """The recommendation that a command names; None when the case has no such one."""

    recommendation: IssuedRecommendation | None = None


# --- the decision ---


def _decide(case: Case, command: Decide, context: Context) -> Change:
    """At once, for kinds that need no second pair of eyes."""
    if case.kind in context.four_eyes:
        raise FourEyesNeeded
    causes = _causes(command, context)
    return _decided(case, command, context, UUID(context.actor.id), causes)


def _propose(case: Case, command: Propose, context: Context) -> Change:
    """For the head to approve; an earlier proposal gives way. The citizen sees nothing of it."""
    actor = UUID(context.actor.id)
    _may_decide(case, actor)
    proposal = {
        **command.model_dump(mode="json", exclude={"type"}),
        "causes": _causes(command, context),
        "by": str(actor),
        "at": context.now.isoformat(),
    }
    after = moved(case, context, proposal=proposal)
    details = {**proposal, "text": command.reasons}
    return change_of(case, after, "decision_proposed", DecisionProposed, details=details)


def _approve(case: Case, command: Approve, context: Context) -> Change:
    """The proposal becomes the decision. NotAllowed for who proposed it: four eyes are two people.

    An objection asks for another inspector (DOMAIN: The life of a case): the head who approved the first decision may
    approve the final one, which somebody else has proposed; who had proposed, made or handled the first may not.
    """
    if case.proposal is None:
        raise WrongStage(stage=case.stage, command=command.type)
    proposer, actor = UUID(case.proposal["by"]), UUID(context.actor.id)
    if proposer == actor:
        raise NotAllowed
    if actor != case.approver:
        _may_decide(case, actor)
    proposed = {name: value for name, value in case.proposal.items() if name not in ("by", "at", "causes")}
    decision = Decide.model_validate(proposed)
    # Proposed as they were offered that day; what was closed since does not undo it.
    causes = case.proposal["causes"] if "causes" in case.proposal else _causes(decision, context)
    return _decided(case, decision, context, proposer, causes, approver=actor)


def _return_proposal(case: Case, command: ReturnProposal, context: Context) -> Change:
    """Back to the inspector, with what is still wanted."""
    if case.proposal is None:
        raise WrongStage(stage=case.stage, command=command.type)
    after = moved(case, context, proposal=None)
    details = {"text": command.reason, "by": case.proposal["by"]}
    return change_of(case, after, "proposal_returned", ProposalReturned, details=details)


def _may_decide(case: Case, actor: UUID) -> None:
    if case.stage is Stage.REVIEW and actor in case.excluded_staff:
        raise NotAllowed


def _causes(command: Decide | Propose, context: Context) -> dict[str, dict[str, str]]:
    """What its root causes are called today; InvalidField when one is wanted, or not offered."""
    if command.outcome in REASONED and not command.root_causes:
        raise wrong("command.root_causes", "missing")
    return named(context.root_causes, command.root_causes, "command.root_causes")


def _decided(
    case: Case,
    command: Decide,
    context: Context,
    decider: UUID,
    causes: Mapping[str, Mapping[str, str]],
    approver: UUID | None = None,
) -> Change:
    """`decider`: whose decision it is; `approver`: who agreed, where it was proposed."""
    final = case.stage is Stage.REVIEW
    _may_decide(case, decider)
    until = None if final else context.workdays.after(context.today, days_of(case, "objection", context))
    issued = tuple(
        IssuedRecommendation(uuid5(context.new_id, str(place)), case.unit, recommendation.text, recommendation.due_on)
        for place, recommendation in enumerate(command.recommendations)
    )
    recommendations = [recommendation.model_dump(mode="json") for recommendation in command.recommendations]
    excluded_staff = (
        staff_id for staff_id in (*case.excluded_staff, decider, approver, case.handler) if staff_id is not None
    )
    after = moved(
        case,
        context,
        proposal=None,
        outcome=command.outcome,
        reasons=command.reasons,
        decided_at=context.now,
        final=final,
        objection_until=until,
        root_causes=tuple(command.root_causes),
        recommendations=tuple(recommendations),
        excluded_staff=tuple(dict.fromkeys(excluded_staff)),
        approver=approver if approver != case.handler else None,
        score=None,
        names={**case.names, "causes": causes},
    )
    details = {
        "outcome": command.outcome,
        "text": command.reasons,
        "root_causes": list(command.root_causes),
        "root_cause_names": causes,
        "recommendations": recommendations,
        "final": final,
        "objection_until": until.isoformat() if until else None,
    }
    if approver is not None:
        details["proposed_by"] = str(decider)
    fields = {
        "outcome": command.outcome,
        "root_causes": command.root_causes,
        "final": final,
        "objection_until": until,
        "recommended_to": case.unit if issued else None,
    }
    effects = (RecommendationsIssued(issued, final),) if issued or final else ()
    return change_of(case, after, "decided", CaseDecided, *effects, details=details, fields=fields)


# --- recommendations ---


def report(
    case: Case, recommendation: IssuedRecommendation, done: bool, reason: str | None, context: Context
) -> Change:
    """What the unit's liaison reports of it. WrongStage once the office has agreed, or when a later decision took its place."""
    if recommendation.state not in ("open", *REPORTED):
        raise WrongStage(stage=case.stage, command="report_recommendation")
    if not done and not reason:
        raise wrong("reason", "missing")
    fields = {**_about(recommendation), "done": done}
    after = replace(recommendation, state="reported_done" if done else "reported_declined", reason=reason)
    return change_of(
        case,
        case,
        "recommendation_reported",
        RecommendationReported,
        RecommendationsChanged((after,)),
        details={**_plain(fields), "text": reason},
        fields=fields,
    )


def _settle_recommendation(case: Case, command: SettleRecommendation, context: Context) -> Change:
    """The office agrees with what the unit reported, or sends it back."""
    recommendation = context.loaded(RecommendationFacts).recommendation
    if recommendation is None:
        raise NotFound
    if recommendation.state not in REPORTED:
        raise WrongStage(stage=case.stage, command=command.type)
    if not command.accepted and not command.reason:
        raise wrong("command.reason", "missing")
    state = REPORTED[recommendation.state] if command.accepted else "open"
    fields = {**_about(recommendation), "now": state}
    after = replace(recommendation, state=state, reason=command.reason or recommendation.reason)
    return change_of(
        case,
        moved(case, context),
        "recommendation_settled",
        RecommendationSettled,
        RecommendationsChanged((after,)),
        details={**_plain(fields), "text": command.reason},
        fields=fields,
    )


def overdue(case: Case, recommendations: Iterable[IssuedRecommendation], today: date) -> Change:
    """Recommendations whose day has passed without a word of the unit go up to the head, each once."""
    entries, escalated = [], []
    for recommendation in recommendations:
        if recommendation.state == "open" and not recommendation.escalated and recommendation.due_on < today:
            escalated.append(replace(recommendation, escalated=True))
            due, unit = recommendation.due_on, recommendation.unit
            fields = {"step": "recommendation", "level": "head", "due_on": due, "unit_asked": unit}
            details = {**_plain(fields), "recommendation_id": str(recommendation.recommendation_id)}
            entries.append(TimelineEntry("escalated", case, CaseEscalated, details, fields))
    return Change(case, entries, (RecommendationsChanged(tuple(escalated)),) if escalated else ())


def _about(recommendation: IssuedRecommendation) -> dict[str, Any]:
    return {"recommendation_id": recommendation.recommendation_id, "unit_asked": recommendation.unit}


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, bool | None) else str(value) for name, value in fields.items()}


_AT_DECISION = {Stage.INVESTIGATING: Stage.DECIDED, Stage.REVIEW: Stage.DECIDED}
_BEFORE_DECISION = staying_in(Stage.INVESTIGATING, Stage.REVIEW)
COMMANDS = (
    CommandRule(Decide, _AT_DECISION, BY_INSPECTOR, _decide, lapses_question=True, waits_for_proposal=True),
    CommandRule(Propose, _BEFORE_DECISION, BY_INSPECTOR, _propose, lapses_question=True),
    CommandRule(Approve, _AT_DECISION, BY_HEAD, _approve),
    CommandRule(ReturnProposal, _BEFORE_DECISION, BY_HEAD, _return_proposal),
    CommandRule(
        SettleRecommendation,
        staying_in(Stage.DECIDED, Stage.REVIEW, Stage.CLOSED),
        BY_INSPECTOR,
        _settle_recommendation,
    ),
)
