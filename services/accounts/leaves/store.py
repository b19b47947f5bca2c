"""Queries of leaves, one line of comment each; and their publication."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, tuple_, update

from backbone.messaging import outbox
from backbone.storage import cursors
from contracts.base import now
from contracts.leaves import LeaveChanged
from services.accounts.models import leaves, staff


def lock(connection: Connection) -> None:
    """Held to the end of the transaction by whoever adds a leave: two that exclude each other are not added at once."""
    connection.execute(select(func.pg_advisory_xact_lock(7_204_531)))


def add(connection: Connection, values: dict[str, Any]) -> None:
    """A new leave."""
    connection.execute(insert(leaves).values(version=1, **values))
    publish(connection, values["leave_id"])


def by_id(connection: Connection, leave_id: UUID) -> Row[Any] | None:
    """A leave, locked."""
    return connection.execute(select(leaves).where(leaves.c.leave_id == leave_id).with_for_update()).first()


def within(connection: Connection, people: Sequence[UUID], starts_at: datetime, ends_at: datetime) -> list[Row[Any]]:
    """Leaves in which one of these is away or stands in, for a part of that time."""
    chosen = select(leaves).where(or_(leaves.c.staff_id.in_(people), leaves.c.deputy.in_(people)))
    return list(connection.execute(chosen.where(leaves.c.starts_at < ends_at, leaves.c.ends_at > starts_at)))


def not_over(
    connection: Connection, at: datetime, of: UUID | None, limit: int, after: str | None = None
) -> list[Row[Any]]:
    """Leaves that end later, of everybody or of those who are away or stand in."""
    place = (leaves.c.starts_at, leaves.c.leave_id)
    chosen = select(leaves).where(leaves.c.ends_at > at).order_by(*place).limit(limit)
    if after is not None:
        chosen = chosen.where(tuple_(*place) > cursors.decode(after))
    if of is not None:
        chosen = chosen.where(or_(leaves.c.staff_id == of, leaves.c.deputy == of))
    return list(connection.execute(chosen))


def absences(connection: Connection, at: datetime) -> list[Row[Any]]:
    """Leaves that end later, with roles and unit of who is away, while their account is open."""
    away = leaves.join(staff, and_(staff.c.staff_id == leaves.c.staff_id, staff.c.active))
    account = (staff.c.version, staff.c.roles, staff.c.unit)
    period = (leaves.c.staff_id, leaves.c.deputy, leaves.c.starts_at, leaves.c.ends_at)
    return list(connection.execute(select(*period, *account).select_from(away).where(leaves.c.ends_at > at)))


def end(connection: Connection, leave_id: UUID, at: datetime, unfit: bool = False) -> None:
    """It ends now; one that has not begun never does."""
    ended = {"ends_at": at, "starts_at": func.least(leaves.c.starts_at, at), "version": leaves.c.version + 1}
    connection.execute(update(leaves).where(leaves.c.leave_id == leave_id).values(ended))
    publish(connection, leave_id, unfit)


def publish(connection: Connection, leave_id: UUID, unfit: bool = False) -> None:
    """As it is now."""
    row = connection.execute(select(leaves).where(leaves.c.leave_id == leave_id)).one()
    outbox.add(connection, LeaveChanged(id=uuid4(), occurred_at=now(), unfit=unfit, **row._mapping))
