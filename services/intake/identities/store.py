"""Sealed identities of citizens and of the members of groups, and the record of who opened them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, CursorResult, Row, Table, insert, select, update

from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.intake import OpenIdentity
from services.intake.identities.vault import SealedIdentity
from services.intake.models import group_members, identities, identity_openings

SEALED = (identities, group_members)
"""Tables whose rows are sealed under a data key."""


def adding_identities(rows: Sequence[tuple[UUID, str | None, str | None, SealedIdentity]]) -> list[Write]:
    """Who filed these submissions, sealed; with the hashes of the mobile and of its last digits."""
    values = [
        {"submission_id": id_, "mobile_hash": mobile_hash, "digits_hash": digits_hash, **vars(sealed)}
        for id_, mobile_hash, digits_hash, sealed in rows
    ]
    return writes.insert(identities, values, "ON CONFLICT DO NOTHING")


def replace_identity(
    connection: Connection, submission_id: UUID, mobile_hash: str, digits_hash: str | None, sealed: SealedIdentity
) -> None:
    """The identity of one submission, sealed anew."""
    values = {"mobile_hash": mobile_hash, "digits_hash": digits_hash, **vars(sealed)}
    connection.execute(update(identities).where(identities.c.submission_id == submission_id).values(values))


def adding_members(rows: Sequence[tuple[UUID, SealedIdentity]]) -> list[Write]:
    """The named members of groups, sealed, besides their representatives."""
    values = [{"submission_id": submission_id, **vars(sealed)} for submission_id, sealed in rows]
    return writes.insert(group_members, values, "ON CONFLICT DO NOTHING")


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
