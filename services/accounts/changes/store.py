"""Queries of changes that take two administrators, one line of comment each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from contracts.accounts import StaffChangeState
from services.accounts.models import staff_changes


def add(connection: Connection, values: dict[str, Any]) -> None:
    """A change that was requested."""
    connection.execute(insert(staff_changes).values(**values))


def by_id(connection: Connection, change_id: UUID) -> Row[Any] | None:
    """A change, decided or not."""
    return connection.execute(select(staff_changes).where(staff_changes.c.change_id == change_id)).first()


def by_key(connection: Connection, requested_by: UUID, key: str) -> Row[Any] | None:
    """The change that an administrator requested under this key."""
    own = (staff_changes.c.asked_by == requested_by) & (staff_changes.c.asked_under == key)
    return connection.execute(select(staff_changes).where(own)).first()


def lock(connection: Connection, change_id: UUID) -> Row[Any] | None:
    """A change, locked: one decision at a time."""
    chosen = select(staff_changes).where(staff_changes.c.change_id == change_id).with_for_update()
    return connection.execute(chosen).first()


def decide(connection: Connection, change_id: UUID, state: StaffChangeState, by: UUID | None, at: datetime) -> None:
    """How a change ended; what was kept of its password goes."""
    ended = update(staff_changes).where(staff_changes.c.change_id == change_id)
    connection.execute(ended.values(state=state, decided_by=by, decided_at=at, password_hash=None))


def page(connection: Connection, pending_at: datetime | None, after: int | None, limit: int) -> list[Row[Any]]:
    """Changes, the newest first; with `pending_at` those that wait for their decision at that moment."""
    chosen = select(staff_changes).order_by(staff_changes.c.number.desc()).limit(limit)
    if pending_at is not None:
        pending = staff_changes.c.state == StaffChangeState.PENDING
        chosen = chosen.where(pending, staff_changes.c.expires_at > pending_at)
    if after is not None:
        chosen = chosen.where(staff_changes.c.number < after)
    return list(connection.execute(chosen).all())


def lock_expired(connection: Connection, at: datetime) -> list[Row[Any]]:
    """Changes that nobody decided in time, locked; those that another process decides at this moment are passed over."""
    chosen = select(staff_changes).where(
        staff_changes.c.state == StaffChangeState.PENDING, staff_changes.c.expires_at <= at
    )
    return list(connection.execute(chosen.with_for_update(skip_locked=True)).all())
