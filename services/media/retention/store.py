"""Uploads whose time is over, and what was erased by which rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.media import UploadState
from services.media.models import erasures, uploads
from services.media.uploads.store import UploadRow


def expired(connection: Connection, at: datetime, limit: int = 100) -> list[UploadRow]:
    """Uploads past their expiry: those of no case, and unfinished ones that a case waits for. Locked; those that another process
    has locked are skipped."""
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


def erase_names(connection: Connection, ids: Sequence[str]) -> None:
    """Deletes what these uploads were called, and the hash of what was in them."""
    empty = {"file_name": None, "declared_type": None, "sha256": None}
    connection.execute(update(uploads).where(uploads.c.upload_id.in_(ids)).values(empty))


def record_erasure(connection: Connection, case_id: UUID, rule: str, media: int) -> bool:
    """Records that the evidence of a case is erased, and by which rule; False when that is on record already."""
    row = {"case_id": case_id, "rule": rule, "media": media}
    statement = upsert(erasures).values(row).on_conflict_do_nothing().returning(erasures.c.case_id)
    return connection.execute(statement).first() is not None


def is_erased(connection: Connection, case_id: UUID) -> bool:
    """Whether the evidence of this case is erased."""
    return connection.execute(select(erasures.c.case_id).where(erasures.c.case_id == case_id)).first() is not None


def to_sweep(connection: Connection, settled_before: datetime, limit: int = 100) -> list[UploadRow]:
    """Settled uploads whose leftovers in the object store were not yet removed."""
    return list(
        connection.execute(
            select(uploads)
            .where(uploads.c.settled_at < settled_before, uploads.c.swept_at.is_(None))
            .order_by(uploads.c.settled_at)
            .limit(limit)
        )
    )


def mark_swept(connection: Connection, upload_id: str, at: datetime) -> None:
    """Records that the object store holds nothing of this upload that it should not."""
    connection.execute(update(uploads).where(uploads.c.upload_id == upload_id).values(swept_at=at))


def delete_removed(connection: Connection, swept_before: datetime) -> int:
    """Deletes removed uploads that no case refers to; how many."""
    removed = uploads.c.state == UploadState.REMOVED
    return connection.execute(
        delete(uploads).where(removed, uploads.c.case_id.is_(None), uploads.c.swept_at < swept_before)
    ).rowcount
