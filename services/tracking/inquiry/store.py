"""Queries on reminders and on who may be mentioned, a line of comment each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, update

from contracts.tracking import AddNote, AskUnit
from services.tracking.case.facts import FactsLoaders, FactsQuery
from services.tracking.case.lifecycle import Case, Question
from services.tracking.case.record import EffectWriters, Recorded
from services.tracking.case.scope import SEE_ALL
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.evidence.store import media_of
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
from services.tracking.reference.store import members


def add(connection: Connection, case_id: UUID, one: Reminder) -> None:
    """A reminder of a day to come."""
    row = {"reminder_id": one.reminder_id, "case_id": case_id, "staff_id": one.staff_id, "on_day": one.on}
    connection.execute(insert(reminders).values(**row, text=one.text))


def lock_due(connection: Connection, today: date, limit: int) -> list[Case]:
    """Cases with a reminder whose day has come, locked; what another process holds is left to it."""
    due = select(reminders.c.case_id).where(reminders.c.on_day <= today, ~reminders.c.said).limit(limit)
    chosen = select(*CASE_COLUMNS).where(cases.c.case_id.in_(due))
    return [case_of(row) for row in connection.execute(chosen.with_for_update(skip_locked=True))]


def take_due(connection: Connection, case_id: UUID, today: date) -> list[Reminder]:
    """The reminders of a locked case whose day has come; from now on they count as sent."""
    chosen = update(reminders).where(reminders.c.case_id == case_id, reminders.c.on_day <= today, ~reminders.c.said)
    rows = connection.execute(chosen.values(said=True).returning(reminders)).all()
    return [Reminder(row.reminder_id, row.staff_id, row.on_day, row.text) for row in rows]


_OPEN_QUESTION = select(questions).where(
    questions.c.case_id == bindparam("case"), questions.c.answered_at.is_(None), questions.c.lapsed_at.is_(None)
)


def open_question(connection: Connection, case_id: UUID) -> Question | None:
    """The question that this case waits for."""
    row = connection.execute(_OPEN_QUESTION, {"case": case_id}).first()
    if row is None:
        return None
    return Question(row.question_id, row.unit, row.text, row.asked_at, row.due_on, tuple(row.media))


def case_of_question(connection: Connection, question_id: UUID, below: Iterable[str]) -> UUID | None:
    """The case in which one of these units was asked this question."""
    chosen = select(questions.c.case_id).where(
        questions.c.question_id == question_id, questions.c.unit.in_(list(below))
    )
    return connection.execute(chosen).scalar()


def add_question(connection: Connection, case_id: UUID, asked: Question) -> None:
    """A question that waits for its answer."""
    connection.execute(
        insert(questions).values(
            question_id=asked.question_id,
            case_id=case_id,
            unit=asked.unit,
            text=asked.text,
            media=list(asked.media),
            asked_at=asked.asked_at,
            due_on=asked.due_on,
        )
    )


def answer_question(connection: Connection, question_id: UUID, answer: str, at: datetime) -> None:
    """The question has its answer."""
    chosen = update(questions).where(questions.c.question_id == question_id)
    connection.execute(chosen.values(answer=answer, answered_at=at))


def lapse_question(connection: Connection, question_id: UUID, at: datetime) -> None:
    """The question is over without an answer."""
    connection.execute(update(questions).where(questions.c.question_id == question_id).values(lapsed_at=at))


def set_question_due(connection: Connection, case_id: UUID, due_on: date) -> None:
    """The open question of a case has another last day."""
    chosen = update(questions).where(
        questions.c.case_id == case_id, questions.c.answered_at.is_(None), questions.c.lapsed_at.is_(None)
    )
    connection.execute(chosen.values(due_on=due_on))


# --- what changes of a case need and do ---


def _write_question(connection: Connection, effect: QuestionAsked, recorded: Recorded) -> None:
    add_question(connection, recorded.case.case_id, effect.question)


def _write_answer(connection: Connection, effect: QuestionAnswered, recorded: Recorded) -> None:
    answer_question(connection, effect.question_id, effect.answer, recorded.at)


def _write_lapse(connection: Connection, effect: QuestionLapsed, recorded: Recorded) -> None:
    lapse_question(connection, effect.question_id, recorded.at)


def _write_due(connection: Connection, effect: QuestionDueMoved, recorded: Recorded) -> None:
    set_question_due(connection, recorded.case.case_id, effect.due_on)


def _write_reminder(connection: Connection, effect: ReminderSet, recorded: Recorded) -> None:
    add(connection, recorded.case.case_id, effect.reminder)


EFFECT_WRITERS: EffectWriters = {
    QuestionAsked: _write_question,
    QuestionAnswered: _write_answer,
    QuestionLapsed: _write_lapse,
    QuestionDueMoved: _write_due,
    ReminderSet: _write_reminder,
}


def _load_for_question(connection: Connection, command: AskUnit, about: FactsQuery) -> UnitQuestionFacts:
    media = media_of(connection, about.case.case_id)
    return UnitQuestionFacts(about.city.unit(command.unit or about.case.unit), media)


def _load_for_note(connection: Connection, command: AddNote, about: FactsQuery) -> NoteFacts:
    """Those of the mentioned staff who may know of the case."""
    if not command.mentions:
        return NoteFacts()
    case = about.case
    return NoteFacts(
        frozenset(
            row.staff_id
            for row in members(connection, command.mentions)
            if (SEE_ALL & set(row.roles) or row.staff_id == case.handler)
            and not about.city.tree.has_conflict_of_interest(row.unit, case.unit)
        )
    )


FACTS_LOADERS: FactsLoaders = {AskUnit: _load_for_question, AddNote: _load_for_note}
