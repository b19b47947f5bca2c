"""Queries of TOTP enrolments and recovery codes, one line of comment each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.accounts.models import passkeys, recovery_codes, totp_enrolments


def begin_enrolment(connection: Connection, staff_id: UUID, locked_secret: str, expires_at: datetime) -> None:
    """Instead of another that was begun."""
    values = {"locked_secret": locked_secret, "expires_at": expires_at}
    new = upsert(totp_enrolments).values(staff_id=staff_id, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["staff_id"], set_=values))


def enrolment(connection: Connection, staff_id: UUID, at: datetime) -> str | None:
    """The encrypted secret that waits for its first code."""
    chosen = select(totp_enrolments.c.locked_secret).where(totp_enrolments.c.staff_id == staff_id)
    return connection.execute(chosen.where(totp_enrolments.c.expires_at > at)).scalar()


def end_enrolment(connection: Connection, staff_id: UUID) -> None:
    """Confirmed, or void."""
    connection.execute(delete(totp_enrolments).where(totp_enrolments.c.staff_id == staff_id))


def replace_recovery_codes(connection: Connection, staff_id: UUID, hashes: Sequence[str]) -> None:
    """New ones; those of before are gone."""
    connection.execute(delete(recovery_codes).where(recovery_codes.c.staff_id == staff_id))
    connection.execute(insert(recovery_codes), [{"staff_id": staff_id, "code_hash": hash_} for hash_ in hashes])


def has_recovery_code(connection: Connection, staff_id: UUID, code_hash: str) -> bool:
    """Whether this is one of the account's that was not used."""
    chosen = select(recovery_codes.c.staff_id).where(
        recovery_codes.c.staff_id == staff_id, recovery_codes.c.code_hash == code_hash
    )
    return connection.execute(chosen.where(recovery_codes.c.used_at.is_(None))).first() is not None


def use_recovery_code(connection: Connection, staff_id: UUID, code_hash: str, at: datetime) -> bool:
    """Accepts it once: False when it was used before."""
    used = update(recovery_codes).where(
        recovery_codes.c.staff_id == staff_id,
        recovery_codes.c.code_hash == code_hash,
        recovery_codes.c.used_at.is_(None),
    )
    return connection.execute(used.values(used_at=at)).rowcount == 1


def recovery_codes_left(connection: Connection, staff_id: UUID) -> int:
    """How many were not used."""
    chosen = select(func.count()).where(recovery_codes.c.staff_id == staff_id, recovery_codes.c.used_at.is_(None))
    return int(connection.execute(chosen).scalar_one())


def forget_all(connection: Connection, staff_id: UUID) -> None:
    """Everything beside the TOTP secret: whoever could sign in before shall not any more."""
    for table in (totp_enrolments, recovery_codes, passkeys):
        connection.execute(delete(table).where(table.c.staff_id == staff_id))


def prune(connection: Connection, at: datetime) -> int:
    """Deletes enrolments that nobody confirmed; how many."""
    return connection.execute(delete(totp_enrolments).where(totp_enrolments.c.expires_at < at)).rowcount
