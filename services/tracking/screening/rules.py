"""Screening: a case is read, set right, refused, or accepted by assigning it to an inspector. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from contracts.errors import AlreadyHandles, Conflict, GroundNotForKind, HeadNeeded, UnknownGround
from contracts.tracking import (
    Assign,
    CaseAssigned,
    CaseCorrected,
    CaseRefused,
    CaseStageChanged,
    Correct,
    Refuse,
    StartScreening,
)
from contracts.vocabulary import Kind, Stage
from services.tracking.case import transitions
from services.tracking.case.lifecycle import (
    AT_WORK,
    Case,
    Change,
    Context,
    Effect,
    StaffFacts,
    UnitFacts,
    require_open_unit,
)
from services.tracking.case.reckoning import with_days_anew
from services.tracking.case.rules import without_handler


@dataclass(frozen=True)
class CorrectionFacts:
    """`unit`: None for an unknown one; `ground_kinds`: the kinds that the ground is offered for, the case's own where none is
    given, None for an unknown one; `handler_conflicted`: who handles the case belongs to the unit that is given, or below it;
    `liaison`: somebody answers for that unit."""

    unit: UnitFacts | None = None
    ground_kinds: frozenset[str] | None = None
    handler_conflicted: bool = False
    liaison: bool = False


@dataclass(frozen=True)
class UnitCorrected(Effect):
    """The case is about another unit; `liaison`: somebody answers for that one."""

    liaison: bool


@dataclass(frozen=True)
class AssignmentFacts:
    """`chosen`: who was named or, where nobody was, who is free; None when there is no such person."""

    chosen: StaffFacts | None = None


def _start_screening(case: Case, command: StartScreening, context: Context) -> Change:
    return transitions.change_of(case, transitions.moved(case, context), "screening_started", CaseStageChanged)


def _may_correct(case: Case, context: Context) -> transitions.Hindrance | None:
    if case.stage is Stage.SCREENING and case.proposal is not None:  # its settlement waits for the head, as it is
        return transitions.not_at_this_stage(case, Correct, "not_yet", "proposal_waits")
    return None


def _correct(case: Case, command: Correct, context: Context) -> Change:
    facts = context.loaded(CorrectionFacts)
    changes: dict[str, Any] = {}
    if command.unit is not None and command.unit != case.unit:
        unit = require_open_unit(facts.unit)
        if facts.handler_conflicted:  # it would be handled by somebody who may not know of it
            raise transitions.wrong("command.unit", "conflict_of_interest")
        changes |= _transfer(case, context)
        changes |= {"unit": unit.code, "unit_name_fa": unit.name_fa, "unit_name_en": unit.name_en}
    if command.kind is not None and command.kind != case.kind:
        changes["kind"] = _other_kind(case, command.kind)
    if command.ground is not None and command.ground != case.ground:
        if facts.ground_kinds is None:
            raise UnknownGround
        changes["ground"] = command.ground
    if {"kind", "ground"} & set(changes) and changes.get("kind", case.kind) not in (facts.ground_kinds or ()):
        raise GroundNotForKind
    if command.urgent is not None and command.urgent != case.urgent:
        changes["urgent"] = command.urgent
    corrected = {name: changes[name] for name in ("unit", "ground", "urgent", "kind") if name in changes}
    if not corrected:
        raise transitions.wrong("body", "changes_nothing")
    before = {name: getattr(case, name) for name in corrected}
    counted = {"transfers": changes["transfers"]} if "transfers" in changes else {}
    after = replace(case, **changes)
    if "urgent" in corrected or transitions.days_of(after, "decision", context) != transitions.days_of(
        case, "decision", context
    ):
        after = with_days_anew(after, context)
    return transitions.change_of(
        case,
        after,
        "corrected",
        CaseCorrected,
        *((UnitCorrected(facts.liaison),) if "unit" in corrected else ()),
        details={"before": before, "after": corrected, **counted},
    )


def _transfer(case: Case, context: Context) -> dict[str, int]:
    """Counts a change from one unit to another; the first unit of a case that has none is not one. HeadNeeded where the case
    has been sent around for long enough (reference: at most three transfers)."""
    if case.unit is None:
        return {}
    if case.transfers >= context.transfers_without_head and not context.roles_on(case) & transitions.BY_HEAD:
        raise HeadNeeded(transfers=case.transfers)
    return {"transfers": case.transfers + 1}


def _other_kind(case: Case, kind: Kind) -> Kind:
    """The kind that it is to be. A complaint has somebody who complains; who reported in confidence is not made to complain."""
    if kind is Kind.COMPLAINT and case.anonymous:
        raise transitions.wrong("command.kind", "nobody_complains")
    if case.kind is Kind.INFORMATION and not case.anonymous:
        raise transitions.wrong("command.kind", "filed_in_confidence")
    return kind


def _refuse(case: Case, command: Refuse, context: Context) -> Change:
    names = transitions.named(context.refusal_reasons, [command.reason], "reason")
    called = {"reason_fa": names[command.reason]["name_fa"], "reason_en": names[command.reason]["name_en"]}
    after = transitions.moved(
        case,
        context,
        refusal_reason=command.reason,
        refusal_explanation=command.explanation,
        refusal_address=command.address,
        refused_on=context.today,
        names={**case.names, "refusal": names},
    )
    fields = {"reason": command.reason, **called}
    details = {**fields, "text": command.explanation, "address": command.address}
    return transitions.change_of(case, after, "refused", CaseRefused, details=details, fields=fields)


def _assign(case: Case, command: Assign, context: Context) -> Change:
    chosen = context.loaded(AssignmentFacts).chosen
    if chosen is None and command.inspector is None:
        raise Conflict(reason="nobody_free")
    if chosen is None or not chosen.inspector:
        raise transitions.wrong("inspector", "not_an_inspector")
    if not chosen.active:
        raise transitions.wrong("inspector", "inactive")
    if chosen.conflicted:
        raise transitions.wrong("inspector", "conflict_of_interest")
    if case.stage is Stage.REVIEW and chosen.staff_id in case.excluded_staff:
        raise transitions.wrong("inspector", "decided_it_before")
    if chosen.staff_id == case.handler:
        raise AlreadyHandles
    entry = "assigned" if case.handler is None else "handed_over"
    # What the one before proposed was theirs.
    after = transitions.moved(without_handler(case), context, handler=chosen.staff_id, proposal=None)
    return transitions.change_of(case, after, entry, CaseAssigned, details={"inspector": str(chosen.staff_id)})


COMMANDS = (
    transitions.CommandRule(
        StartScreening, {Stage.REGISTERED: Stage.SCREENING}, transitions.BY_SCREENER, _start_screening
    ),
    transitions.CommandRule(
        Correct,
        transitions.staying_in(Stage.SCREENING, *AT_WORK),
        transitions.BY_SCREENER,
        _correct,
        guard=_may_correct,
    ),
    transitions.CommandRule(
        Refuse, {Stage.SCREENING: Stage.REFUSED}, transitions.BY_SCREENER, _refuse, waits_for_proposal=True
    ),
    transitions.CommandRule(
        Assign,
        {Stage.SCREENING: Stage.INVESTIGATING, **transitions.staying_in(*AT_WORK, Stage.REVIEW)},
        transitions.BY_SCREENER,
        _assign,
        guard=transitions.has_unit,
    ),
)
