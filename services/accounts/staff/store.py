"""Queries of staff accounts and of attempts to sign in to them, one line of comment each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, String, cast, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.vocabulary import Role
from services.accounts.models import sign_in_attempts, staff, staff_history


def by_username(connection: Connection, username: str) -> Row[Any] | None:
    """An account, open or closed."""
    return connection.execute(select(staff).where(staff.c.username == username)).first()


def by_id(connection: Connection, staff_id: UUID) -> Row[Any] | None:
    """An account, open or closed."""
    return connection.execute(select(staff).where(staff.c.staff_id == staff_id)).first()


def by_ids(connection: Connection, staff_ids: set[UUID]) -> dict[UUID, Row[Any]]:
    """These accounts as they are."""
    return {row.staff_id: row for row in connection.execute(select(staff).where(staff.c.staff_id.in_(staff_ids)))}


def lock_by_username(connection: Connection, username: str) -> Row[Any] | None:
    """An account, locked for a change."""
    return connection.execute(select(staff).where(staff.c.username == username).with_for_update()).first()


def lock_by_id(connection: Connection, staff_id: UUID) -> Row[Any] | None:
    """An account, locked for a change."""
    return connection.execute(select(staff).where(staff.c.staff_id == staff_id).with_for_update()).first()


def lock_by_ids(connection: Connection, staff_ids: set[UUID]) -> dict[UUID, Row[Any]]:
    """These accounts, locked in one order, so that none of them is changed while a decision rests on it."""
    chosen = select(staff).where(staff.c.staff_id.in_(staff_ids)).order_by(staff.c.staff_id).with_for_update()
    return {row.staff_id: row for row in connection.execute(chosen)}


def with_role(connection: Connection, role: Role | None) -> list[Row[Any]]:
    """All accounts, or those with one role, by name."""
    chosen = select(staff).order_by(staff.c.display_name, staff.c.staff_id)
    return list(connection.execute(chosen if role is None else chosen.where(staff.c.roles.any(role.value))).all())


def changed_since(connection: Connection, since: datetime) -> list[Row[Any]]:
    """Id and version of each account that was changed since."""
    return list(connection.execute(select(staff.c.staff_id, staff.c.version).where(staff.c.changed_at >= since)).all())


def active_with_role(connection: Connection, role: Role, besides: UUID | None = None) -> int:
    """How many open accounts have this role, one account left out."""
    chosen = select(func.count()).select_from(staff).where(staff.c.active, staff.c.roles.any(role.value))
    if besides is not None:
        chosen = chosen.where(staff.c.staff_id != besides)
    return int(connection.execute(chosen).scalar_one())


def lock_roles(connection: Connection) -> None:
    """Held to the end of the transaction by whatever counts administrators before it makes one."""
    connection.execute(select(func.pg_advisory_xact_lock(7_204_523)))


def add(connection: Connection, values: dict[str, Any]) -> bool:
    """A new account; False when the user name or the id is taken."""
    # By the row that came back: SQLAlchemy does not keep the rowcount of an INSERT.
    added = upsert(staff).values(**values).on_conflict_do_nothing().returning(staff.c.staff_id)
    return connection.execute(added).first() is not None


def change(connection: Connection, staff_id: UUID, values: dict[str, Any]) -> None:
    """New values of one account."""
    connection.execute(
        update(staff).where(staff.c.staff_id == staff_id).values(**values, changed_at=func.clock_timestamp())
    )


def add_history(connection: Connection, values: dict[str, Any]) -> None:
    """What was done to an account; appended, never changed."""
    connection.execute(insert(staff_history).values(**values))


def history(connection: Connection, staff_id: UUID | None, after: int | None, limit: int) -> list[Row[Any]]:
    """What was done to accounts, or to one, the newest first, with the names of who did it."""
    doer, confirmer = staff.alias(), staff.alias()
    names = (
        select(doer.c.display_name).where(cast(doer.c.staff_id, String) == staff_history.c.by),
        select(confirmer.c.display_name).where(confirmer.c.staff_id == staff_history.c.confirmed_by),
    )
    by_name, confirmed_by_name = (name.scalar_subquery() for name in names)
    columns = (staff_history, by_name.label("by_name"), confirmed_by_name.label("confirmed_by_name"))
    chosen = select(*columns).order_by(staff_history.c.id.desc()).limit(limit)
    if staff_id is not None:
        chosen = chosen.where(staff_history.c.staff_id == staff_id)
    if after is not None:
        chosen = chosen.where(staff_history.c.id < after)
    return list(connection.execute(chosen).all())


# --- signing in ---


def take_totp_step(connection: Connection, staff_id: UUID, step: int) -> bool:
    """Accepts a step of the TOTP once: False when it, or a later one, was accepted before."""
    taken = update(staff).where(staff.c.staff_id == staff_id, staff.c.totp_last_step < step)
    return connection.execute(taken.values(totp_last_step=step)).rowcount == 1


def claim_attempts(connection: Connection, key: str, at: datetime) -> Row[Any]:
    """What was counted under a key, locked."""
    new = upsert(sign_in_attempts).values(username_hash=key, failures=0, blocked_until=at, last_at=at)
    connection.execute(new.on_conflict_do_nothing())
    chosen = select(sign_in_attempts).where(sign_in_attempts.c.username_hash == key).with_for_update()
    return connection.execute(chosen).one()


def count_attempt(connection: Connection, key: str, failures: int, blocked_until: datetime, at: datetime) -> None:
    """One more attempt, a failure until it is shown to be none."""
    connection.execute(
        update(sign_in_attempts)
        .where(sign_in_attempts.c.username_hash == key)
        .values(failures=failures, blocked_until=blocked_until, last_at=at)
    )


def forget_attempts(connection: Connection, key: str) -> None:
    """After a right sign-in."""
    connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.username_hash == key))


def prune_attempts(connection: Connection, before: datetime) -> int:
    """Deletes forgiven attempts; how many."""
    return connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.last_at < before)).rowcount
