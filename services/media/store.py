"""Media's queries, by name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, case, delete, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.media import UploadState
from services.media.domain import DerivedFile
from services.media.models import erasures, files, pieces, uploads
from services.media.objects import Piece

UploadRow = Row[Any]


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


def add_pieces(connection: Connection, upload_id: str, position: int, stored: Sequence[Piece]) -> None:
    """The pieces that follow each other from `position` on."""
    rows = []
    for piece in stored:
        rows.append({"upload_id": upload_id, "position": position, "length": piece.length, "key": piece.key})
        position += piece.length
    connection.execute(insert(pieces), rows)


def pieces_of(connection: Connection, upload_id: str) -> list[Piece]:
    """An upload's pieces in order."""
    found = connection.execute(
        select(pieces.c.key, pieces.c.length).where(pieces.c.upload_id == upload_id).order_by(pieces.c.position)
    )
    return [Piece(row.key, row.length) for row in found]


def settle(
    connection: Connection,
    upload_id: str,
    was: Collection[UploadState],
    becomes: UploadState,
    at: datetime,
    *,
    unclaimed: bool = False,
    **found: Any,
) -> UploadRow | None:
    """A last change of state; None when the upload is (no longer) in a state of `was`, or claimed against
    `unclaimed`.

    Its pieces are forgotten; so are its files when it becomes REMOVED.
    """
    wanted = [uploads.c.upload_id == upload_id, uploads.c.state.in_(was)]
    if unclaimed:
        wanted.append(uploads.c.case_id.is_(None))
    values = {"state": becomes, "settled_at": at, "swept_at": None, **found}
    if becomes is UploadState.ACCEPTED:  # counts against its sender's address until a case refers to it
        values["address_key"] = case((uploads.c.case_id.is_(None), uploads.c.address_key), else_=None)
    else:
        values["address_key"] = None
    row = connection.execute(update(uploads).where(*wanted).values(values).returning(uploads)).one_or_none()
    if row is not None:
        connection.execute(delete(pieces).where(pieces.c.upload_id == upload_id))
        if becomes is UploadState.REMOVED:
            connection.execute(delete(files).where(files.c.upload_id == upload_id))
    return row


def note_delayed(connection: Connection, expires_before: datetime, note: str) -> list[str]:
    """Notes it on uploads that wait for their verdict and expire before this, where it is not noted yet; their ids."""
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
    noted = update(uploads).where(uploads.c.upload_id.in_(waiting)).values(notes=[note])
    return list(connection.execute(noted.returning(uploads.c.upload_id)).scalars())


def add_files(connection: Connection, upload_id: str, made: Sequence[tuple[DerivedFile, str]]) -> None:
    """The files made from an accepted upload, each with its key in the object store."""
    connection.execute(
        insert(files),
        [
            {
                "upload_id": upload_id,
                "variant": file.variant.value,
                "key": key,
                "content_type": file.content_type,
                "size": file.size,
                "sha256": file.sha256,
                "width": file.width,
                "height": file.height,
            }
            for file, key in made
        ],
    )


def file_of(connection: Connection, upload_id: str, variant: str) -> Row[Any] | None:
    """One file made from an upload, or None."""
    return connection.execute(
        select(files).where(files.c.upload_id == upload_id, files.c.variant == variant)
    ).one_or_none()


def keys_of(connection: Connection, upload_id: str) -> set[str]:
    """The keys of all files made from an upload."""
    return set(connection.execute(select(files.c.key).where(files.c.upload_id == upload_id)).scalars())


def expired(connection: Connection, at: datetime, limit: int = 100) -> list[UploadRow]:
    """Uploads past their life: those of no case, and those that a case waits for in vain. Locked; others' are
    passed.
    """
    unwanted = uploads.c.case_id.is_(None) & (uploads.c.state != UploadState.REMOVED)
    return list(
        connection.execute(
            select(uploads)
            .where(uploads.c.expires_at < at, or_(unwanted, uploads.c.state == UploadState.OPEN))
            .where(uploads.c.settled_at.is_(None) | uploads.c.case_id.is_(None))  # as the index says
            .order_by(uploads.c.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def forget_names(connection: Connection, ids: Sequence[str]) -> None:
    """What these uploads were called, and what was in them."""
    gone = {"file_name": None, "declared_type": None, "sha256": None}
    connection.execute(update(uploads).where(uploads.c.upload_id.in_(ids)).values(gone))


def note_erasure(connection: Connection, case_id: UUID, rule: str, media: int) -> bool:
    """That the evidence of a case is kept no longer, and by which rule; False when that was noted before."""
    row = {"case_id": case_id, "rule": rule, "media": media}
    noted = upsert(erasures).values(row).on_conflict_do_nothing().returning(erasures.c.case_id)
    return connection.execute(noted).first() is not None


def is_erased(connection: Connection, case_id: UUID) -> bool:
    """Whether the evidence of this case is kept no longer."""
    return connection.execute(select(erasures.c.case_id).where(erasures.c.case_id == case_id)).first() is not None


def to_sweep(connection: Connection, settled_before: datetime, limit: int = 100) -> list[UploadRow]:
    """Settled uploads whose leftovers in the object store were not yet looked for."""
    return list(
        connection.execute(
            select(uploads)
            .where(uploads.c.settled_at < settled_before, uploads.c.swept_at.is_(None))
            .order_by(uploads.c.settled_at)
            .limit(limit)
        )
    )


def swept(connection: Connection, upload_id: str, at: datetime) -> None:
    """Notes that nothing of this upload is left that should not be."""
    connection.execute(update(uploads).where(uploads.c.upload_id == upload_id).values(swept_at=at))


def forget(connection: Connection, swept_before: datetime) -> int:
    """Forgets removed uploads that no case refers to; how many."""
    gone = uploads.c.state == UploadState.REMOVED
    return connection.execute(
        delete(uploads).where(gone, uploads.c.case_id.is_(None), uploads.c.swept_at < swept_before)
    ).rowcount
