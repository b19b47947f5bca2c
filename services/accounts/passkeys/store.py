"""Queries of passkeys and their challenges, one line of comment each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.accounts.models import passkey_challenges, passkeys


def add_challenge(connection: Connection, challenge_hash: str, staff_id: UUID | None, expires_at: datetime) -> None:
    """`staff_id`: whose registration it is for; None: for a use."""
    connection.execute(
        insert(passkey_challenges).values(challenge_hash=challenge_hash, staff_id=staff_id, expires_at=expires_at)
    )


def take_challenge(connection: Connection, challenge_hash: str, staff_id: UUID | None, at: datetime) -> bool:
    """Uses one up; whether it was there, for this and not expired."""
    taken = delete(passkey_challenges).where(passkey_challenges.c.challenge_hash == challenge_hash)
    row = connection.execute(taken.returning(passkey_challenges)).first()
    return row is not None and row.staff_id == staff_id and row.expires_at > at


def add(connection: Connection, values: dict[str, Any]) -> bool:
    """A new passkey; False when its credential is registered already, by whomever."""
    added = upsert(passkeys).values(**values).on_conflict_do_nothing().returning(passkeys.c.passkey_id)
    return connection.execute(added).first() is not None


def of_staff(connection: Connection, staff_id: UUID) -> list[Row[Any]]:
    """An account's passkeys, the oldest first."""
    chosen = select(passkeys).where(passkeys.c.staff_id == staff_id)
    return list(connection.execute(chosen.order_by(passkeys.c.created_at, passkeys.c.passkey_id)).all())


def count(connection: Connection, staff_id: UUID) -> int:
    """How many passkeys an account has."""
    return int(connection.execute(select(func.count()).where(passkeys.c.staff_id == staff_id)).scalar_one())


def by_credential(connection: Connection, staff_id: UUID, credential_id: bytes) -> Row[Any] | None:
    """An account's passkey by the id that its authenticator gave it."""
    chosen = select(passkeys).where(passkeys.c.staff_id == staff_id, passkeys.c.credential_id == credential_id)
    return connection.execute(chosen).first()


def use(connection: Connection, staff_id: UUID, passkey_id: UUID, sign_count: int, at: datetime) -> bool:
    """Its counter after a use; False when it is gone, or was used with this counter or a higher one meanwhile. Passkeys that
    are synced count nothing: theirs stays 0."""
    used = update(passkeys).where(
        passkeys.c.passkey_id == passkey_id,
        passkeys.c.staff_id == staff_id,
        or_(passkeys.c.sign_count < sign_count, (passkeys.c.sign_count == 0) & (sign_count == 0)),
    )
    return connection.execute(used.values(sign_count=sign_count, used_at=at)).rowcount == 1


def rename(connection: Connection, staff_id: UUID, passkey_id: UUID, name: str) -> Row[Any] | None:
    """The passkey with its new name; None when the account has no such one."""
    renamed = update(passkeys).where(passkeys.c.passkey_id == passkey_id, passkeys.c.staff_id == staff_id)
    return connection.execute(renamed.values(name=name).returning(passkeys)).first()


def remove(connection: Connection, staff_id: UUID, passkey_id: UUID) -> bool:
    """False when the account has no such one."""
    removed = delete(passkeys).where(passkeys.c.passkey_id == passkey_id, passkeys.c.staff_id == staff_id)
    return connection.execute(removed).rowcount == 1


def prune(connection: Connection, at: datetime) -> int:
    """Deletes challenges that nobody answered; how many."""
    return connection.execute(delete(passkey_challenges).where(passkey_challenges.c.expires_at < at)).rowcount
