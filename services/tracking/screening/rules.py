"""Screening: a case is read, set right, refused, or accepted by assigning it to an inspector. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from contracts.errors import AlreadyHandles, Conflict, GroundNotForKind, UnknownGround
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
from contracts.vocabulary import Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import AT_WORK, Case, Change, Context, StaffFacts, UnitFacts, known_unit
from services.tracking.case.rules import without_handler
from services.tracking.case.transitions import (
    BY_SCREENER,
    CommandRule,
    change_of,
    days_of,
    moved,
    named,
    staying_in,
    wrong,
)
from services.tracking.reference.workdays import day_of


@dataclass(frozen=True)
class CorrectionFacts:
    """`unit`: None for an unknown one; `ground_kinds`: the kinds that the ground is offered for, None for an unknown one."""

    unit: UnitFacts | None = None
    ground_kinds: frozenset[str] | None = None


@dataclass(frozen=True)
class AssignmentFacts:
    """`chosen`: who was named or, where nobody was, who is free; None when there is no such person."""

    chosen: StaffFacts | None = None


def _start_screening(case: Case, command: StartScreening, context: Context) -> Change:
    return change_of(case, moved(case, context), "screening_started", CaseStageChanged)


def _correct(case: Case, command: Correct, context: Context) -> Change:
    facts = context.loaded(CorrectionFacts)
    changes: dict[str, Any] = {}
    if command.unit is not None and command.unit != case.unit:
        unit = known_unit(facts.unit)
        changes |= {"unit": unit.code, "unit_name_fa": unit.name_fa, "unit_name_en": unit.name_en}
    if command.ground is not None and command.ground != case.ground:
        if facts.ground_kinds is None:
            raise UnknownGround
        if case.kind not in facts.ground_kinds:
            raise GroundNotForKind
        changes["ground"] = command.ground
    since = case.due_from or day_of(case.filed_at)
    if command.urgent is not None and command.urgent != case.urgent:
        since = context.today if command.urgent else day_of(case.filed_at)
        changes["urgent"] = command.urgent
    corrected = {name: changes[name] for name in ("unit", "ground", "urgent") if name in changes}
    if not corrected:
        raise wrong("command", "changes_nothing")
    before = {name: getattr(case, name) for name in corrected}
    after = replace(case, **changes)
    if "urgent" in corrected or days_of(after, "decision", context) != days_of(case, "decision", context):
        after = deadlines.with_clock_started(after, since, (context.workdays, context.deadlines))
    return change_of(
        case,
        after,
        "corrected",
        CaseCorrected,
        details={"before": before, "after": corrected},
    )


def _refuse(case: Case, command: Refuse, context: Context) -> Change:
    names = named(context.refusal_reasons, [command.reason], "command.reason")
    called = {"reason_fa": names[command.reason]["name_fa"], "reason_en": names[command.reason]["name_en"]}
    after = moved(
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
    return change_of(case, after, "refused", CaseRefused, details=details, fields=fields)


def _assign(case: Case, command: Assign, context: Context) -> Change:
    if case.unit is None:
        raise wrong("unit", "not_set")
    chosen = context.loaded(AssignmentFacts).chosen
    if chosen is None and command.inspector is None:
        raise Conflict(reason="nobody_free")
    if chosen is None or not chosen.inspector:
        raise wrong("command.inspector", "not_an_inspector")
    if not chosen.active:
        raise wrong("command.inspector", "inactive")
    if chosen.conflicted:
        raise wrong("command.inspector", "conflict_of_interest")
    if case.stage is Stage.REVIEW and chosen.staff_id in case.excluded_staff:
        raise wrong("command.inspector", "decided_it_before")
    if chosen.staff_id == case.handler:
        raise AlreadyHandles
    entry = "assigned" if case.handler is None else "handed_over"
    # What the one before proposed was theirs.
    after = moved(without_handler(case), context, handler=chosen.staff_id, proposal=None)
    return change_of(case, after, entry, CaseAssigned, details={"inspector": str(chosen.staff_id)})


COMMANDS = (
    CommandRule(StartScreening, {Stage.REGISTERED: Stage.SCREENING}, BY_SCREENER, _start_screening),
    CommandRule(Correct, staying_in(Stage.SCREENING), BY_SCREENER, _correct),
    CommandRule(Refuse, {Stage.SCREENING: Stage.REFUSED}, BY_SCREENER, _refuse),
    CommandRule(
        Assign,
        {Stage.SCREENING: Stage.INVESTIGATING, **staying_in(*AT_WORK, Stage.REVIEW)},
        BY_SCREENER,
        _assign,
    ),
)
