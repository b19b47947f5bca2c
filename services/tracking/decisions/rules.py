"""The decision: proposed by the inspector and approved or returned by the head where the kind asks for four eyes, else made
at once; and the recommendations to the unit that come of it (DOMAIN: The life of a case). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
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
from contracts.vocabulary import Stage
from services.tracking.case.lifecycle import REASONED, Case, Change, Context, IssuedRecommendation, TimelineEntry
from services.tracking.case.transitions import change_of, days_of, leads_to, named, wrong

REPORTED = {"reported_done": "done", "reported_declined": "declined"}
"""What the unit said → what it is once the office has agreed."""


def decide(case: Case, command: Decide, context: Context) -> Change:
    """At once, for kinds that need no second pair of eyes."""
    if case.kind in context.four_eyes:
        raise FourEyesNeeded
    causes = _causes(command, context)
    return _decided(case, command, context, "decide", UUID(context.actor.id), causes)


def propose(case: Case, command: Propose, context: Context) -> Change:
    """For the head to approve; an earlier proposal gives way. The citizen sees nothing of it."""
    actor = UUID(context.actor.id)
    _may_decide(case, actor)
    proposal = {
        **command.model_dump(mode="json", exclude={"type"}),
        "causes": _causes(command, context),
        "by": str(actor),
        "at": context.now.isoformat(),
    }
    after = replace(case, stage=leads_to(case, command.type), proposal=proposal)
    details = {**proposal, "text": command.reasons}
    return change_of(case, after, "decision_proposed", DecisionProposed, details=details)


def approve(case: Case, command: Approve, context: Context) -> Change:
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
    told = {name: value for name, value in case.proposal.items() if name not in ("by", "at", "causes")}
    decision = Decide.model_validate(told)
    # Proposed as they were offered that day; what was closed since does not undo it.
    causes = case.proposal["causes"] if "causes" in case.proposal else _causes(decision, context)
    return _decided(case, decision, context, command.type, proposer, causes, approver=actor)


def return_proposal(case: Case, command: ReturnProposal, context: Context) -> Change:
    """Back to the inspector, with what is still wanted."""
    if case.proposal is None:
        raise WrongStage(stage=case.stage, command=command.type)
    after = replace(case, stage=leads_to(case, command.type), proposal=None)
    details = {"text": command.reason, "by": case.proposal["by"]}
    return change_of(case, after, "proposal_returned", ProposalReturned, details=details)


def _may_decide(case: Case, actor: UUID) -> None:
    if case.stage is Stage.REVIEW and actor in case.barred:
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
    name: str,
    decider: UUID,
    causes: Mapping[str, Mapping[str, str]],
    approver: UUID | None = None,
) -> Change:
    """`decider`: whose decision it is; `approver`: who agreed, where it was proposed."""
    final = case.stage is Stage.REVIEW
    _may_decide(case, decider)
    until = None if final else context.workdays.after(context.today, days_of(case, "objection", context))
    made = [
        IssuedRecommendation(uuid5(context.new_id, str(place)), case.unit, one.text, one.due_on)
        for place, one in enumerate(command.recommendations)
    ]
    advice = [one.model_dump(mode="json") for one in command.recommendations]
    barred = (one for one in (*case.barred, decider, approver, case.handler) if one is not None)
    after = replace(
        case,
        stage=leads_to(case, name),
        proposal=None,
        outcome=command.outcome,
        reasons=command.reasons,
        decided_at=context.now,
        final=final,
        objection_until=until,
        root_causes=tuple(command.root_causes),
        recommendations=tuple(advice),
        barred=tuple(dict.fromkeys(barred)),
        approver=approver if approver != case.handler else None,
        score=None,
        names={**case.names, "causes": causes},
    )
    details = {
        "outcome": command.outcome,
        "text": command.reasons,
        "root_causes": list(command.root_causes),
        "root_cause_names": causes,
        "recommendations": advice,
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
        "recommended_to": case.unit if made else None,
    }
    return change_of(case, after, "decided", CaseDecided, details=details, fields=fields, recommended=tuple(made))


# --- recommendations ---


def report(case: Case, one: IssuedRecommendation, done: bool, reason: str | None, context: Context) -> Change:
    """What the unit's liaison says of it. WrongStage once the office has agreed, or when a later decision took its place."""
    if one.state not in ("open", *REPORTED):
        raise WrongStage(stage=case.stage, command="report_recommendation")
    if not done and not reason:
        raise wrong("reason", "missing")
    state = "reported_done" if done else "reported_declined"
    about = {"recommendation_id": one.recommendation_id, "unit_asked": one.unit, "done": done}
    details = {**_plain(about), "text": reason}
    after = replace(one, state=state, reason=reason)
    return change_of(
        case,
        case,
        "recommendation_reported",
        RecommendationReported,
        details=details,
        fields=about,
        recommended=(after,),
    )


def settle(case: Case, command: SettleRecommendation, context: Context) -> Change:
    """The office agrees with what the unit reported, or sends it back."""
    one = context.recommended
    if one is None:
        raise NotFound
    if one.state not in REPORTED:
        raise WrongStage(stage=case.stage, command=command.type)
    if not command.accepted and not command.reason:
        raise wrong("command.reason", "missing")
    state = REPORTED[one.state] if command.accepted else "open"
    about = {"recommendation_id": one.recommendation_id, "unit_asked": one.unit, "now": state}
    details = {**_plain(about), "text": command.reason}
    after = replace(one, state=state, reason=command.reason or one.reason)
    return change_of(
        case,
        replace(case, stage=leads_to(case, command.type)),
        "recommendation_settled",
        RecommendationSettled,
        details=details,
        fields=about,
        recommended=(after,),
    )


def overdue(case: Case, those: Iterable[IssuedRecommendation], today: date) -> Change:
    """Recommendations whose day has passed without a word of the unit go up to the head, each once."""
    steps, told = [], []
    for one in those:
        if one.state == "open" and not one.escalated and one.due_on < today:
            told.append(replace(one, escalated=True))
            fields = {"step": "recommendation", "level": "head", "due_on": one.due_on, "unit_asked": one.unit}
            details = {**_plain(fields), "recommendation_id": str(one.recommendation_id)}
            steps.append(TimelineEntry("escalated", case, CaseEscalated, details, fields))
    return Change(case, steps, recommended=tuple(told))


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, bool | None) else str(value) for name, value in fields.items()}
