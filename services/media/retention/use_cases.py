"""Evidence whose time is over is erased; uploads of no case, and what they left in the object store, are deleted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from backbone.storage.database import Database
from contracts.base import now
from contracts.media import MediaErased, UploadState
from contracts.tracking import RetentionDue
from contracts.vocabulary import KeptPart
from services.media.claims.store import release
from services.media.events import rejected
from services.media.evidence.store import keys_of
from services.media.object_store import Bucket
from services.media.retention import store
from services.media.uploads import store as upload_store

_LATE_WRITES = timedelta(hours=1)
"""A part still on its way, or an examination that another process has overtaken, is done by then."""
_REMOVED_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class RetentionLimits:
    """`purge_grace`: after its start a process purges nothing for so long, since after a long stop the cases that refer to old
    uploads are still in the queues; `url_life`: of the URLs that parts are stored under."""

    purge_grace: timedelta
    url_life: timedelta


class RetentionUseCases:
    def __init__(self, bucket: Bucket, limits: RetentionLimits) -> None:
        self._bucket = bucket
        self._limits = limits
        self._started_at = time.monotonic()

    def erase(self, connection: Connection, event: RetentionDue) -> None:
        """Erases the evidence of a case when its time is over: nobody can read it there any more, and the sweep deletes the bytes
        that no other case refers to. Once; nothing of it comes back."""
        if event.part is not KeptPart.EVIDENCE:
            return
        ids, unclaimed = release(connection, event.case_id)
        for upload_id in unclaimed:
            upload_store.settle(connection, upload_id, upload_store.NOT_REMOVED, UploadState.REMOVED, now())
        store.erase_names(connection, unclaimed)
        rule = f"{event.state.kind}, {event.rule_outcome or 'any outcome'}: {event.months} months"
        if store.record_erasure(connection, event.case_id, rule, len(ids)):
            erased = {"case_id": event.case_id, "media": ids, "months": event.months}
            outbox.add(connection, MediaErased(id=uuid4(), occurred_at=now(), **erased))

    def purge(self, database: Database) -> int:
        """Gives up uploads past their life; how many. Any number of processes may do this at once."""
        if time.monotonic() - self._started_at < self._limits.purge_grace.total_seconds():
            return 0
        at = now()
        with database.transaction() as connection:
            rows = store.expired(connection, at)
            for row in rows:
                if row.case_id is None:
                    upload_store.settle(connection, row.upload_id, upload_store.NOT_REMOVED, UploadState.REMOVED, at)
                else:
                    is_open = {UploadState.OPEN}
                    upload_store.settle(
                        connection, row.upload_id, is_open, UploadState.REJECTED, at, reason="incomplete"
                    )
                    outbox.add(connection, rejected(row.upload_id, "incomplete"))
            store.delete_removed(connection, at - _REMOVED_KEPT)
        return len(rows)

    def sweep(self, database: Database) -> int:
        """Deletes from the object store what settled uploads left there: parts, and files that nothing refers to.

        Twice for a removed upload: at once, and, as for every other, when no late write can come. Returns how many objects were
        deleted. StoreFailed.
        """
        at = now()
        no_more_writes = at - _LATE_WRITES - self._limits.url_life
        with database.read() as connection:
            rows = store.to_sweep(connection, at)
        count = 0
        for row in rows:
            is_last = row.settled_at < no_more_writes
            if is_last or row.state == UploadState.REMOVED:
                count += self._sweep_upload(database, row.upload_id, at if is_last else None)
        return count

    def _sweep_upload(self, database: Database, upload_id: str, swept_at: datetime | None) -> int:
        with database.read() as connection:
            kept = keys_of(connection, upload_id)
        keys = [*self._bucket.keys(f"quarantine/{upload_id}/"), *self._bucket.keys(f"evidence/{upload_id}/")]
        leftover = [key for key in keys if key not in kept]
        self._bucket.remove(leftover)
        if swept_at is not None:
            with database.transaction() as connection:
                store.mark_swept(connection, upload_id, swept_at)
        return len(leftover)
