"""What media does: takes uploads piece by piece, looks at what came, keeps what a case refers to, forgets the
rest.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from backbone.process import logs
from backbone.storage.database import Database
from contracts.base import now
from contracts.errors import Gone, NotFound, OffsetConflict, StillRegistering, TooLarge, WrongStage
from contracts.media import (
    ChunkTarget,
    ClaimRefused,
    CreateUpload,
    Download,
    FileNames,
    ListFileNames,
    MediaAccepted,
    MediaClaimed,
    MediaDelayed,
    MediaErased,
    MediaNote,
    MediaRejected,
    MediaUploaded,
    PrepareChunk,
    RecordChunk,
    SignDownload,
    Upload,
    UploadState,
    Variant,
)
from contracts.tracking import RetentionDue
from contracts.vocabulary import KeptPart
from services.media import claims, quarantine, store
from services.media.domain import INLINE_TYPES, DerivedFile, Reason, Verdict
from services.media.objects import Objects, Piece, StoreFailed
from services.media.processing import look_at
from services.media.scan import Scanner, ScanResult
from services.media.settings import Settings

log = logs.get("media")

# More than the largest file needs with parts of the usual size: a chunk with a checksum counts whole or not
# at all.
_URLS_AT_ONCE = 64
# A late writer (a piece still on its way, a look that lost its race) is done by then.
_SWEEP_AFTER = timedelta(hours=1)
_REMEMBER_REMOVED = timedelta(days=7)


class Media:
    """The use cases of one process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started = time.monotonic()
        self._objects = Objects(
            str(settings.s3_endpoint),
            settings.s3_access_key.get_secret_value(),
            settings.s3_secret_key.get_secret_value(),
            settings.s3_bucket,
        )
        self._bucket_ready = False
        self._scanner = Scanner(settings.clamav_host, settings.clamav_port) if settings.clamav_host else None
        settings.media_work_dir.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(settings.media_work_dir, older_than=2 * settings.media_wall_seconds + 600)

    # --- uploads ---

    def create(self, connection: Connection, request: CreateUpload) -> Upload:
        """A new upload under an id that cannot be guessed. Raises TooLarge, TooManyUploads, EvidenceUnavailable,
        StoreFailed."""
        if request.size > self._settings.media_max_bytes:
            raise TooLarge(limit=self._settings.media_max_bytes)
        at = now()
        quarantine.check(connection, self._settings.budgets, request.size, request.address_key, at)
        self._ensure_bucket()
        empty = request.size == 0
        row = store.add_upload(
            connection,
            {
                "upload_id": secrets.token_urlsafe(24),
                "size": request.size,
                "received": 0,
                "state": UploadState.PROCESSING if empty else UploadState.OPEN,
                "file_name": request.file_name,
                "declared_type": request.declared_type,
                "address_key": request.address_key,
                "expires_at": at + (self._settings.life if empty else self._settings.open_life),
            },
        )
        if empty:
            outbox.add(connection, _uploaded(row.upload_id))
        return self._seen(row)

    def get(self, connection: Connection, upload_id: str) -> Upload:
        """Raises NotFound, Gone."""
        return self._seen(self._alive(connection, upload_id))

    def file_names(self, connection: Connection, request: ListFileNames) -> FileNames:
        """What the citizen of this case called its files."""
        return FileNames(names=claims.names(connection, request.case_id, request.media_ids))

    def prepare(self, connection: Connection, request: PrepareChunk) -> ChunkTarget:
        """Where the bytes from `request.offset` on are to be put. Raises NotFound, Gone, OffsetConflict."""
        row = self._alive(connection, request.upload_id)
        if row.received != request.offset:
            raise OffsetConflict(offset=row.received)
        left = row.size - row.received  # nothing, when it is no longer open
        left = min(left, request.length) if request.length is not None else left
        count = min(-(-left // self._settings.media_part_bytes), _URLS_AT_ONCE) if row.state == UploadState.OPEN else 0
        lease = secrets.token_urlsafe(9)
        life = timedelta(seconds=self._settings.media_upload_url_seconds)
        keys = (_piece_key(row.upload_id, lease, number) for number in range(count))
        return ChunkTarget(
            upload=self._seen(row),
            lease=lease,
            part_urls=[self._objects.presigned_put(key, life) for key in keys],
        )

    def record(self, connection: Connection, request: RecordChunk) -> Upload:
        """The pieces of one attempt now belong to the upload; the last one sets it off to be looked at.

        Raises NotFound, Gone, and OffsetConflict when another attempt was first: its pieces count, ours do
        not.
        """
        new_offset = request.offset + sum(request.lengths)
        at = now()
        row = store.advance(connection, request.upload_id, request.offset, new_offset, at + self._settings.life, at)
        if row is None:
            raise OffsetConflict(offset=self._alive(connection, request.upload_id).received)
        numbers = range(request.first_part, request.first_part + len(request.lengths))
        keys = [_piece_key(request.upload_id, request.lease, number) for number in numbers]
        stored = [Piece(key, length) for key, length in zip(keys, request.lengths, strict=True)]
        store.add_pieces(connection, request.upload_id, request.offset, stored)
        if row.state == UploadState.PROCESSING:
            outbox.add(connection, _uploaded(row.upload_id))
        return self._seen(row)

    def terminate(self, connection: Connection, upload_id: str) -> Upload:
        """Removed for good; what it left in the object store goes with the next sweep (`sweep`).

        Raises NotFound, Gone, and WrongStage when a case waits for it.
        """
        row = self._alive(connection, upload_id)
        removed = store.settle(connection, upload_id, _LIVING, UploadState.REMOVED, now(), unclaimed=True)
        if removed is None:
            raise WrongStage(stage=row.state, command="terminate_upload")
        return self._seen(removed)

    def _alive(self, connection: Connection, upload_id: str) -> store.UploadRow:
        """One that its sender may still ask for: all that a case refers to is told with the case alone, and its id is known
        to those who handle that. While its bytes come its sender has to go on."""
        row = store.upload(connection, upload_id)
        if row is None or (row.case_id is not None and row.state != UploadState.OPEN):
            raise NotFound
        if row.state == UploadState.REMOVED or (row.state == UploadState.OPEN and row.expires_at <= now()):
            raise Gone
        return row

    def _seen(self, row: store.UploadRow) -> Upload:
        return Upload(
            upload_id=row.upload_id,
            size=row.size,
            offset=row.received,
            state=UploadState(row.state),
            expires_at=row.expires_at,
            file_name=row.file_name if row.case_id is None else None,
            declared_type=row.declared_type if row.case_id is None else None,
            reason=row.reason,
            part_size=self._settings.media_part_bytes,
            notes=[MediaNote(note) for note in row.notes or []],
        )

    def _ensure_bucket(self) -> None:
        if not self._bucket_ready:
            self._objects.ensure_bucket()
            self._bucket_ready = True

    # --- the look ---

    def process(self, database: Database, upload_id: str) -> None:
        """Looks at an upload and settles it. May be cut off anywhere and begun again; only the first end
        counts.

        Raises StoreFailed, ScanFailed, ObjectMissing, ProcessingFailed: nothing is settled then.
        """
        with database.read() as connection:
            row = store.upload(connection, upload_id)
            pieces = store.pieces_of(connection, upload_id)
        if row is None or row.state != UploadState.PROCESSING:
            return
        folder = Path(tempfile.mkdtemp(prefix="look-", dir=self._settings.media_work_dir))
        try:
            self._look_and_settle(database, row, pieces, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _look_and_settle(self, database: Database, row: store.UploadRow, pieces: Sequence[Piece], folder: Path) -> None:
        source, out = folder / "in", folder / "out"
        out.mkdir()
        self._objects.assemble(pieces, source)
        verdict, scanned = self._verdict(source, out)
        attempt = f"evidence/{row.upload_id}/{secrets.token_urlsafe(6)}/"
        made = [(file, attempt + file.name) for file in verdict.files]
        for name, (file, key) in {file.name: (file, key) for file, key in made}.items():  # two variants may be one file
            self._objects.put_file(key, out / name, file.content_type)
        with database.transaction() as connection:
            settled = self._settle(connection, row.upload_id, verdict, made, scanned)
        log.info(
            "looked at an upload",
            upload_begins=_short(row.upload_id),
            accepted=verdict.accepted,
            reason=verdict.reason,
            detail=verdict.detail,
            type=verdict.content_type,
            size=verdict.size,
            removed=verdict.removed,
            notes=verdict.notes,
            scanned=scanned,
            first=settled,
        )
        try:
            if not settled:  # terminated meanwhile, or another process was faster
                self._objects.remove({key for _, key in made})
            self._objects.remove([piece.key for piece in pieces])
        except StoreFailed:
            pass  # the sweep comes by later

    def _verdict(self, source: Path, out: Path) -> tuple[Verdict, bool]:
        if self._scanner is not None:
            result, signature = self._scanner.scan(source)
            if result is ScanResult.INFECTED:
                size = source.stat().st_size
                return Verdict(False, size, "", reason=Reason.INFECTED, detail=signature), True
        return look_at(source, out, self._settings.limits), self._scanner is not None

    def _settle(
        self,
        connection: Connection,
        upload_id: str,
        verdict: Verdict,
        made: Sequence[tuple[DerivedFile, str]],
        scanned: bool,
    ) -> bool:
        found: dict[str, Any] = {
            "sha256": verdict.sha256 or None,
            "scanned": scanned,
            "reason": verdict.reason,
            "notes": [str(note) for note in verdict.notes],
        }
        if verdict.accepted:
            found |= {"kind": verdict.kind, "content_type": verdict.content_type, "seconds": verdict.seconds}
            found |= {"pages": verdict.pages, "removed_parts": verdict.removed}
        becomes = UploadState.ACCEPTED if verdict.accepted else UploadState.REJECTED
        row = store.settle(connection, upload_id, {UploadState.PROCESSING}, becomes, now(), **found)
        if row is None:
            return False
        if verdict.accepted:
            store.add_files(connection, upload_id, made)
            outbox.add(connection, _accepted(upload_id, verdict, scanned))
        else:
            outbox.add(connection, _rejected(upload_id, str(verdict.reason)))
        return True

    def tell_delayed(self, database: Database) -> int:
        """Tells, once each, of uploads whose check should long be over; how many. It is tried again meanwhile, and from
        the dead letters when whoever runs Peygir gives them back: this is so that nobody waits without a word.
        """
        complete_before = now() - timedelta(seconds=self._settings.media_delayed_seconds)
        with database.transaction() as connection:
            ids = store.note_delayed(connection, complete_before + self._settings.life, MediaNote.CHECK_DELAYED.value)
            outbox.add(connection, *(_delayed(upload_id) for upload_id in ids))
        return len(ids)

    # --- claims ---

    def claim(self, connection: Connection, claimant: claims.Claimant, upload_ids: Sequence[str]) -> None:
        """These uploads belong to the case from now on, and to those of the same person that had them before. Harmless when
        repeated.

        The case is told at once of one that cannot become its evidence: it is unknown, was removed before the case came, or
        belongs to a case of somebody else.
        """
        if not upload_ids:
            return
        case_id = claimant.case_id
        if store.is_erased(connection, case_id):
            # An old message that came again: what is of no case goes by itself.
            return
        outcome = claims.claim(connection, claimant, upload_ids, now(), self._settings.life)
        outbox.add(connection, *(_claimed(upload_id, case_id) for upload_id in outcome.claimed))
        outbox.add(connection, *(_rejected(upload_id, reason) for upload_id, reason in outcome.rejected.items()))
        for upload_id, reason in outcome.refused.items():
            log.warning("a case cannot have an upload", upload_begins=_short(upload_id), reason=reason)
            about = {"media_id": upload_id, "case_id": case_id, "reason": reason}
            outbox.add(connection, ClaimRefused(id=uuid4(), occurred_at=now(), **about))

    # --- retention ---

    def retention_due(self, connection: Connection, event: RetentionDue) -> None:
        """Erases the evidence of a case when its time is over: from now on nobody can read it there, and the sweep takes the
        bytes of what no other case refers to out of the object store. Once; nothing of it comes back."""
        if event.part is not KeptPart.EVIDENCE:
            return
        ids, last = claims.let_go(connection, event.case_id)
        for upload_id in last:
            store.settle(connection, upload_id, _LIVING, UploadState.REMOVED, now())
        store.forget_names(connection, last)
        rule = f"{event.state.kind}, {event.rule_outcome or 'any outcome'}: {event.months} months"
        if store.note_erasure(connection, event.case_id, rule, len(ids)):
            about = {"case_id": event.case_id, "media": ids, "months": event.months}
            outbox.add(connection, MediaErased(id=uuid4(), occurred_at=now(), **about))

    # --- downloads ---

    def sign(self, connection: Connection, request: SignDownload) -> Download:
        """Where the gateway reads one variant from. Raises NotFound, Gone, StillRegistering."""
        row = store.upload(connection, request.media_id)
        if request.case_id is not None and store.is_erased(connection, request.case_id):
            raise Gone
        if row is None or not self._is_of(connection, row, request.case_id):
            raise NotFound
        if row.state in (UploadState.REJECTED, UploadState.REMOVED):
            raise Gone
        if row.state != UploadState.ACCEPTED or (request.case_id is not None and row.case_id is None):
            raise StillRegistering
        file = store.file_of(connection, request.media_id, request.variant.value)
        if file is None:
            raise NotFound
        return Download(
            # What the citizen's device called it may name them, or whom they mean, and bytes are handed on: it stays here.
            url=self._objects.presigned_get(file.key, timedelta(seconds=self._settings.media_download_url_seconds)),
            media_type=file.content_type,
            size=file.size,
            file_name=request.label + PurePosixPath(file.key).suffix,
            sha256=file.sha256,
            inline=file.content_type in INLINE_TYPES,
        )

    def _is_of(self, connection: Connection, row: store.UploadRow, case_id: UUID | None) -> bool:
        """Whether this case, if one is named, has the upload, or may have it soon."""
        return case_id is None or row.case_id in (None, case_id) or claims.is_of(connection, row.upload_id, case_id)

    # --- forgetting ---

    def purge(self, database: Database) -> int:
        """Gives up uploads past their life; how many. Any number of processes may do this at once."""
        if time.monotonic() - self._started < self._settings.media_purge_grace_seconds:
            return 0
        at = now()
        with database.transaction() as connection:
            rows = store.expired(connection, at)
            for row in rows:
                if row.case_id is None:
                    store.settle(connection, row.upload_id, _LIVING, UploadState.REMOVED, at)
                else:
                    store.settle(
                        connection, row.upload_id, {UploadState.OPEN}, UploadState.REJECTED, at, reason="incomplete"
                    )
                    outbox.add(connection, _rejected(row.upload_id, "incomplete"))
            store.forget(connection, at - _REMEMBER_REMOVED)
        return len(rows)

    def sweep(self, database: Database) -> int:
        """Takes from the object store what settled uploads left there: pieces, and files nobody points to.

        Twice for a removed upload: at once, and, as for every other, when no late writer can be left. Returns
        how many objects went. Raises StoreFailed.
        """
        at = now()
        late = at - _SWEEP_AFTER - timedelta(seconds=self._settings.media_upload_url_seconds)
        with database.read() as connection:
            rows = store.to_sweep(connection, at)
        count = 0
        for row in rows:
            if row.settled_at < late or row.state == UploadState.REMOVED:
                count += self._sweep_one(database, row.upload_id, at if row.settled_at < late else None)
        return count

    def _sweep_one(self, database: Database, upload_id: str, done_at: datetime | None) -> int:
        with database.read() as connection:
            kept = store.keys_of(connection, upload_id)
        keys = [
            *self._objects.names(f"quarantine/{upload_id}/"),
            *self._objects.names(f"evidence/{upload_id}/"),
        ]
        unwanted = [key for key in keys if key not in kept]
        self._objects.remove(unwanted)
        if done_at is not None:
            with database.transaction() as connection:
                store.swept(connection, upload_id, done_at)
        return len(unwanted)


_LIVING = frozenset({UploadState.OPEN, UploadState.PROCESSING, UploadState.ACCEPTED, UploadState.REJECTED})


def _piece_key(upload_id: str, lease: str, number: int) -> str:
    return f"quarantine/{upload_id}/{lease}-{number:05d}"


def _short(upload_id: str) -> str:
    """Enough to find an upload's lines in the log; not enough to use it."""
    return upload_id[:6]


def _uploaded(upload_id: str) -> MediaUploaded:
    return MediaUploaded(id=uuid4(), occurred_at=now(), media_id=upload_id)


def _claimed(upload_id: str, case_id: UUID) -> MediaClaimed:
    return MediaClaimed(id=uuid4(), occurred_at=now(), media_id=upload_id, case_id=case_id)


def _delayed(upload_id: str) -> MediaDelayed:
    return MediaDelayed(id=uuid4(), occurred_at=now(), media_id=upload_id)


def _rejected(upload_id: str, reason: str) -> MediaRejected:
    return MediaRejected(id=uuid4(), occurred_at=now(), media_id=upload_id, reason=reason)


def _accepted(upload_id: str, verdict: Verdict, scanned: bool) -> MediaAccepted:
    evidence = verdict.files[0]
    return MediaAccepted(
        id=uuid4(),
        occurred_at=now(),
        media_id=upload_id,
        media_type=evidence.content_type,
        size=evidence.size,
        sha256=verdict.sha256,
        variants=[Variant(file.variant.value) for file in verdict.files],
        scanned=scanned,
        duration_seconds=verdict.seconds,
        notes=[MediaNote(note.value) for note in verdict.notes],
    )


def _clear_leftovers(folder: Path, older_than: float) -> None:
    """Folders of looks that were killed; younger ones may be another process's work."""
    for left in folder.glob("look-*"):
        try:
            if time.time() - left.stat().st_mtime > older_than:
                shutil.rmtree(left, ignore_errors=True)
        except FileNotFoundError:
            continue
