"""Queries on calendar feeds, a line of comment each. What is in a feed carries its owner's scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Date, Row, cast, delete, func, literal, null, select, union_all
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.vocabulary import Stage
from services.tracking.case.scope import Scope
from services.tracking.models import calendar_feeds, cases, visit_slots, visits
from services.tracking.row_conditions import IN_HAND
from services.tracking.visits.rules import BOOKED

MOST = 1_000
"""Entries of one kind; a head sees those of the whole office, the soonest of them."""


def keep(connection: Connection, staff_id: UUID, secret_hash: str, language: str, at: datetime) -> None:
    """The address of a member of staff, in place of one that they had."""
    values = {"secret_hash": secret_hash, "language": language, "made_at": at}
    statement = upsert(calendar_feeds).values(staff_id=staff_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["staff_id"], set_=values))


def made_at(connection: Connection, staff_id: UUID) -> datetime | None:
    """When the address of a member of staff was made."""
    chosen = select(calendar_feeds.c.made_at).where(calendar_feeds.c.staff_id == staff_id)
    return connection.execute(chosen).scalar()


def revoke(connection: Connection, staff_id: UUID) -> None:
    """They have none any more."""
    connection.execute(delete(calendar_feeds).where(calendar_feeds.c.staff_id == staff_id))


def by_secret(connection: Connection, secret_hash: str) -> Row[Any] | None:
    """Whose address this is."""
    return connection.execute(select(calendar_feeds).where(calendar_feeds.c.secret_hash == secret_hash)).first()


def entries(
    connection: Connection, scope: Scope, days: tuple[date, date], times: tuple[datetime, datetime]
) -> Sequence[Row[Any]]:
    """Days on which a decision or a unit's answer is owed, and visits that are booked, within these spans: one statement."""
    asked_due = cast(cases.c.pending_question["due_on"].astext, Date)
    running = (cases.c.paused_on.is_(None), cases.c.due_on.between(*days))
    waiting = (cases.c.stage == Stage.AWAITING_UNIT, asked_due.between(*days))
    parts = [
        select(
            literal(kind).label("kind"),
            cases.c.case_id.label("of"),
            cases.c.number,
            day.label("on"),
            cast(null(), visit_slots.c.starts_at.type).label("starts_at"),
            cast(null(), visit_slots.c.ends_at.type).label("ends_at"),
            cases.c.filed_at.label("stamp"),
        )
        .where(IN_HAND, scope.condition(), *conditions)
        .order_by(day, cases.c.case_id)
        .limit(MOST)
        for kind, day, conditions in (
            ("decision_due", cases.c.due_on, running),
            ("unit_answer_due", asked_due, waiting),
        )
    ]
    booked = (
        select(
            literal("visit"),
            visits.c.visit_id,
            cases.c.number,
            cast(null(), Date),
            visit_slots.c.starts_at,
            visit_slots.c.ends_at,
            visits.c.asked_at,
        )
        .select_from(visits.join(visit_slots).join(cases, cases.c.case_id == visits.c.case_id))
        .where(visit_slots.c.starts_at.between(*times), visits.c.state.in_(sorted(BOOKED)), scope.condition())
        .order_by(visit_slots.c.starts_at, visits.c.visit_id)
        .limit(MOST)
    )
    together = union_all(*(select(part.subquery()) for part in (*parts, booked))).subquery()
    first = func.coalesce(together.c.on, cast(together.c.starts_at, Date))
    return connection.execute(select(together).order_by(first, together.c.kind, together.c.of)).all()
