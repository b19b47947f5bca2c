"""Uploads whose bytes have all come are examined: accepted as evidence, or rejected with a reason."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from backbone.process import logs
from backbone.storage.database import Database
from contracts.base import now
from contracts.media import MediaAccepted, MediaDelayed, MediaNote, UploadState, Variant
from services.media.events import rejected
from services.media.evidence import store as evidence_store
from services.media.object_store import Bucket, StoredPart, StoreFailed
from services.media.processing.examination import examine
from services.media.processing.rules import DerivedFile, Limits, Reason, Verdict
from services.media.processing.rules import Variant as FileVariant
from services.media.processing.virus_scan import Scanner, ScanResult
from services.media.uploads import store

log = logs.get("media")

_FOLDER_PREFIX = "examination-"


@dataclass(frozen=True)
class ProcessingLimits:
    """`limits`: of one file; `delayed_after`: without a verdict the check counts as delayed; `upload_life`: after the last byte,
    without a case."""

    limits: Limits
    delayed_after: timedelta
    upload_life: timedelta


class ProcessingUseCases:
    """`scanner`: None where no virus scanner is configured. `work_folder`: room for about three times the largest file."""

    def __init__(self, bucket: Bucket, scanner: Scanner | None, work_folder: Path, limits: ProcessingLimits) -> None:
        self._bucket = bucket
        self._scanner = scanner
        self._work_folder = work_folder
        self._limits = limits
        work_folder.mkdir(parents=True, exist_ok=True)
        _delete_leftovers(work_folder, older_than=2 * limits.limits.wall_seconds + 600)

    def process(self, database: Database, upload_id: str) -> None:
        """Examines an upload and settles it. May be cut off anywhere and begun again; only the first end counts.

        StoreFailed, ScanFailed, ObjectMissing, ProcessingFailed: then nothing is settled.
        """
        with database.read() as connection:
            row = store.upload(connection, upload_id)
            parts = store.parts_of(connection, upload_id)
        if row is None or row.state != UploadState.PROCESSING:
            return
        folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=self._work_folder))
        try:
            self._examine_and_settle(database, row, parts, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def report_delayed(self, database: Database) -> int:
        """Publishes, once each, the uploads whose check should long be over; how many. It is tried again meanwhile, and from the
        dead letters when an operator replays them: this is so that nobody waits without a word."""
        complete_before = now() - self._limits.delayed_after
        expires_before = complete_before + self._limits.upload_life
        with database.transaction() as connection:
            ids = store.mark_delayed(connection, expires_before, MediaNote.CHECK_DELAYED.value)
            outbox.add(connection, *(MediaDelayed(id=uuid4(), occurred_at=now(), media_id=id_) for id_ in ids))
        return len(ids)

    def _examine_and_settle(
        self, database: Database, row: store.UploadRow, parts: Sequence[StoredPart], folder: Path
    ) -> None:
        source, out = folder / "in", folder / "out"
        out.mkdir()
        self._bucket.assemble(parts, source)
        verdict, scanned = self._verdict(source, out)
        attempt = f"evidence/{row.upload_id}/{secrets.token_urlsafe(6)}/"
        derived = [(file, attempt + file.name) for file in verdict.files]
        by_name = {file.name: (file, key) for file, key in derived}  # two variants may be one file
        for name, (file, key) in by_name.items():
            self._bucket.put_file(key, out / name, file.content_type)
        with database.transaction() as connection:
            settled = _settle(connection, row.upload_id, verdict, derived, scanned)
        log.info(
            "examined an upload",
            upload_begins=store.log_id(row.upload_id),
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
                self._bucket.remove({key for _, key in derived})
            self._bucket.remove([part.key for part in parts])
        except StoreFailed:
            pass  # left to the sweep

    def _verdict(self, source: Path, out: Path) -> tuple[Verdict, bool]:
        """The verdict on a file, and whether a virus scanner has read it."""
        if self._scanner is not None:
            result, signature = self._scanner.scan(source)
            if result is ScanResult.INFECTED:
                size = source.stat().st_size
                return Verdict(False, size, "", reason=Reason.INFECTED, detail=signature), True
        return examine(source, out, self._limits.limits), self._scanner is not None


def _settle(
    connection: Connection,
    upload_id: str,
    verdict: Verdict,
    derived: Sequence[tuple[DerivedFile, str]],
    scanned: bool,
) -> bool:
    """Stores and publishes the verdict; False when the upload was settled or removed before."""
    columns: dict[str, Any] = {
        "sha256": verdict.sha256 or None,
        "scanned": scanned,
        "reason": verdict.reason,
        "notes": [str(note) for note in verdict.notes],
    }
    if verdict.accepted:
        columns |= {"kind": verdict.kind, "content_type": verdict.content_type, "seconds": verdict.seconds}
        columns |= {"pages": verdict.pages, "removed_parts": verdict.removed}
    new_state = UploadState.ACCEPTED if verdict.accepted else UploadState.REJECTED
    row = store.settle(connection, upload_id, {UploadState.PROCESSING}, new_state, now(), **columns)
    if row is None:
        return False
    if verdict.accepted:
        evidence_store.add_files(connection, upload_id, derived)
        outbox.add(connection, _accepted(upload_id, verdict, scanned))
    else:
        outbox.add(connection, rejected(upload_id, str(verdict.reason)))
    return True


def _accepted(upload_id: str, verdict: Verdict, scanned: bool) -> MediaAccepted:
    evidence = verdict.files[0]
    return MediaAccepted(
        id=uuid4(),
        occurred_at=now(),
        media_id=upload_id,
        media_type=evidence.content_type,
        size=evidence.size,
        sha256=verdict.sha256,
        variants=[Variant(file.variant.value) for file in verdict.files if file.variant is not FileVariant.PEAKS],
        scanned=scanned,
        duration_seconds=verdict.seconds,
        notes=[MediaNote(note.value) for note in verdict.notes],
        width=verdict.width,
        height=verdict.height,
        peaks=any(file.variant is FileVariant.PEAKS for file in verdict.files),
    )


def _delete_leftovers(folder: Path, older_than: float) -> None:
    """Folders of examinations that were killed; younger ones may be another process's work."""
    for leftover in folder.glob(f"{_FOLDER_PREFIX}*"):
        try:
            if time.time() - leftover.stat().st_mtime > older_than:
                shutil.rmtree(leftover, ignore_errors=True)
        except FileNotFoundError:
            continue
