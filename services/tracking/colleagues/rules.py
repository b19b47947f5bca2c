"""Colleagues of a case's inspector: a second inspector on it, and inspectors who are asked without being given it. Pure.

Both are kept in the case: `staff`, `as` co_handler or consulted, `by` whom; of a consultation its id, its question and when. A
co-handler does what the inspector does, but for deciding who handles the case. Who is consulted sees the case, and does nothing
with it but answer. Both end with the case, and when they are no inspector any more or come into a conflict of interest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from contracts.errors import AlreadyHandles, NotAllowed
from contracts.tracking import (
    AddCoHandler,
    AnswerConsultation,
    ColleaguesChanged,
    ConsultColleague,
    EndConsultation,
    RemoveCoHandler,
)
from contracts.vocabulary import OPEN_STAGES, Stage
from services.tracking.case.lifecycle import (
    AT_WORK,
    CO_HANDLER,
    CONSULTED,
    Case,
    Change,
    Context,
    StaffFacts,
    TimelineEntry,
)
from services.tracking.case.transitions import (
    BY_INSPECTOR,
    CommandRule,
    Hindrance,
    change_of,
    handles,
    staying_in,
    wrong,
)

MOST_CONSULTED = 5
"""Open consultations of one case."""

_ENTRY = {CO_HANDLER: "co_handler_removed", CONSULTED: "consultation_ended"}


@dataclass(frozen=True)
class ColleagueFacts:
    """`colleague`: who was named; None for an unknown one."""

    colleague: StaffFacts | None = None


# --- commands ---


def _has_none(case: Case, context: Context) -> Hindrance | None:
    there = bool(case.co_handlers)
    return Hindrance("not_yet", "has_a_co_handler", wrong("inspector", "has_a_co_handler")) if there else None


def _add_co_handler(case: Case, command: AddCoHandler, context: Context) -> Change:
    staff_id = _named(case, context, "inspector")
    line = {"staff": str(staff_id), "as": CO_HANDLER, "by": context.actor.id}
    after = replace(case, colleagues=(*case.colleagues, line))
    return _changed(case, after, "co_handler_added", staff_id, details={"inspector": str(staff_id)})


def _remove_co_handler(case: Case, command: RemoveCoHandler, context: Context) -> Change:
    line = _line(case, CO_HANDLER, "staff", command.inspector)
    if line is None:
        raise wrong("inspector", "not_a_co_handler")
    after, entry = _ended(case, line)
    return Change(after, [entry])


def _has_place_for_advice(case: Case, context: Context) -> Hindrance | None:
    full = len(case.consulted) >= MOST_CONSULTED
    return Hindrance("not_yet", "too_many", wrong("colleague", "too_many")) if full else None


def _consult(case: Case, command: ConsultColleague, context: Context) -> Change:
    staff_id = _named(case, context, "colleague")
    if str(staff_id) in {line["staff"] for line in case.colleagues}:
        raise wrong("colleague", "sees_it_already")
    consultation_id = str(context.new_id)
    question_details = {"by": context.actor.id, "consultation_id": consultation_id, "text": command.text}
    line = {"staff": str(staff_id), "as": CONSULTED, **question_details, "at": context.now.isoformat()}
    details = {"consultation_id": consultation_id, "colleague": str(staff_id), "text": command.text}
    after = replace(case, colleagues=(*case.colleagues, line))
    return _changed(case, after, "colleague_consulted", staff_id, UUID(context.actor.id), details=details)


def _consultations(case: Case, context: Context) -> dict[str, str]:
    return {line["consultation_id"]: line["text"] for line in case.colleagues if line["as"] == CONSULTED}


def _own_consultations(case: Case, context: Context) -> dict[str, str]:
    """Those that the actor answers, be it as a deputy."""
    own, lines = (context.actor.id, str(context.on_behalf_of)), case.colleagues
    return {line["consultation_id"]: line["text"] for line in lines if line["as"] == CONSULTED and line["staff"] in own}


def _answer_consultation(case: Case, command: AnswerConsultation, context: Context) -> Change:
    """By who is asked alone, or their deputy; with the answer they see the case no more."""
    line = _consultation(case, command.consultation_id)
    if line["consultation_id"] not in _own_consultations(case, context):
        raise NotAllowed
    after = _without(case, [line])
    details = {"consultation_id": line["consultation_id"], "text": command.text}
    return _changed(case, after, "consultation_answered", UUID(line["staff"]), UUID(line["by"]), details=details)


def _end_consultation(case: Case, command: EndConsultation, context: Context) -> Change:
    """No answer is needed any more."""
    after, entry = _ended(case, _consultation(case, command.consultation_id))
    return Change(after, [entry])


def _named(case: Case, context: Context, field: str) -> UUID:
    """Whoever may be a colleague of this case's inspector, judged as who is to be made its inspector."""
    chosen = context.loaded(ColleagueFacts).colleague
    if chosen is None or not chosen.inspector:
        raise wrong(field, "not_an_inspector")
    if not chosen.active:
        raise wrong(field, "inactive")
    if chosen.conflicted:
        raise wrong(field, "conflict_of_interest")
    if case.stage is Stage.REVIEW and chosen.staff_id in case.excluded_staff:
        raise wrong(field, "decided_it_before")
    if chosen.staff_id == case.handler:
        raise AlreadyHandles
    if str(chosen.staff_id) == context.actor.id:
        raise wrong(field, "yourself")
    return chosen.staff_id


# --- ends ---


def end_with_case(change: Change) -> Change:
    """A change with what it does to the colleagues: they end when the case does, or has no inspector any more, and a co-handler
    who is made its inspector is one no longer. Who worked on a decision does not review the objection to it."""
    case = change.case
    if case.stage is Stage.DECIDED and case.co_handlers:
        case = replace(case, excluded_staff=tuple(dict.fromkeys((*case.excluded_staff, *case.co_handlers))))
    over = case.stage not in OPEN_STAGES or case.handler is None
    return _leaving(replace(change, case=case), lambda line: over or line["staff"] == str(case.handler), over)


def gone(case: Case, staff: Collection[UUID]) -> Change:
    """These are colleagues of the case no longer: they left the office, or must not see it."""
    leavers = {str(staff_id) for staff_id in staff}
    return _leaving(Change(case), lambda line: line["staff"] in leavers, False)


def _leaving(change: Change, leaves: Callable[[Mapping[str, Any]], bool], with_case: bool) -> Change:
    case, entries = change.case, list(change.entries)
    for line in [line for line in case.colleagues if leaves(line)]:
        case, entry = _ended(case, line, with_case)
        entries.append(entry)
    return replace(change, case=case, entries=entries)


def _ended(case: Case, line: Mapping[str, Any], with_case: bool = False) -> tuple[Case, TimelineEntry]:
    after, role = _without(case, [line]), line["as"]
    entry = _ENTRY[role]
    details = {"inspector": line["staff"]}
    if role == CONSULTED:
        details = {"consultation_id": line["consultation_id"], "colleague": line["staff"]}
    fields = {"what": entry, "colleague": UUID(line["staff"]), "ended_with_case": with_case}
    return after, TimelineEntry(entry, after, ColleaguesChanged, details, fields)


def _line(case: Case, role: str, name: str, value: UUID) -> Mapping[str, Any] | None:
    return next((line for line in case.colleagues if line["as"] == role and line[name] == str(value)), None)


def _consultation(case: Case, consultation_id: UUID) -> Mapping[str, Any]:
    line = _line(case, CONSULTED, "consultation_id", consultation_id)
    if line is None:
        raise wrong("consultation_id", "unknown_consultation")
    return line


def _without(case: Case, those: Iterable[Mapping[str, Any]]) -> Case:
    gone_lines = list(those)
    return replace(case, colleagues=tuple(line for line in case.colleagues if line not in gone_lines))


def _changed(
    case: Case, after: Case, entry: str, colleague: UUID, asked_by: UUID | None = None, *, details: Mapping[str, Any]
) -> Change:
    fields = {"what": entry, "colleague": colleague, "asked_by": asked_by}
    return change_of(case, after, entry, ColleaguesChanged, details=details, fields=fields)


def is_consulted(case: Case, actor_id: str) -> bool:
    """Whether this member of staff is asked for advice on the case."""
    return any(line["as"] == CONSULTED and line["staff"] == actor_id for line in case.colleagues)


_HANDLED = staying_in(*AT_WORK, Stage.REVIEW)
COMMANDS = (
    CommandRule(AddCoHandler, _HANDLED, BY_INSPECTOR, _add_co_handler, inspectors=handles, guard=_has_none),
    CommandRule(
        RemoveCoHandler,
        _HANDLED,
        BY_INSPECTOR,
        _remove_co_handler,
        inspectors=handles,
        choices={"inspector": lambda case, context: {str(staff_id): str(staff_id) for staff_id in case.co_handlers}},
    ),
    CommandRule(ConsultColleague, _HANDLED, BY_INSPECTOR, _consult, guard=_has_place_for_advice),
    CommandRule(
        AnswerConsultation,
        _HANDLED,
        BY_INSPECTOR,
        _answer_consultation,
        inspectors=is_consulted,
        choices={"consultation_id": _own_consultations},
        without_choice=("not_yours", "not_asked"),
    ),
    CommandRule(
        EndConsultation, _HANDLED, BY_INSPECTOR, _end_consultation, choices={"consultation_id": _consultations}
    ),
)
