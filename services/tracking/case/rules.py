"""The rules of a case's life (DOMAIN: The life of a case) as pure functions: a case, a command and what must be known →
a Change. Nothing here reads a clock, a database or a message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from contracts.errors import (
    AlreadyHandles,
    ClosedUnit,
    Conflict,
    EvidenceFull,
    GroundNotForKind,
    NotAllowed,
    UnknownGround,
    UnknownUnit,
    UnknownUpload,
    WrongStage,
)
from contracts.gateway import Actor
from contracts.tracking import (
    AddEvidence,
    AnswerQuestion,
    AskCitizen,
    AskUnit,
    Assign,
    CaseAssigned,
    CaseCorrected,
    CaseMerged,
    CaseObjected,
    CaseRated,
    CaseRefused,
    CaseReopened,
    CaseStageChanged,
    CaseWithdrawn,
    CitizenAnswered,
    CitizenAsked,
    CitizenCommand,
    Close,
    Correct,
    EvidenceAdded,
    EvidenceRefused,
    JoinedCaseDecided,
    JoinedCaseRefused,
    Merge,
    NoteAdded,
    RaiseObjection,
    Rate,
    Refuse,
    SendEvidence,
    StaffCommand,
    StartScreening,
    UnitAnswered,
    UnitAsked,
    Withdraw,
)
from contracts.vocabulary import OPEN_STAGES, ActorKind, Outcome, Role, Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import (
    ASKED,
    EVIDENCE_MOST,
    GIVES_WAY,
    PERMISSIONS,
    REASONS_OF_THE_MATTER,
    STANDS_STILL,
    TRANSITIONS,
    Case,
    Change,
    Context,
    Question,
    TimelineEntry,
    UnitFacts,
)
from services.tracking.case.transitions import change_of, days_of, leads_to, named, wrong
from services.tracking.decisions import rules as decisions
from services.tracking.inquiry import rules as inquiry
from services.tracking.reference.workdays import Deadlines, Workdays, day_of


def authorise(case: Case, name: str, actor: Actor) -> None:
    """NotAllowed unless a role of the actor gives this command on this case."""
    roles = [role for role in actor.roles if name in PERMISSIONS.get(role, frozenset())]
    if actor.kind is not ActorKind.STAFF or not roles:
        raise NotAllowed
    if roles == [Role.INSPECTOR] and str(case.handler) != actor.id:
        raise NotAllowed


def opened(case: Case, workdays: Workdays, days: Deadlines) -> Case:
    """A case at its beginning, its clock set from the day of filing."""
    begun = deadlines.begun(replace(case, stage=Stage.REGISTERED), day_of(case.filed_at), (workdays, days))
    begun = replace(begun, first_due_on=deadlines.first_due(case, workdays, days))
    return replace(begun, look_on=min(alarm.day for alarm in deadlines.alarms(begun, workdays, days)))


def act(case: Case, command: StaffCommand, context: Context) -> Change:
    """A command of staff. Raises NotAllowed, WrongStage, or an Invalid that says what is wrong with the command."""
    return deadlines.scheduled(_act(case, command, context), context)


def _act(case: Case, command: StaffCommand, context: Context) -> Change:
    authorise(case, command.type, context.actor)
    if case.proposal is not None and command.type in STANDS_STILL:
        raise WrongStage(stage=case.stage, command=command.type)
    if command.type in GIVES_WAY and case.stage in ASKED and _overdue(context):
        lapse = _lapse(case, context)
        change = _ACTS[command.type](lapse.case, command, replace(context, question=None))
        return replace(change, entries=[lapse, *change.entries], lapsed=True)
    leads_to(case, command.type)
    return _ACTS[command.type](case, command, context)


def act_as_citizen(case: Case, command: CitizenCommand, context: Context) -> Change:
    """A command of the one who filed the case. Raises WrongStage."""
    leads_to(case, command.type)
    return deadlines.scheduled(_ACTS[command.type](case, command, context), context)


def possible(case: Case, today: date) -> list[str]:
    """What the citizen can do now, of answer_question, withdraw, object and rate."""
    names = [name for name in ("answer_question", "withdraw", "object", "rate") if case.stage in TRANSITIONS[name]]
    return [name for name in names if name != "object" or _may_object(case, today)]


def evidence_left(case: Case, sent: int) -> int:
    """How many more files its citizen may send now, who has sent so many."""
    return max(0, EVIDENCE_MOST - sent) if case.stage in TRANSITIONS["send_evidence"] else 0


def _overdue(context: Context) -> bool:
    return context.question is None or context.today > context.question.due_on


def _may_object(case: Case, today: date) -> bool:
    return not case.final and case.objection_until is not None and today <= case.objection_until


def _resumed(case: Case, stage: Stage, context: Context) -> Case:
    """Back at work, with no question open."""
    return deadlines.resumed(replace(case, stage=stage, asking=None), context.today, context.workdays)


def _asking(case: Case, asked: Question, days: int, context: Context) -> Case:
    """The case while this question waits for its answer."""
    due = asked.due_on.isoformat()
    told = tuple(mark for mark in case.told if not mark.startswith(("unit:", "citizen:")))
    asking = {"unit": asked.unit, "on": context.today.isoformat(), "days": days, "due_on": due}
    return replace(case, asking=asking, told=told)


def _lapse(case: Case, context: Context) -> TimelineEntry:
    question = {"question_id": str(context.question.question_id)} if context.question else {}
    after = _resumed(case, leads_to(case, "lapse"), context)
    return TimelineEntry("question_lapsed", after, CaseStageChanged, question, {}, case.stage)


# --- screening ---


def _start_screening(case: Case, command: StartScreening, context: Context) -> Change:
    return change_of(case, replace(case, stage=leads_to(case, command.type)), "screening_started", CaseStageChanged)


def _correct(case: Case, command: Correct, context: Context) -> Change:
    changes: dict[str, Any] = {}
    if command.unit is not None and command.unit != case.unit:
        unit = _unit(context)
        changes |= {"unit": unit.code, "unit_name_fa": unit.name_fa, "unit_name_en": unit.name_en}
    if command.ground is not None and command.ground != case.ground:
        if context.ground_kinds is None:
            raise UnknownGround
        if case.kind not in context.ground_kinds:
            raise GroundNotForKind
        changes["ground"] = command.ground
    since = case.due_from or day_of(case.filed_at)
    if command.urgent is not None and command.urgent != case.urgent:
        since = context.today if command.urgent else day_of(case.filed_at)
        changes["urgent"] = command.urgent
    told = {name: changes[name] for name in ("unit", "ground", "urgent") if name in changes}
    if not told:
        raise wrong("command", "changes_nothing")
    before = {name: getattr(case, name) for name in told}
    after = replace(case, **changes)
    if "urgent" in told or days_of(after, "decision", context) != days_of(case, "decision", context):
        after = deadlines.begun(after, since, (context.workdays, context.deadlines))
    return change_of(
        case,
        after,
        "corrected",
        CaseCorrected,
        details={"before": before, "after": told},
    )


def _unit(context: Context) -> UnitFacts:
    if context.unit is None or context.unit.root:
        raise UnknownUnit
    if not context.unit.active:
        raise ClosedUnit
    return context.unit


def _refuse(case: Case, command: Refuse, context: Context) -> Change:
    names = named(context.refusal_reasons, [command.reason], "command.reason")
    called = {"reason_fa": names[command.reason]["name_fa"], "reason_en": names[command.reason]["name_en"]}
    after = replace(
        case,
        stage=leads_to(case, command.type),
        refusal_reason=command.reason,
        refusal_explanation=command.explanation,
        refusal_address=command.address,
        refused_on=context.today,
        names={**case.names, "refusal": names},
    )
    told = {"reason": command.reason, **called}
    details = {**told, "text": command.explanation, "address": command.address}
    return change_of(case, after, "refused", CaseRefused, details=details, fields=told)


def _merge(case: Case, command: Merge, context: Context) -> Change:
    if context.target is None:
        raise wrong("command.into", "unknown_case")
    if context.target.case_id == case.case_id:
        raise wrong("command.into", "itself")
    if context.target.stage not in OPEN_STAGES:
        raise wrong("command.into", "not_open")
    after = replace(case, stage=leads_to(case, command.type), merged_into=command.into)
    details = {"into": str(command.into), "number": context.target.number}
    return change_of(case, after, "merged", CaseMerged, details=details, fields={"into": command.into})


def duplicate_merged(target: Case, merged: Case) -> Change:
    """What a merge leaves in the case that goes on."""
    return change_of(target, target, "duplicate_joined", NoteAdded, details={"number": merged.number})


def merged_case_ended(case: Case, entry: Mapping[str, Any], heard: bool, context: Context) -> Change:
    """What a merged case hears of the one it goes on in: of a decision the outcome, of a refusal that lies in the matter the
    reason, and nothing of who else complained. Any other end was another citizen's: the case is its own again, unless it
    has `heard` an outcome already.

    `entry`: what the timeline of the other said, with its `entry`, `details` and the `number` of that case.
    """
    told = entry["details"]
    if entry["entry"] in ("decided", "joined_decided"):
        outcome = {"outcome": Outcome(told["outcome"]), "final": told["final"]}
        return change_of(case, case, "joined_decided", JoinedCaseDecided, details=outcome, fields=outcome)
    if entry["entry"] != "withdrawn" and told["reason"] in REASONS_OF_THE_MATTER:
        reason = {name: told.get(name) for name in ("reason", "reason_fa", "reason_en")}
        details = {**reason, "address": told.get("address")}
        return change_of(case, case, "joined_refused", JoinedCaseRefused, details=details, fields=reason)
    return Change(case, []) if heard else _parted(case, entry, context)


def _parted(case: Case, entry: Mapping[str, Any], context: Context) -> Change:
    """Back to screening, owed anew from today: the first day may be long past."""
    own = replace(case, stage=leads_to(case, "part"), merged_into=None, calendar=context.calendar)
    own = deadlines.begun(own, context.today, (context.workdays, context.deadlines))
    details = {"number": entry["number"], "after": entry["entry"]}
    return deadlines.scheduled(change_of(case, own, "reopened", CaseReopened, details=details), context)


def _assign(case: Case, command: Assign, context: Context) -> Change:
    if case.unit is None:
        raise wrong("unit", "not_set")
    chosen = context.staff
    if chosen is None and command.inspector is None:
        raise Conflict(reason="nobody_free")
    if chosen is None or not chosen.inspector:
        raise wrong("command.inspector", "not_an_inspector")
    if not chosen.active:
        raise wrong("command.inspector", "inactive")
    if chosen.conflicted:
        raise wrong("command.inspector", "conflict_of_interest")
    if case.stage is Stage.REVIEW and chosen.staff_id in case.barred:
        raise wrong("command.inspector", "decided_it_before")
    if chosen.staff_id == case.handler:
        raise AlreadyHandles
    entry = "assigned" if case.handler is None else "handed_over"
    # What the one before proposed was theirs.
    after = replace(_without_handler(case), stage=leads_to(case, command.type), handler=chosen.staff_id, proposal=None)
    details = {"inspector": str(chosen.staff_id)}
    return change_of(case, after, entry, CaseAssigned, details=details)


def _without_handler(case: Case) -> Case:
    if case.handler is None:
        return case
    kept = tuple(one for one in case.previous_handlers if one != case.handler)
    return replace(case, handler=None, previous_handlers=(*kept, case.handler))


# --- the inquiry ---


def _ask_citizen(case: Case, command: AskCitizen, context: Context) -> Change:
    days = days_of(case, "citizen", context)
    due = context.workdays.after(context.today, days)
    asked = Question(context.new_id, None, command.text, context.now, due)
    after = deadlines.paused(replace(case, stage=leads_to(case, command.type)), context.today)
    after = _asking(after, asked, days, context)
    details = {"question_id": str(asked.question_id), "text": command.text}
    fields = {"question_id": asked.question_id}
    return change_of(case, after, "citizen_asked", CitizenAsked, details=details, fields=fields, asked=asked)


def _ask_unit(case: Case, command: AskUnit, context: Context) -> Change:
    unit = _unit(context)
    if not set(command.media) <= context.media:
        raise UnknownUpload
    days = days_of(case, "unit", context)
    due = context.workdays.after(context.today, days)
    asked = Question(context.new_id, unit.code, command.text, context.now, due, tuple(dict.fromkeys(command.media)))
    after = _asking(replace(case, stage=leads_to(case, command.type)), asked, days, context)
    details = {
        "question_id": str(asked.question_id),
        "unit": unit.code,
        "text": command.text,
        "due_on": due.isoformat(),
        "media": list(asked.media),
    }
    fields = {"question_id": asked.question_id, "unit_asked": unit.code, "due_on": due}
    return change_of(case, after, "unit_asked", UnitAsked, details=details, fields=fields, asked=asked)


def answer_unit_question(case: Case, question_id: UUID, text: str, uploads: Sequence[str], context: Context) -> Change:
    """A unit's answer to a question put to it. WrongStage when it is answered or over."""
    if context.question is None or context.question.question_id != question_id:
        raise WrongStage(stage=case.stage, command="answer_unit_question")
    stage = leads_to(case, "answer_unit_question")
    about = {
        "question_id": context.question.question_id,
        "unit_asked": context.question.unit,
        "uploads": list(uploads),
    }
    details = {
        "question_id": str(context.question.question_id),
        "unit": context.question.unit,
        "text": text,
        "uploads": list(uploads),
    }
    after = replace(case, stage=stage, asking=None)
    change = change_of(
        case,
        after,
        "unit_answered",
        UnitAnswered,
        details=details,
        fields=about,
        answered=text,
        uploads=tuple(uploads),
    )
    return deadlines.scheduled(change, context)


def _add_evidence(case: Case, command: AddEvidence, context: Context) -> Change:
    uploads = tuple(dict.fromkeys(command.uploads))
    known = {"uploads": list(uploads)}
    return change_of(case, case, "evidence_added", EvidenceAdded, details=known, fields=known, uploads=uploads)


def refuse_evidence(case: Case, media: Sequence[str], first: bool) -> Change:
    """What the citizen sent cannot be taken. `first`: the first of this case."""
    known = {"media": list(media)}
    return change_of(case, case, "evidence_refused", EvidenceRefused, details=known, fields={**known, "first": first})


def _close(case: Case, command: Close, context: Context) -> Change:
    # Closing would take the right to object away.
    if case.stage is Stage.DECIDED and _may_object(case, context.today):
        raise WrongStage(stage=case.stage, command=command.type)
    return change_of(case, replace(case, stage=leads_to(case, command.type)), "closed", CaseStageChanged)


# --- the citizen ---


def _answer_question(case: Case, command: AnswerQuestion, context: Context) -> Change:
    assert context.question is not None
    uploads = tuple(dict.fromkeys(command.uploads))
    question_id = context.question.question_id
    return change_of(
        case,
        _resumed(case, leads_to(case, command.type), context),
        "citizen_answered",
        CitizenAnswered,
        details={"question_id": str(question_id), "text": command.text, "uploads": list(uploads)},
        fields={"question_id": question_id, "uploads": list(uploads)},
        answered=command.text,
        uploads=uploads,
    )


def _send_evidence(case: Case, command: SendEvidence, context: Context) -> Change:
    uploads = tuple(dict.fromkeys(one for one in command.uploads if one not in context.media))
    if not uploads:
        return Change(case, [])  # the case has them all
    if len(context.sent) + len(uploads) > EVIDENCE_MOST:
        raise EvidenceFull(limit=EVIDENCE_MOST)
    known = {"uploads": list(uploads)}
    fields = {**known, "by_citizen": True}
    return change_of(case, case, "evidence_sent", EvidenceAdded, details=known, fields=fields, uploads=uploads)


def _withdraw(case: Case, command: Withdraw, context: Context) -> Change:
    after = replace(case, stage=leads_to(case, command.type), paused_on=None, asking=None, proposal=None)
    lapsed = context.question is not None
    return change_of(case, after, "withdrawn", CaseWithdrawn, details={"text": command.reason}, lapsed=lapsed)


def _object(case: Case, command: RaiseObjection, context: Context) -> Change:
    if not _may_object(case, context.today):
        raise WrongStage(stage=case.stage, command=command.type)
    after = replace(_without_handler(case), stage=leads_to(case, command.type), paused_on=None)
    after = deadlines.begun(after, context.today, (context.workdays, context.deadlines))
    return change_of(case, after, "objected", CaseObjected, details={"text": command.text})


def _rate(case: Case, command: Rate, context: Context) -> Change:
    after = replace(case, score=command.score)
    details = command.model_dump(mode="json", exclude={"type"}, exclude_none=True)
    return change_of(case, after, "rated", CaseRated, details=details, fields={"score": command.score})


def note(case: Case, details: Mapping[str, Any]) -> Change:
    """A line of the office's own timeline that changes nothing."""
    return change_of(case, case, "noted", NoteAdded, details=details)


_ACTS: Mapping[str, Callable[..., Change]] = {
    "start_screening": _start_screening,
    "correct": _correct,
    "refuse": _refuse,
    "merge": _merge,
    "assign": _assign,
    "ask_citizen": _ask_citizen,
    "ask_unit": _ask_unit,
    "add_note": inquiry.add_note,
    "remind": inquiry.remind,
    "add_check": inquiry.add_check,
    "tick_check": inquiry.tick_check,
    "link_case": inquiry.link_case,
    "add_evidence": _add_evidence,
    "decide": decisions.decide,
    "propose": decisions.propose,
    "approve": decisions.approve,
    "return_proposal": decisions.return_proposal,
    "settle_recommendation": decisions.settle,
    "close": _close,
    "answer_question": _answer_question,
    "send_evidence": _send_evidence,
    "withdraw": _withdraw,
    "object": _object,
    "rate": _rate,
}
