"""Media's events that several of its capabilities publish."""

from __future__ import annotations

from uuid import uuid4

from contracts.base import now
from contracts.media import MediaRejected, MediaUploaded


def uploaded(upload_id: str) -> MediaUploaded:
    return MediaUploaded(id=uuid4(), occurred_at=now(), media_id=upload_id)


def rejected(upload_id: str, reason: str) -> MediaRejected:
    return MediaRejected(id=uuid4(), occurred_at=now(), media_id=upload_id, reason=reason)
