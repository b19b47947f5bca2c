"""Uploads and the parts they are stored in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, delete, insert, select, update

from contracts.media import UploadState
from services.media.models import files, upload_parts, uploads
from services.media.object_store import StoredPart

UploadRow = Row[Any]
_RENEWABLE = frozenset({UploadState.OPEN, UploadState.ACCEPTED})
"""Not while it is examined: when it would be given up tells whether that takes too long (`mark_delayed`)."""
NOT_REMOVED = frozenset({UploadState.OPEN, UploadState.PROCESSING, UploadState.ACCEPTED, UploadState.REJECTED})


def log_id(upload_id: str) -> str:
    """Enough of an id to find an upload's lines in the log, and too little to use it."""
    return upload_id[:6]


def add_upload(connection: Connection, values: dict[str, Any]) -> UploadRow:
    """One new upload."""
    return connection.execute(insert(uploads).values(values).returning(uploads)).one()


def upload(connection: Connection, upload_id: str) -> UploadRow | None:
    """One upload, or None."""
    return connection.execute(select(uploads).where(uploads.c.upload_id == upload_id)).one_or_none()


def advance(
    connection: Connection, upload_id: str, offset: int, new_offset: int, expires_at: datetime, at: datetime
) -> UploadRow | None:
    """Moves an open upload from `offset` to `new_offset`; None when it is no longer at `offset`, open and
    alive.
    """
    return connection.execute(
        update(uploads)
        .where(
            uploads.c.upload_id == upload_id,
            uploads.c.received == offset,
            uploads.c.state == UploadState.OPEN,
            uploads.c.expires_at > at,
            uploads.c.size >= new_offset,
        )
        .values(
            received=new_offset,
            expires_at=expires_at,
            state=case((uploads.c.size == new_offset, UploadState.PROCESSING), else_=UploadState.OPEN),
        )
        .returning(uploads)
    ).one_or_none()


def renew(connection: Connection, upload_id: str, expires_at: datetime, address_key: str | None) -> UploadRow | None:
    """Moves on when an upload that no case refers to is given up; it counts against this address. None when there is none."""
    values: dict[str, Any] = {"expires_at": expires_at}
    if address_key is not None:
        values["address_key"] = address_key
    conditions = (uploads.c.upload_id == upload_id, uploads.c.case_id.is_(None), uploads.c.state.in_(_RENEWABLE))
    return connection.execute(update(uploads).where(*conditions).values(values).returning(uploads)).one_or_none()


def add_parts(connection: Connection, upload_id: str, position: int, parts: Sequence[StoredPart]) -> None:
    """The parts that follow each other from `position` on."""
    rows = []
    for part in parts:
        rows.append({"upload_id": upload_id, "position": position, "length": part.length, "key": part.key})
        position += part.length
    connection.execute(insert(upload_parts), rows)


def parts_of(connection: Connection, upload_id: str) -> list[StoredPart]:
    """An upload's parts in order."""
    rows = connection.execute(
        select(upload_parts.c.key, upload_parts.c.length)
        .where(upload_parts.c.upload_id == upload_id)
        .order_by(upload_parts.c.position)
    )
    return [StoredPart(row.key, row.length) for row in rows]


def settle(
    connection: Connection,
    upload_id: str,
    was: Collection[UploadState],
    becomes: UploadState,
    at: datetime,
    *,
    unclaimed: bool = False,
    **columns: Any,
) -> UploadRow | None:
    """A final change of state; None when the upload is not (or no longer) in a state of `was`, or is claimed while `unclaimed` is
    asked for.

    Deletes its parts' records, and its files' when it becomes REMOVED. `columns`: what else is set.
    """
    conditions = [uploads.c.upload_id == upload_id, uploads.c.state.in_(was)]
    if unclaimed:
        conditions.append(uploads.c.case_id.is_(None))
    values = {"state": becomes, "settled_at": at, "swept_at": None, **columns}
    if becomes is UploadState.ACCEPTED:  # counts against its sender's address until a case claims it
        values["address_key"] = case((uploads.c.case_id.is_(None), uploads.c.address_key), else_=None)
    else:
        values["address_key"] = None
    row = connection.execute(update(uploads).where(*conditions).values(values).returning(uploads)).one_or_none()
    if row is not None:
        connection.execute(delete(upload_parts).where(upload_parts.c.upload_id == upload_id))
        if becomes is UploadState.REMOVED:
            connection.execute(delete(files).where(files.c.upload_id == upload_id))
    return row


def mark_delayed(connection: Connection, expires_before: datetime, note: str) -> list[str]:
    """Puts `note` on uploads that wait for their verdict, expire before this and have no note yet; their ids."""
    waiting = (
        select(uploads.c.upload_id)
        .where(
            uploads.c.state == UploadState.PROCESSING,
            uploads.c.settled_at.is_(None),  # as the index says
            uploads.c.expires_at < expires_before,
            uploads.c.notes.is_(None),
        )
        .order_by(uploads.c.upload_id)
        .with_for_update(skip_locked=True)
    )
    marked = update(uploads).where(uploads.c.upload_id.in_(waiting)).values(notes=[note])
    return list(connection.execute(marked.returning(uploads.c.upload_id)).scalars())
