"""Queries on reminders and on who may be mentioned, a line of comment each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, select, update

from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.tracking import AddNote, AskUnit
from services.tracking.case.access import may_see
from services.tracking.case.facts import FactsLoaders, FactsPart, FactsQuery, loaded_as
from services.tracking.case.json_queries import json_object
from services.tracking.case.lifecycle import Case, Question
from services.tracking.case.record import EffectWriter, EffectWriters, Recorded, ViewParts
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.evidence.store import MEDIA
from services.tracking.inquiry.rules import (
    NoteFacts,
    QuestionAnswered,
    QuestionAsked,
    QuestionDueMoved,
    QuestionLapsed,
    Reminder,
    ReminderSet,
    UnitQuestionFacts,
)
from services.tracking.models import cases, questions, reminders
from services.tracking.reference.store import liaisons_part, member_of_json, members_part


def lock_due(connection: Connection, today: date, limit: int) -> list[Case]:
    """Cases with a reminder whose day has come, locked; what another process holds is left to it."""
    due = select(reminders.c.case_id).where(reminders.c.on_day <= today, ~reminders.c.reminded).limit(limit)
    chosen = select(*CASE_COLUMNS).where(cases.c.case_id.in_(due))
    return [case_of(row) for row in connection.execute(chosen.with_for_update(skip_locked=True))]


def take_due(connection: Connection, case_id: UUID, today: date) -> list[Reminder]:
    """The reminders of a locked case whose day has come; from now on they count as sent."""
    chosen = update(reminders).where(reminders.c.case_id == case_id, reminders.c.on_day <= today, ~reminders.c.reminded)
    rows = connection.execute(chosen.values(reminded=True).returning(reminders)).all()
    return [Reminder(row.reminder_id, row.staff_id, row.on_day, row.text) for row in rows]


_WAITS = and_(questions.c.answered_at.is_(None), questions.c.lapsed_at.is_(None))
_OPEN_QUESTION = select(questions).where(questions.c.case_id == bindparam("case"), _WAITS)
_QUESTION = ("question_id", "unit", "text", "asked_at", "due_on", "media")
OPEN_QUESTION = (
    select(json_object(**{name: questions.c[name] for name in _QUESTION}))
    .where(questions.c.case_id == cases.c.case_id, _WAITS)
    .scalar_subquery()
)
"""The question that the case of a larger query waits for, as JSON."""


def open_question(connection: Connection, case_id: UUID) -> Question | None:
    """The question that this case waits for."""
    row = connection.execute(_OPEN_QUESTION, {"case": case_id}).first()
    if row is None:
        return None
    return Question(row.question_id, row.unit, row.text, row.asked_at, row.due_on, tuple(row.media))


def question_of_json(line: Mapping[str, Any] | None) -> Question | None:
    """The question of that JSON."""
    if line is None:
        return None
    asked_at, due_on = datetime.fromisoformat(line["asked_at"]), date.fromisoformat(line["due_on"])
    return Question(UUID(line["question_id"]), line["unit"], line["text"], asked_at, due_on, tuple(line["media"]))


def case_of_question(connection: Connection, question_id: UUID, below: Iterable[str]) -> UUID | None:
    """The case in which one of these units was asked this question."""
    chosen = select(questions.c.case_id).where(
        questions.c.question_id == question_id, questions.c.unit.in_(list(below))
    )
    return connection.execute(chosen).scalar()


# --- what changes of a case need and do ---


def _update(column: str, where: str) -> str:
    """SQL that sets a column of questions by the rows given. `where`: which of them."""
    return f"UPDATE questions SET {column} FROM {writes.given(questions)} WHERE {where}"


_THIS = "questions.question_id = given.question_id"
_ANSWER = _update("answer = given.answer, answered_at = given.answered_at", _THIS)
_LAPSE = _update("lapsed_at = given.lapsed_at", _THIS)
_MOVE = _update(
    "due_on = given.due_on",
    "questions.case_id = given.case_id AND questions.answered_at IS NULL AND questions.lapsed_at IS NULL",
)


def _write_question(effect: QuestionAsked, recorded: Recorded) -> list[Write]:
    return writes.insert(questions, [{**vars(effect.question), "case_id": recorded.case.case_id}])


def _show_question(parts: ViewParts, effect: QuestionAsked, recorded: Recorded) -> None:
    unanswered = {"answer": None, "answered_at": None, "lapsed_at": None}
    parts["questions"] = [*(parts["questions"] or []), {**vars(effect.question), **unanswered}]


def _write_answer(effect: QuestionAnswered, recorded: Recorded) -> list[Write]:
    row = {"question_id": effect.question_id, "answer": effect.answer, "answered_at": recorded.at}
    return [Write(_ANSWER, [row])]


def _write_lapse(effect: QuestionLapsed, recorded: Recorded) -> list[Write]:
    return [Write(_LAPSE, [{"question_id": effect.question_id, "lapsed_at": recorded.at}])]


def _show_lapse(parts: ViewParts, effect: QuestionLapsed, recorded: Recorded) -> None:
    over, lapsed = {"lapsed_at": recorded.at}, str(effect.question_id)
    lines = parts["questions"] or []
    parts["questions"] = [line | over if str(line["question_id"]) == lapsed else line for line in lines]


def _write_due(effect: QuestionDueMoved, recorded: Recorded) -> list[Write]:
    return [Write(_MOVE, [{"case_id": recorded.case.case_id, "due_on": effect.due_on}])]


def _write_reminder(effect: ReminderSet, recorded: Recorded) -> list[Write]:
    reminder = effect.reminder
    row = {"reminder_id": reminder.reminder_id, "case_id": recorded.case.case_id, "staff_id": reminder.staff_id}
    return writes.insert(reminders, [{**row, "on_day": reminder.on, "text": reminder.text}])


def _show_reminder(parts: ViewParts, effect: ReminderSet, recorded: Recorded) -> None:
    reminder = effect.reminder
    own_name = (parts.get("member") or {}).get("display_name")  # reminders are their giver's own
    line = {"staff": reminder.staff_id, "staff_name": own_name, "on": reminder.on.isoformat(), "text": reminder.text}
    line["said"] = False
    parts["reminders"] = sorted([*(parts["reminders"] or []), line], key=lambda reminder: str(reminder["on"]))


def reopened(recorded: Recorded) -> Sequence[str]:
    """A case that was closed as unanswered and is open again has not ended."""
    reopens = any(entry.entry in ("citizen_answered", "resumed") for entry in recorded.entries)
    return (cases.c.ended_at.name,) if reopens else ()


EFFECT_WRITERS: EffectWriters = {
    QuestionAsked: EffectWriter(_write_question, _show_question),
    QuestionAnswered: EffectWriter(_write_answer),
    QuestionLapsed: EffectWriter(_write_lapse, _show_lapse),
    QuestionDueMoved: EffectWriter(_write_due),
    ReminderSet: EffectWriter(_write_reminder, _show_reminder),
}


def _question_facts(read: dict[str, list[str] | None], command: AskUnit, about: FactsQuery) -> UnitQuestionFacts:
    unit_asked = command.unit or about.case.unit
    liaison = unit_asked is not None and not about.city.tree.above(unit_asked).isdisjoint(read["liaisons"] or ())
    return UnitQuestionFacts(about.city.unit(unit_asked), frozenset(read["media"] or ()), liaison)


def _note_facts(lines: list[dict[str, Any]] | None, command: AddNote, about: FactsQuery) -> NoteFacts:
    """Those of the mentioned staff who may know of the case."""
    mentioned = [member for member in map(member_of_json, lines or ()) if member is not None]
    return NoteFacts(frozenset(member.staff_id for member in mentioned if may_see(member, about.case, about.city)))


FACTS_LOADERS: FactsLoaders = {
    AskUnit: loaded_as(
        FactsPart(json_object(media=MEDIA, liaisons=liaisons_part()), lambda command: {}, _question_facts)
    ),
    AddNote: loaded_as(
        FactsPart(members_part("mentioned"), lambda command: {"mentioned": command.mentions}, _note_facts)
    ),
}
