"""Queries of changes that take two administrators, a line of comment each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, insert, select, update

from contracts.accounts import StaffChangeState
from contracts.vocabulary import Role
from services.accounts.models import staff, staff_changes


def add(connection: Connection, values: dict[str, Any]) -> None:
    """A change that was asked for."""
    connection.execute(insert(staff_changes).values(**values))


def by_id(connection: Connection, change_id: UUID) -> Row[Any] | None:
    """A change, decided or not."""
    return connection.execute(select(staff_changes).where(staff_changes.c.change_id == change_id)).first()


def by_key(connection: Connection, asked_by: UUID, key: str) -> Row[Any] | None:
    """The change that an administrator asked for under this key."""
    mine = (staff_changes.c.asked_by == asked_by) & (staff_changes.c.asked_under == key)
    return connection.execute(select(staff_changes).where(mine)).first()


def lock(connection: Connection, change_id: UUID) -> Row[Any] | None:
    """A change, locked: one decision at a time."""
    chosen = select(staff_changes).where(staff_changes.c.change_id == change_id).with_for_update()
    return connection.execute(chosen).first()


def lock_accounts(connection: Connection, staff_ids: set[UUID]) -> dict[UUID, Row[Any]]:
    """These accounts, locked in one order, so that none of them is changed while a decision rests on it."""
    chosen = select(staff).where(staff.c.staff_id.in_(staff_ids)).order_by(staff.c.staff_id).with_for_update()
    return {row.staff_id: row for row in connection.execute(chosen)}


def accounts(connection: Connection, staff_ids: set[UUID]) -> dict[UUID, Row[Any]]:
    """These accounts as they are."""
    return {row.staff_id: row for row in connection.execute(select(staff).where(staff.c.staff_id.in_(staff_ids)))}


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


def active_with_role(connection: Connection, role: Role, besides: UUID | None = None) -> int:
    """How many open accounts have this role, one account left out."""
    chosen = select(func.count()).select_from(staff).where(staff.c.active, staff.c.roles.any(role.value))
    if besides is not None:
        chosen = chosen.where(staff.c.staff_id != besides)
    return int(connection.execute(chosen).scalar_one())


def lock_roles(connection: Connection) -> None:
    """Held to the end of the transaction by whatever counts administrators before it makes one."""
    connection.execute(select(func.pg_advisory_xact_lock(7_204_523)))
