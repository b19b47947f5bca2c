"""Parts of a case's views: JSON beside the case's own row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from contracts.tracking import Decision
from contracts.vocabulary import ActorKind
from services.tracking.case.json_queries import json_object
from services.tracking.case.lifecycle import Case
from services.tracking.case.store import CASE_COLUMNS
from services.tracking.evidence import store as evidence
from services.tracking.models import attachments, cases, media_states, questions, recommendations, reminders, timeline
from services.tracking.reference.names import name_of

_OF_ATTACHMENT = (
    *("media_id", "from_office", "question_id", "position", "withdrawn_at"),
    *("added_at", "added_by", "redacts"),
)
_OF_MEDIA = (
    *("state", "media_type", "size", "reason", "variants", "notes"),
    *("duration_seconds", "width", "height", "peaks"),
)
CITIZEN_KINDS = (ActorKind.CITIZEN, ActorKind.BEARER)


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
    names = ("question_id", "unit", "text", "asked_at", "due_on", "media", "answer", "answered_at", "lapsed_at")
    line = json_object(**{name: questions.c[name] for name in names})
    return (
        select(func.json_agg(aggregate_order_by(line, questions.c.asked_at)))
        .where(questions.c.case_id == cases.c.case_id, *conditions)
        .scalar_subquery()
        .label("asked")
    )


def media_part(*conditions: ColumnElement[bool], of: Any = cases.c.case_id) -> Any:
    state = {name: media_states.c[name] for name in _OF_MEDIA}
    line = json_object(
        **{name: attachments.c[name] for name in _OF_ATTACHMENT},
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
    line = json_object(
        staff=reminders.c.staff_id,
        staff_name=name_of(reminders.c.staff_id),
        on=reminders.c.on_day,
        text=reminders.c.text,
        said=reminders.c.reminded,
    )
    return (
        select(func.json_agg(aggregate_order_by(line, reminders.c.on_day)))
        .where(reminders.c.case_id == cases.c.case_id)
        .scalar_subquery()
    )


_NAMES: ColumnElement[Any] = literal_column("""(
    SELECT json_object_agg(staff.staff_id, staff.display_name) FROM staff
    WHERE staff.display_name IS NOT NULL AND staff.staff_id = ANY (ARRAY(
        SELECT cases.handler
        UNION ALL
        SELECT (cases.consent->>'recorded_by')::uuid
        UNION ALL
        SELECT named.id::uuid FROM timeline AS entry, unnest(
            ARRAY[
                CASE WHEN entry.actor_kind = 'staff' THEN entry.actor_id END,
                entry.details->>'inspector', entry.details->>'colleague', entry.details->>'proposed_by',
                entry.details->>'on_behalf_of']
            || CASE WHEN jsonb_typeof(entry.details->'mentions') = 'array'
                THEN ARRAY(SELECT jsonb_array_elements_text(entry.details->'mentions')) ELSE ARRAY[]::text[] END
        ) AS named (id)
        WHERE entry.case_id = cases.case_id AND named.id IS NOT NULL)))""")


def names_part() -> ColumnElement[Any]:
    """The names of the members of staff whom the case in the query's row names, by their ids: who has it, who did what, whom an
    entry of its timeline is about."""
    return _NAMES


def decision_of(case: Case) -> Decision | None:
    if case.outcome is None or case.reasons is None or case.decided_at is None:
        return None
    own = {name: getattr(case, name) for name in Decision.model_fields if name != "articles"}
    return Decision.model_validate({**own, "articles": cited_articles(case)})


def cited_articles(case: Case) -> list[dict[str, str]]:
    """What the articles that its decision cites were called that day."""
    return [{"code": code, **names} for code, names in case.names.get("articles", {}).items()]


_HALF = len(CASE_COLUMNS) // 2


def case_parts() -> dict[str, Any]:
    """The case's own columns in two objects: a function of PostgreSQL takes a hundred arguments."""
    return {
        "case": json_object(**{column.name: column for column in CASE_COLUMNS[:_HALF]}),
        "rest": json_object(**{column.name: column for column in CASE_COLUMNS[_HALF:]}),
    }
