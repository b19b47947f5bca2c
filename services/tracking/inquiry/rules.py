"""The inquiry: questions to the citizen and to units; and what helps an inspector along: notes that mention others, reminders,
a checklist, cases that belong together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from contracts.errors import NobodyAnswersForUnit, UnknownUpload, WrongStage
from contracts.tracking import (
    AddCheck,
    AddNote,
    AnswerQuestion,
    AskCitizen,
    AskUnit,
    CaseReminded,
    CaseResumed,
    CaseStageChanged,
    CitizenAnswered,
    CitizenAsked,
    LinkCase,
    NoteAdded,
    Remind,
    ShownCommand,
    TickCheck,
    UnitAnswered,
    UnitAsked,
)
from contracts.vocabulary import Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import (
    ASKED,
    AT_WORK,
    Case,
    Change,
    Context,
    Effect,
    Question,
    TimelineEntry,
    UnitFacts,
    require_open_unit,
)
from services.tracking.case.transitions import (
    BY_CITIZEN,
    BY_INSPECTOR,
    CommandRule,
    Hindrance,
    Transitions,
    change_of,
    days_of,
    moved,
    next_stage,
    not_at_this_stage,
    staying_in,
    wrong,
)
from services.tracking.case.unanswered import may_reopen
from services.tracking.evidence.rules import attached
from services.tracking.reference.workdays import ONE_DAY

MOST_CHECKS = 50
MOST_LINKS = 50

OTHER_TRANSITIONS: Mapping[str, Transitions] = {
    "answer_unit_question": {Stage.AWAITING_UNIT: Stage.INVESTIGATING},
    # A question whose time has passed gives way to the next step of the inquiry.
    "lapse": dict.fromkeys(ASKED, Stage.INVESTIGATING),
    "close_unanswered": {Stage.AWAITING_CITIZEN: Stage.CLOSED},
    "resume": {Stage.CLOSED: Stage.INVESTIGATING},
}
"""Not of a command of the case: a unit's answer, a question that lapses, a case that is closed since its citizen did not answer,
and one that goes on since they asked for it by SMS."""


# --- effects and facts ---


@dataclass(frozen=True)
class QuestionAsked(Effect):
    """A question waits for its answer."""

    question: Question


@dataclass(frozen=True)
class QuestionAnswered(Effect):
    """The open question has its answer."""

    question_id: UUID
    answer: str


@dataclass(frozen=True)
class QuestionLapsed(Effect):
    """The open question is over without an answer."""

    question_id: UUID


@dataclass(frozen=True)
class QuestionDueMoved(Effect):
    """The open question of the case has another last day."""

    due_on: date


@dataclass(frozen=True)
class Reminder:
    """Who is to be reminded of what, on which day."""

    reminder_id: UUID
    staff_id: UUID
    on: date
    text: str


@dataclass(frozen=True)
class ReminderSet(Effect):
    """Somebody is to be reminded."""

    reminder: Reminder


@dataclass(frozen=True)
class UnitQuestionFacts:
    """`unit`: the one that is asked, None for an unknown one; `media`: all of the case; `liaison`: somebody answers for the
    unit."""

    unit: UnitFacts | None = None
    media: frozenset[str] = frozenset()
    liaison: bool = False


@dataclass(frozen=True)
class NoteFacts:
    """Those mentioned in a note who may see the case."""

    may_see: frozenset[UUID] = frozenset()


# --- questions ---


def answer_is_overdue(context: Context) -> bool:
    """Whether nobody need wait for the open question's answer any longer."""
    return context.question is None or context.today > context.question.due_on


def question_lapsed(question: Question | None) -> tuple[Effect, ...]:
    """The effect of the open question, if there is one, being over."""
    return (QuestionLapsed(question.question_id),) if question is not None else ()


def lapse(case: Case, context: Context) -> Change:
    """The open question gives way: the case is back at work."""
    after = _resumed(case, next_stage(case, OTHER_TRANSITIONS["lapse"], "lapse"), context)
    details = {"question_id": str(context.question.question_id)} if context.question else {}
    effects = question_lapsed(context.question)
    fields = {"unit_released": context.question.unit if context.question else None}
    return change_of(case, after, "question_lapsed", CaseStageChanged, *effects, details=details, fields=fields)


def resume(case: Case, context: Context) -> Change:
    """A case that was closed as unanswered goes on without the answer. WrongStage when it was not, or the time is over."""
    if not may_reopen(case, context.today):
        raise WrongStage(stage=case.stage, command="resume")
    after = _resumed(case, next_stage(case, OTHER_TRANSITIONS["resume"], "resume"), context)
    change = change_of(case, after, "resumed", CaseResumed, *question_lapsed(context.question))
    return deadlines.with_next_check(change, context)


def rescheduled(case: Case, context: Context) -> Change:
    """The case and its open question under a calendar that has changed."""
    change = deadlines.rescheduled(case, context)
    pending_question = change.case.pending_question
    if pending_question is None or pending_question == case.pending_question:
        return change
    return replace(change, effects=(*change.effects, QuestionDueMoved(deadlines.due_of(pending_question))))


def _ask_citizen(case: Case, command: AskCitizen, context: Context) -> Change:
    days = days_of(case, "citizen", context)
    due = context.workdays.after(context.today, days)
    question = Question(context.new_id, None, command.text, context.now, due)
    after = deadlines.paused(moved(case, context), context.today)
    return change_of(
        case,
        _waiting(after, question, days, context),
        "citizen_asked",
        CitizenAsked,
        QuestionAsked(question),
        details={"question_id": str(question.question_id), "text": command.text},
        fields={"question_id": question.question_id},
    )


def _ask_unit(case: Case, command: AskUnit, context: Context) -> Change:
    facts = context.loaded(UnitQuestionFacts)
    unit = require_open_unit(facts.unit)
    if not facts.liaison:
        raise NobodyAnswersForUnit(unit=unit.code, name_fa=unit.name_fa, name_en=unit.name_en)
    if not set(command.media) <= facts.media:
        raise UnknownUpload
    days = days_of(case, "unit", context)
    due = context.workdays.after(context.today, days)
    media = tuple(dict.fromkeys(command.media))
    question = Question(context.new_id, unit.code, command.text, context.now, due, media)
    details = {
        "question_id": str(question.question_id),
        "unit": unit.code,
        "text": command.text,
        "due_on": due.isoformat(),
        "media": list(media),
    }
    return change_of(
        case,
        _waiting(moved(case, context), question, days, context),
        "unit_asked",
        UnitAsked,
        QuestionAsked(question),
        details=details,
        fields={"question_id": question.question_id, "unit_asked": unit.code, "due_on": due},
    )


def _may_answer(case: Case, context: Context) -> Hindrance | None:
    if case.stage is Stage.CLOSED and not may_reopen(case, context.today):
        return not_at_this_stage(case, AnswerQuestion, "too_late", "deadline_passed" if case.unanswered else "closed")
    return None


def _answer_question(case: Case, command: AnswerQuestion, context: Context) -> Change:
    assert context.question is not None
    assert context.next_stage is not None
    uploads = tuple(dict.fromkeys(command.uploads))
    question_id = context.question.question_id
    return change_of(
        case,
        _resumed(case, context.next_stage, context),
        "citizen_answered",
        CitizenAnswered,
        QuestionAnswered(question_id, command.text),
        *attached(uploads, question_id),
        details={"question_id": str(question_id), "text": command.text, "uploads": list(uploads)},
        fields={"question_id": question_id, "uploads": list(uploads)},
    )


def answer_unit_question(case: Case, question_id: UUID, text: str, uploads: Sequence[str], context: Context) -> Change:
    """A unit's answer to a question put to it. WrongStage when it is answered or over."""
    question = context.question
    if question is None or question.question_id != question_id:
        raise WrongStage(stage=case.stage, command="answer_unit_question")
    stage = next_stage(case, OTHER_TRANSITIONS["answer_unit_question"], "answer_unit_question")
    change = change_of(
        case,
        replace(case, stage=stage, pending_question=None),
        "unit_answered",
        UnitAnswered,
        QuestionAnswered(question_id, text),
        *attached(uploads, question_id),
        details={"question_id": str(question_id), "unit": question.unit, "text": text, "uploads": list(uploads)},
        fields={"question_id": question_id, "unit_asked": question.unit, "uploads": list(uploads)},
    )
    return deadlines.with_next_check(change, context)


def shown_to_unit(answered: bool, lapsed: bool) -> ShownCommand:
    """What a unit's liaison may do about a question put to the unit."""
    if not answered and not lapsed:
        return ShownCommand(type="answer_unit_question", possible=True)
    code = "answered" if answered else "lapsed"
    return ShownCommand(type="answer_unit_question", possible=False, why="too_late", code=code)


def _resumed(case: Case, stage: Stage, context: Context) -> Case:
    """Back at work, with no question open."""
    # The time to object, if there is any, was that to reopen it.
    after = replace(case, stage=stage, pending_question=None, objection_until=None)
    return deadlines.resumed(after, context.today, context.workdays)


def _waiting(case: Case, question: Question, days: int, context: Context) -> Case:
    """The case while this question waits for its answer."""
    alarms_raised = tuple(mark for mark in case.alarms_raised if not mark.startswith(("unit:", "citizen:")))
    due = question.due_on.isoformat()
    pending_question = {"unit": question.unit, "on": context.today.isoformat(), "days": days, "due_on": due}
    return replace(case, pending_question=pending_question, alarms_raised=alarms_raised)


# --- notes and reminders ---


def _add_note(case: Case, command: AddNote, context: Context) -> Change:
    """Those mentioned are notified, so they must be such as may see the case."""
    mentioned = list(dict.fromkeys(command.mentions))
    if not set(mentioned) <= context.loaded(NoteFacts).may_see:
        raise wrong("mentions", "may_not_see_it")
    mentions = {"mentions": [str(staff_id) for staff_id in mentioned]} if mentioned else {}
    fields = {"mentions": mentioned}
    return change_of(case, case, "note_added", NoteAdded, details={"text": command.text, **mentions}, fields=fields)


def _remind(case: Case, command: Remind, context: Context) -> Change:
    """On a day to come."""
    if command.on <= context.today:
        raise wrong("on", "not_to_come")
    reminder = Reminder(context.new_id, UUID(context.actor.id), command.on, command.text)
    details = {"on": command.on.isoformat(), "text": command.text}
    return change_of(case, case, "reminder_set", NoteAdded, ReminderSet(reminder), details=details)


def reminded(case: Case, due: Iterable[Reminder]) -> Change:
    """The day of these reminders has come."""
    entries = [
        TimelineEntry(
            "reminded",
            case,
            CaseReminded,
            {"staff": str(reminder.staff_id), "text": reminder.text},
            {"staff": reminder.staff_id},
        )
        for reminder in due
    ]
    return Change(case, entries)


# --- the checklist ---


def _has_place_for_check(case: Case, context: Context) -> Hindrance | None:
    full = len(case.checklist) >= MOST_CHECKS
    return Hindrance("too_late", "too_many", wrong("text", "too_many")) if full else None


def _add_check(case: Case, command: AddCheck, context: Context) -> Change:
    """At the end of the list."""
    item = {"item_id": str(context.new_id), "text": command.text, "done": False}
    after = replace(case, checklist=(*case.checklist, item))
    return change_of(case, after, "check_added", NoteAdded, details={"item_id": item["item_id"], "text": command.text})


def _checks(case: Case, context: Context) -> dict[str, str]:
    return {item["item_id"]: item["text"] for item in case.checklist}


def _tick_check(case: Case, command: TickCheck, context: Context) -> Change:
    """Done, or not done after all."""
    wanted = str(command.item_id)
    item = next((entry for entry in case.checklist if entry["item_id"] == wanted), None)
    if item is None:
        raise wrong("item_id", "unknown_item")
    if item["done"] == command.done:
        raise wrong("body", "changes_nothing")
    ticked = {"item_id": wanted, "text": item["text"], "done": command.done}
    if command.done:
        ticked |= {"done_by": context.actor.id, "done_at": context.now.isoformat()}
    checklist = tuple(ticked if entry is item else entry for entry in case.checklist)
    details = {"item_id": wanted, "done": command.done}
    return change_of(case, replace(case, checklist=checklist), "check_ticked", NoteAdded, details=details)


# --- linked cases ---


def _link_case(case: Case, command: LinkCase, context: Context) -> Change:
    """With a case that the giver may know of."""
    if context.other_case is None:
        raise wrong("to", "unknown_case")
    if context.other_case.case_id == case.case_id:
        raise wrong("to", "itself")
    return linked(case, context.other_case, command.linked)


def linked(case: Case, other: Case, together: bool) -> Change:
    """One side of a link; the other case gets the same."""
    name = str(other.case_id)
    if (name in case.links) == together:
        raise wrong("body", "changes_nothing")
    if together and len(case.links) >= MOST_LINKS:
        raise wrong("to", "too_many")
    links = (*case.links, name) if together else tuple(link for link in case.links if link != name)
    entry = "linked" if together else "unlinked"
    return change_of(case, replace(case, links=links), entry, NoteAdded, details={"case_id": name})


COMMANDS = (
    CommandRule(
        AskCitizen,
        {Stage.INVESTIGATING: Stage.AWAITING_CITIZEN},
        BY_INSPECTOR,
        _ask_citizen,
        lapses_question=True,
        waits_for_proposal=True,
    ),
    CommandRule(
        AskUnit,
        {Stage.INVESTIGATING: Stage.AWAITING_UNIT},
        BY_INSPECTOR,
        _ask_unit,
        lapses_question=True,
        waits_for_proposal=True,
    ),
    CommandRule(AddNote, staying_in(Stage.SCREENING, *AT_WORK, Stage.REVIEW, Stage.DECIDED), BY_INSPECTOR, _add_note),
    CommandRule(
        Remind,
        staying_in(*AT_WORK, Stage.REVIEW, Stage.DECIDED),
        BY_INSPECTOR,
        _remind,
        bounds=lambda case, context: {"on": {"earliest": (context.today + ONE_DAY).isoformat()}},
    ),
    CommandRule(AddCheck, staying_in(*AT_WORK, Stage.REVIEW), BY_INSPECTOR, _add_check, guard=_has_place_for_check),
    CommandRule(TickCheck, staying_in(*AT_WORK, Stage.REVIEW), BY_INSPECTOR, _tick_check, choices={"item_id": _checks}),
    CommandRule(
        LinkCase,
        staying_in(*AT_WORK, Stage.REVIEW, Stage.DECIDED),
        BY_INSPECTOR,
        _link_case,
        other_case=lambda command: command.to,
        change_other=lambda other, case, command: linked(other, case, command.linked),
    ),
    CommandRule(
        AnswerQuestion,
        {Stage.AWAITING_CITIZEN: Stage.INVESTIGATING, Stage.CLOSED: Stage.INVESTIGATING},
        BY_CITIZEN,
        _answer_question,
        guard=_may_answer,
        in_summary=True,
    ),
)
