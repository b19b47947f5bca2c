"""Uploads, part by part: the record of which bytes have come. The bytes go from the gateway to the object store."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from backbone.messaging import outbox
from contracts.base import now
from contracts.errors import Gone, NotFound, OffsetConflict, TooLarge, WrongStage
from contracts.media import (
    ChunkTarget,
    CreateUpload,
    MediaNote,
    PrepareChunk,
    RecordChunk,
    RenewUpload,
    Upload,
    UploadState,
)
from services.media.events import uploaded
from services.media.object_store import Bucket, StoredPart
from services.media.uploads import quarantine, store

_MAX_URLS = 64
"""Signed at once: more than the largest file needs in parts of the usual size. A chunk with a checksum counts whole or not at
all."""


@dataclass(frozen=True)
class UploadLimits:
    """Sizes in bytes. `open_life`: how long an upload lives to which no byte has come; `life`: after its last byte, without a
    case; `url_life`: of the URLs that parts are stored under; `kept_life`: after its beginning, however often it is renewed."""

    max_bytes: int
    part_bytes: int
    open_life: timedelta
    life: timedelta
    url_life: timedelta
    kept_life: timedelta


class UploadUseCases:
    def __init__(self, bucket: Bucket, limits: UploadLimits, budgets: quarantine.Budgets) -> None:
        self._bucket = bucket
        self._limits = limits
        self._budgets = budgets
        self._bucket_exists = False

    def create(self, connection: Connection, request: CreateUpload) -> Upload:
        """A new upload under an id that cannot be guessed. TooLarge, TooManyUploads, EvidenceUnavailable, StoreFailed."""
        if request.size > self._limits.max_bytes:
            raise TooLarge(limit=self._limits.max_bytes)
        at = now()
        quarantine.check(connection, self._budgets, request.size, request.address_key, at)
        self._ensure_bucket()
        is_empty = request.size == 0
        row = store.add_upload(
            connection,
            {
                "upload_id": secrets.token_urlsafe(24),
                "size": request.size,
                "received": 0,
                "state": UploadState.PROCESSING if is_empty else UploadState.OPEN,
                "file_name": request.file_name,
                "declared_type": request.declared_type,
                "address_key": request.address_key,
                "expires_at": at + (self._limits.life if is_empty else self._limits.open_life),
            },
        )
        if is_empty:
            outbox.add(connection, uploaded(row.upload_id))
        return self._answer(row)

    def get(self, connection: Connection, upload_id: str) -> Upload:
        """NotFound, Gone."""
        return self._answer(_readable(connection, upload_id))

    def prepare_chunk(self, connection: Connection, request: PrepareChunk) -> ChunkTarget:
        """Where the bytes from `request.offset` on are to be stored. NotFound, Gone, OffsetConflict."""
        row = _readable(connection, request.upload_id)
        if row.received != request.offset:
            raise OffsetConflict(offset=row.received)
        missing = row.size - row.received
        length = min(missing, request.length) if request.length is not None else missing
        count = min(-(-length // self._limits.part_bytes), _MAX_URLS) if row.state == UploadState.OPEN else 0
        lease = secrets.token_urlsafe(9)
        keys = (_part_key(row.upload_id, lease, number) for number in range(count))
        return ChunkTarget(
            upload=self._answer(row),
            lease=lease,
            part_urls=[self._bucket.presigned_put(key, self._limits.url_life) for key in keys],
        )

    def record_chunk(self, connection: Connection, request: RecordChunk) -> Upload:
        """The parts of one attempt now belong to the upload; with the last byte it goes to be processed.

        NotFound, Gone, and OffsetConflict when another attempt was first: its parts count, this one's do not.
        """
        new_offset = request.offset + sum(request.lengths)
        at = now()
        row = store.advance(connection, request.upload_id, request.offset, new_offset, at + self._limits.life, at)
        if row is None:
            raise OffsetConflict(offset=_readable(connection, request.upload_id).received)
        numbers = range(request.first_part, request.first_part + len(request.lengths))
        keys = [_part_key(request.upload_id, request.lease, number) for number in numbers]
        parts = [StoredPart(key, length) for key, length in zip(keys, request.lengths, strict=True)]
        store.add_parts(connection, request.upload_id, request.offset, parts)
        if row.state == UploadState.PROCESSING:
            outbox.add(connection, uploaded(row.upload_id))
        return self._answer(row)

    def renew(self, connection: Connection, request: RenewUpload) -> Upload:
        """An upload is kept for another life, within `kept_life`. NotFound, Gone, TooManyUploads."""
        row, at = _readable(connection, request.upload_id), now()
        if row.state == UploadState.REJECTED or row.expires_at <= at:
            raise Gone
        quarantine.check_kept(connection, self._budgets, request.upload_id, row.size, request.address_key, at)
        until = min(at + self._limits.life, row.created_at + self._limits.kept_life)
        renewed = store.renew(connection, request.upload_id, max(until, row.expires_at), request.address_key)
        return self._answer(renewed if renewed is not None else _readable(connection, request.upload_id))

    def terminate(self, connection: Connection, upload_id: str) -> Upload:
        """Removes an upload for good; the next sweep deletes what it left in the object store.

        NotFound, Gone, and WrongStage when a case waits for it.
        """
        row = _readable(connection, upload_id)
        removed = store.settle(connection, upload_id, store.NOT_REMOVED, UploadState.REMOVED, now(), unclaimed=True)
        if removed is None:
            raise WrongStage(stage=row.state, command="terminate_upload")
        return self._answer(removed)

    def _answer(self, row: store.UploadRow) -> Upload:
        return Upload(
            upload_id=row.upload_id,
            size=row.size,
            offset=row.received,
            state=UploadState(row.state),
            expires_at=row.expires_at,
            file_name=row.file_name if row.case_id is None else None,
            declared_type=row.declared_type if row.case_id is None else None,
            reason=row.reason,
            part_size=self._limits.part_bytes,
            notes=[MediaNote(note) for note in row.notes or []],
        )

    def _ensure_bucket(self) -> None:
        if not self._bucket_exists:
            self._bucket.ensure_exists()
            self._bucket_exists = True


def _readable(connection: Connection, upload_id: str) -> store.UploadRow:
    """An upload that its sender may still ask for: one that a case has claimed is shown with the case alone, since those who
    handle that know its id. While its bytes come its sender has to go on. NotFound, Gone."""
    row = store.upload(connection, upload_id)
    if row is None or (row.case_id is not None and row.state != UploadState.OPEN):
        raise NotFound
    if row.state == UploadState.REMOVED or (row.state == UploadState.OPEN and row.expires_at <= now()):
        raise Gone
    return row


def _part_key(upload_id: str, lease: str, number: int) -> str:
    return f"quarantine/{upload_id}/{lease}-{number:05d}"
