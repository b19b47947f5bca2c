"""The decision: proposed by the inspector and approved or returned by the head where the kind asks for four eyes, else made
at once; and the recommendations to the unit that come of it (DOMAIN: The life of a case). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from contracts.base import Contract
from contracts.errors import FourEyesNeeded, InvalidField, NotFound, NotSettleable, WrongStage
from contracts.tracking import (
    Approve,
    CaseDecided,
    CaseEscalated,
    Decide,
    DecisionProposed,
    NoteAdded,
    ProposalReturned,
    Propose,
    RecommendationReported,
    RecommendationSettled,
    ReturnProposal,
    SettleEarly,
    SettleRecommendation,
    ShownCommand,
)
from contracts.vocabulary import OUTCOMES_WITH_CAUSE, Kind, Outcome, Stage
from services.tracking.case import transitions
from services.tracking.case.lifecycle import Case, Change, Context, Effect, TimelineEntry
from services.tracking.case.transitions import Hindrance
from services.tracking.case.workers import workers

_OF_PROPOSAL = frozenset({"by", "at", "causes", "early"})
"""What a proposal says beside the decision."""
REPORTED = {"reported_done": "done", "reported_declined": "declined"}
"""What the unit reported → what it is once the office has agreed."""
_TO_REPORT = frozenset({"open", *REPORTED})


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
    """The recommendation that a command names; None when the case has no such one. `reported`: those of the case that
    wait for the office's agreement, id → text, for its view."""

    recommendation: IssuedRecommendation | None = None
    reported: Mapping[str, str] = field(default_factory=dict)


# --- the decision ---


def _may_decide_alone(case: Case, context: Context) -> Hindrance | None:
    if context.needs_approval(case):
        return Hindrance("not_yours", "four_eyes_needed", FourEyesNeeded())
    return _did_not_decide(case, context)


def _did_not_decide(case: Case, context: Context) -> Hindrance | None:
    """Whoever decided it does not review the objection."""
    return _excluded(case, UUID(context.actor.id))


def _excluded(case: Case, actor: UUID) -> Hindrance | None:
    if case.stage is Stage.REVIEW and actor in case.excluded_staff:
        return transitions.not_by_this_one("decided_it_before")
    return None


def _decide(case: Case, command: Decide, context: Context) -> Change:
    """At once, for kinds that need no second pair of eyes."""
    causes = _causes(command, context)
    _not_in_the_past(command, context, "command.recommendations")
    return _decided(case, command, context, UUID(context.actor.id), causes)


def _propose(case: Case, command: Propose, context: Context) -> Change:
    """For the head to approve; an earlier proposal gives way. The citizen sees nothing of it."""
    actor = UUID(context.actor.id)
    _cited(command, context)
    _not_in_the_past(command, context, "command.recommendations")
    return _proposed(case, command, context, actor, _causes(command, context))


def _proposed(
    case: Case,
    command: Decide | Propose,
    context: Context,
    actor: UUID,
    causes: Mapping[str, Mapping[str, str]],
    early: bool = False,
) -> Change:
    proposal = {
        **command.model_dump(mode="json", exclude={"type"}),
        "causes": causes,
        "by": str(actor),
        "at": context.now.isoformat(),
        **({"early": True} if early else {}),
    }
    after = transitions.moved(case, context, proposal=proposal)
    details = {**proposal, "text": command.reasons}
    return transitions.change_of(case, after, "decision_proposed", DecisionProposed, details=details)


def _may_approve(case: Case, context: Context) -> Hindrance | None:
    """Not who proposed it: four eyes are two people.

    An objection asks for another inspector (DOMAIN: The life of a case): the head who approved the first decision may
    approve the final one, which somebody else has proposed; who had proposed, made or handled the first may not.
    """
    waits = _has_proposal(Approve)(case, context)
    if waits is not None or case.proposal is None:
        return waits
    proposer, actor = UUID(case.proposal["by"]), UUID(context.actor.id)
    if proposer == actor:
        return transitions.not_by_this_one("own_proposal")
    hindrance = _excluded(case, proposer) or (None if actor == case.approver else _excluded(case, actor))
    if hindrance is not None:
        return hindrance
    decision = _decision_of(case.proposal)
    try:  # what was right on the day of the proposal
        _not_in_the_past(decision, context, "proposal.recommendations")
        _cited(decision, context)
    except InvalidField as error:
        return Hindrance("too_late", "proposal_outdated", error)
    return None


def _has_proposal(command: type[Contract]) -> transitions.Guard:
    def guard(case: Case, context: Context) -> Hindrance | None:
        if case.proposal is not None:
            return None
        return transitions.not_at_this_stage(case, command, "not_yet", "no_proposal")

    return guard


def _decision_of(proposal: Mapping[str, Any]) -> Decide:
    return Decide.model_validate({name: value for name, value in proposal.items() if name not in _OF_PROPOSAL})


def _approve(case: Case, command: Approve, context: Context) -> Change:
    """The proposal becomes the decision."""
    assert case.proposal is not None
    proposer, actor = UUID(case.proposal["by"]), UUID(context.actor.id)
    decision = _decision_of(case.proposal)
    # Proposed as they were offered that day; what was closed since does not undo it.
    causes = case.proposal["causes"] if "causes" in case.proposal else _causes(decision, context)
    return _decided(case, decision, context, proposer, causes, approver=actor, early=bool(case.proposal.get("early")))


def _return_proposal(case: Case, command: ReturnProposal, context: Context) -> Change:
    """Back to the inspector, with what is still wanted."""
    assert case.proposal is not None
    after = transitions.moved(case, context, proposal=None)
    details = {"text": command.reason, "by": case.proposal["by"]}
    return transitions.change_of(case, after, "proposal_returned", ProposalReturned, details=details)


def _may_settle(case: Case, context: Context) -> Hindrance | None:
    """NotSettleable where nobody is known who could give their word."""
    if case.kind is Kind.INFORMATION or case.anonymous:
        return Hindrance("not_yours", "not_settleable", NotSettleable())
    return transitions.has_unit(case, context)


def _settle_early(case: Case, command: SettleEarly, context: Context) -> Change:
    """At first reading, with the citizen's word in the office's own timeline. Where the kind asks for four eyes it is proposed,
    and the case stays in screening until a head approves."""
    if not command.consented:
        raise transitions.wrong("consented", "missing")
    if command.agreed_at > context.now:
        raise transitions.wrong("agreed_at", "later_than_now")
    if command.agreed_at < case.filed_at:
        raise transitions.wrong("agreed_at", "before_filing")
    details = {
        "text": command.agreement,
        "agreed_at": command.agreed_at.isoformat(),
        "agreed_by": command.agreed_by,
        "consented": command.consented,
    }
    agreement = TimelineEntry("settlement_agreed", case, NoteAdded, details)
    decision = Decide(outcome=Outcome.SETTLED, reasons=command.reasons)
    actor = UUID(context.actor.id)
    if context.needs_approval(case):
        change = _proposed(case, decision, replace(context, next_stage=case.stage), actor, {}, early=True)
    else:
        change = _decided(case, decision, context, actor, {}, early=True)
    return replace(change, entries=[agreement, *change.entries])


def _days_of_recommendations(case: Case, context: Context) -> Mapping[str, transitions.Bounds]:
    return {"recommendations.due_on": {"earliest": context.today.isoformat()}}


def _moment_of_agreement(case: Case, context: Context) -> Mapping[str, transitions.Bounds]:
    return {"agreed_at": {"earliest": case.filed_at.isoformat(), "latest": context.now.isoformat()}}


def _not_in_the_past(command: Decide | Propose, context: Context, path: str) -> None:
    """No unit is given a day that is over; of what was proposed the head learns that it is to be returned."""
    for place, recommendation in enumerate(command.recommendations):
        if recommendation.due_on < context.today:
            raise transitions.wrong(f"{path}.{place}.due_on", "in_the_past")


def _causes(command: Decide | Propose, context: Context) -> dict[str, dict[str, str]]:
    """What its root causes are called today; InvalidField when one is wanted, or not offered."""
    if command.outcome in OUTCOMES_WITH_CAUSE and not command.root_causes:
        raise transitions.wrong("root_causes", "missing")
    return transitions.named(context.root_causes, command.root_causes, "root_causes")


def _cited(command: Decide | Propose, context: Context) -> dict[str, dict[str, str]]:
    """What the articles that it cites are called today, by code; InvalidField for one that is not known or not in
    force today."""
    cited = {}
    for place, code in enumerate(command.articles):
        article = context.articles.get(code)
        if article is None:
            raise transitions.wrong(f"articles.{place}", "unknown_article")
        if not article.is_in_force(context.today):
            raise transitions.wrong(f"articles.{place}", "not_in_force")
        cited[code] = {"title_fa": article.title_fa, "title_en": article.title_en, "number": article.number}
    return cited


def _decided(
    case: Case,
    command: Decide,
    context: Context,
    decider: UUID,
    causes: Mapping[str, Mapping[str, str]],
    approver: UUID | None = None,
    early: bool = False,
) -> Change:
    """`decider`: whose decision it is; `approver`: who agreed, where it was proposed; `early`: at first reading."""
    final = case.stage is Stage.REVIEW
    articles = _cited(command, context)  # of the day of the decision, also where it was proposed on another
    until = None if final else context.workdays.after(context.today, transitions.days_of(case, "objection", context))
    issued = tuple(
        IssuedRecommendation(uuid5(context.new_id, str(place)), case.unit, recommendation.text, recommendation.due_on)
        for place, recommendation in enumerate(command.recommendations)
    )
    recommendations = [recommendation.model_dump(mode="json") for recommendation in command.recommendations]
    excluded_staff = (
        staff_id for staff_id in (*case.excluded_staff, decider, approver, case.handler) if staff_id is not None
    )
    names = {name: value for name, value in case.names.items() if name != "articles"} | {"causes": causes}
    if articles:
        names["articles"] = articles
    after = transitions.moved(
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
        names=names,
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
    if articles:
        details["articles"] = articles
    if early:
        details["early"] = True
    if approver is not None:
        details["proposed_by"] = str(decider)
    fields = {
        "outcome": command.outcome,
        "root_causes": command.root_causes,
        "final": final,
        "objection_until": until,
        "recommended_to": case.unit if issued else None,
        "early": early,
        "workers": workers(case, context),
    }
    effects = (RecommendationsIssued(issued, final),) if issued or final else ()
    return transitions.change_of(case, after, "decided", CaseDecided, *effects, details=details, fields=fields)


# --- recommendations ---


def report(
    case: Case, recommendation: IssuedRecommendation, done: bool, reason: str | None, context: Context
) -> Change:
    """What the unit's liaison reports of it. WrongStage once the office has agreed, or when a later decision took its place."""
    if recommendation.state not in _TO_REPORT:
        raise WrongStage(stage=case.stage, command="report_recommendation")
    if not done and not reason:
        raise transitions.wrong("reason", "missing")
    fields = {**_about(recommendation), "done": done}
    after = replace(recommendation, state="reported_done" if done else "reported_declined", reason=reason)
    return transitions.change_of(
        case,
        case,
        "recommendation_reported",
        RecommendationReported,
        RecommendationsChanged((after,)),
        details={**_plain(fields), "text": reason},
        fields=fields,
    )


def shown_to_unit(state: str) -> ShownCommand:
    """What the unit's liaison may do about a recommendation in this state."""
    if state in _TO_REPORT:
        return ShownCommand(type="report_recommendation", possible=True)
    return ShownCommand(type="report_recommendation", possible=False, why="too_late", code="settled")


def _settle_recommendation(case: Case, command: SettleRecommendation, context: Context) -> Change:
    """The office agrees with what the unit reported, or sends it back."""
    recommendation = context.loaded(RecommendationFacts).recommendation
    if recommendation is None:
        raise NotFound
    if recommendation.state not in REPORTED:
        raise WrongStage(stage=case.stage, command=command.type)
    if not command.accepted and not command.reason:
        raise transitions.wrong("reason", "missing")
    state = REPORTED[recommendation.state] if command.accepted else "open"
    fields = {**_about(recommendation), "now": state}
    after = replace(recommendation, state=state, reason=command.reason or recommendation.reason)
    return transitions.change_of(
        case,
        transitions.moved(case, context),
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


_APPROVED_AT = {
    Stage.SCREENING: Stage.DECIDED,
    Stage.INVESTIGATING: Stage.DECIDED,
    Stage.REVIEW: Stage.DECIDED,
}
_AT_DECISION = {Stage.INVESTIGATING: Stage.DECIDED, Stage.REVIEW: Stage.DECIDED}
_BEFORE_DECISION = transitions.staying_in(Stage.INVESTIGATING, Stage.REVIEW)
COMMANDS = (
    transitions.CommandRule(
        Decide,
        _AT_DECISION,
        transitions.BY_INSPECTOR,
        _decide,
        lapses_question=True,
        waits_for_proposal=True,
        guard=_may_decide_alone,
        bounds=_days_of_recommendations,
        decides=True,
    ),
    transitions.CommandRule(
        Propose,
        _BEFORE_DECISION,
        transitions.BY_INSPECTOR,
        _propose,
        lapses_question=True,
        guard=_did_not_decide,
        bounds=_days_of_recommendations,
        decides=True,
    ),
    transitions.CommandRule(Approve, _APPROVED_AT, transitions.BY_HEAD, _approve, guard=_may_approve),
    transitions.CommandRule(
        ReturnProposal,
        transitions.staying_in(*_APPROVED_AT),
        transitions.BY_HEAD,
        _return_proposal,
        guard=_has_proposal(ReturnProposal),
    ),
    transitions.CommandRule(
        SettleEarly,
        {Stage.SCREENING: Stage.DECIDED},
        transitions.BY_SCREENER,
        _settle_early,
        waits_for_proposal=True,
        guard=_may_settle,
        bounds=_moment_of_agreement,
        decides=True,
    ),
    transitions.CommandRule(
        SettleRecommendation,
        transitions.staying_in(Stage.DECIDED, Stage.REVIEW, Stage.CLOSED),
        transitions.BY_INSPECTOR,
        _settle_recommendation,
        choices={"recommendation_id": lambda case, context: context.loaded(RecommendationFacts).reported},
        without_choice=("not_yet", "nothing_reported"),
    ),
)
