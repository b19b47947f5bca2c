"""Sealed identities of citizens and of the members of groups, and the record of who opened them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, CursorResult, Row, Table, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.intake import OpenIdentity
from services.intake.identities.vault import SealedIdentity
from services.intake.models import group_members, identities, identity_openings

SEALED = (identities, group_members)
"""Tables whose rows are sealed under a data key."""


def add_identities(connection: Connection, rows: Sequence[tuple[UUID, str | None, SealedIdentity]]) -> None:
    """Who filed these submissions, sealed."""
    if rows:
        connection.execute(
            upsert(identities).on_conflict_do_nothing(),
            [
                {
                    "submission_id": submission_id,
                    "mobile_hash": mobile_hash,
                    "master_key": sealed.master_key,
                    "wrapped_key": sealed.wrapped_key,
                    "nonce": sealed.nonce,
                    "ciphertext": sealed.ciphertext,
                }
                for submission_id, mobile_hash, sealed in rows
            ],
        )


def add_members(connection: Connection, rows: Sequence[tuple[UUID, SealedIdentity]]) -> None:
    """The named members of groups, sealed, besides their representatives."""
    if rows:
        values = [{"submission_id": submission_id, **vars(sealed)} for submission_id, sealed in rows]
        connection.execute(upsert(group_members).on_conflict_do_nothing(), values)


def members(connection: Connection, submission_id: UUID) -> SealedIdentity | None:
    """The sealed members of one group, or None when none was named."""
    return _sealed(connection.execute(select(group_members).where(group_members.c.submission_id == submission_id)))


def identity(connection: Connection, submission_id: UUID) -> SealedIdentity | None:
    """The sealed identity of one submission, or None when it was anonymous."""
    return _sealed(connection.execute(select(identities).where(identities.c.submission_id == submission_id)))


def _sealed(result: CursorResult[Any]) -> SealedIdentity | None:
    row = result.first()
    if row is None:
        return None
    return SealedIdentity(row.master_key, bytes(row.wrapped_key), bytes(row.nonce), bytes(row.ciphertext))


def record_opening(connection: Connection, request: OpenIdentity) -> None:
    """Who opened whose identity, why, and by whose consent."""
    record = {"actor": request.actor.id, "reason": request.reason, "consented_by": request.consented_by}
    connection.execute(insert(identity_openings).values(submission_id=request.case_id, **record))


def under_other_keys(connection: Connection, table: Table, current: str, limit: int) -> list[Row[Any]]:
    """Rows of a table of `SEALED` whose data key is wrapped by an old master key, locked for re-wrapping."""
    chosen = select(table.c.submission_id, table.c.master_key, table.c.wrapped_key)
    chosen = chosen.where(table.c.master_key != current).limit(limit).with_for_update(skip_locked=True)
    return list(connection.execute(chosen).all())


def set_wrapped_key(
    connection: Connection, table: Table, submission_id: UUID, master_key: str, wrapped_key: bytes
) -> None:
    """The data key of one row under another master key."""
    connection.execute(
        update(table)
        .where(table.c.submission_id == submission_id)
        .values(master_key=master_key, wrapped_key=wrapped_key)
    )
