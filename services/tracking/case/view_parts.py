"""Parts of a case's views: JSON beside the case's own row, and queries written once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from contracts.tracking import Decision
from contracts.vocabulary import ActorKind
from services.tracking.case.lifecycle import Case
from services.tracking.case.store import CASE_COLUMNS
from services.tracking.evidence import store as evidence
from services.tracking.models import attachments, cases, media_states, questions, recommendations, reminders, timeline

CITIZEN_KINDS = (ActorKind.CITIZEN, ActorKind.BEARER)


def json_object(**columns: Any) -> Any:
    """A JSON object of these columns, its names written into the SQL."""
    pairs: list[Any] = []
    for name, column in columns.items():
        pairs += [literal_column(f"'{name}'"), column]
    return func.json_build_object(*pairs)


def timeline_part(*conditions: ColumnElement[bool]) -> Any:
    names = ("sequence", "at", "entry", "stage", "actor_kind", "actor_id", "details", "hash")
    line = json_object(**{name: timeline.c[name] for name in names})
    return (
        select(func.json_agg(aggregate_order_by(line, timeline.c.sequence)))
        .where(timeline.c.case_id == cases.c.case_id, *conditions)
        .scalar_subquery()
        .label("entries")
    )


def questions_part(*conditions: ColumnElement[bool]) -> Any:
    names = ("question_id", "unit", "text", "asked_at", "due_on", "media", "answer", "answered_at")
    line = json_object(**{name: questions.c[name] for name in names})
    return (
        select(func.json_agg(aggregate_order_by(line, questions.c.asked_at)))
        .where(questions.c.case_id == cases.c.case_id, *conditions)
        .scalar_subquery()
        .label("asked")
    )


def media_part(*conditions: ColumnElement[bool], of: Any = cases.c.case_id) -> Any:
    state = {name: media_states.c[name] for name in ("state", "media_type", "size", "reason", "variants", "notes")}
    line = json_object(
        **{name: attachments.c[name] for name in ("media_id", "from_office", "question_id")},
        number=evidence.place_in_case(),
        withheld=evidence.reason_withheld(),
        **state,
    )
    return (
        select(func.json_agg(aggregate_order_by(line, attachments.c.position, attachments.c.media_id)))
        .select_from(attachments.outerjoin(media_states, media_states.c.media_id == attachments.c.media_id))
        .where(attachments.c.case_id == of, *conditions)
        .scalar_subquery()
        .label("media")
    )


def recommendations_part() -> Any:
    names = ("recommendation_id", "unit", "text", "due_on", "state", "reason", "reported_at", "settled_at")
    line = json_object(**{name: recommendations.c[name] for name in names})
    order = (recommendations.c.due_on, recommendations.c.recommendation_id)
    return (
        select(func.json_agg(aggregate_order_by(line, *order)))
        .where(recommendations.c.case_id == cases.c.case_id)
        .scalar_subquery()
    )


def reminders_part() -> Any:
    line = json_object(staff=reminders.c.staff_id, on=reminders.c.on_day, text=reminders.c.text, said=reminders.c.said)
    return (
        select(func.json_agg(aggregate_order_by(line, reminders.c.on_day)))
        .where(reminders.c.case_id == cases.c.case_id)
        .scalar_subquery()
    )


def decision_of(case: Case) -> Decision | None:
    if case.outcome is None or case.reasons is None or case.decided_at is None:
        return None
    return Decision(
        outcome=case.outcome,
        reasons=case.reasons,
        decided_at=case.decided_at,
        final=case.final,
        objection_until=case.objection_until,
    )


_HALF = len(CASE_COLUMNS) // 2


def case_parts() -> dict[str, Any]:
    """The case's own columns in two objects: a function of PostgreSQL takes a hundred arguments."""
    return {
        "case": json_object(**{column.name: column for column in CASE_COLUMNS[:_HALF]}),
        "rest": json_object(**{column.name: column for column in CASE_COLUMNS[_HALF:]}),
    }


def as_sql(query: Select[Any]) -> str:
    """The query as SQL, written once: it is asked so often that making it each time would cost as much as asking."""
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy's
    return str(query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True}))
