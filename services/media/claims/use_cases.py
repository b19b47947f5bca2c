"""Cases claim the uploads that they name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from backbone.process import logs
from contracts.base import now
from contracts.media import ClaimRefused, FileNames, ListFileNames, MediaClaimed, UploadState
from services.media.claims import store
from services.media.claims.rules import Claimant, Outcome, Refusal, is_same_citizen, may_share
from services.media.events import rejected
from services.media.retention.store import is_erased
from services.media.uploads.store import log_id

log = logs.get("media")


class ClaimUseCases:
    """`life`: how long the missing bytes of a claimed upload are waited for."""

    def __init__(self, life: timedelta) -> None:
        self._life = life

    def claim(self, connection: Connection, claimant: Claimant, upload_ids: Sequence[str]) -> None:
        """These uploads belong to the case from now on, besides those of the same person that had them before. Harmless when
        repeated.

        The case is told at once of an upload that cannot become its evidence: it is unknown, was removed before the case came,
        or belongs to a case of somebody else.
        """
        if not upload_ids:
            return
        case_id = claimant.case_id
        if is_erased(connection, case_id):
            return  # an old message that came again; an upload of no case expires by itself
        outcome = self._claim(connection, claimant, upload_ids)
        for upload_id, reason in outcome.refused.items():
            log.warning("a case cannot have an upload", upload_begins=log_id(upload_id), reason=reason)
        outbox.add(
            connection,
            *(_claimed(upload_id, case_id) for upload_id in outcome.claimed),
            *(rejected(upload_id, reason) for upload_id, reason in outcome.rejected.items()),
            *(_refused(upload_id, case_id, reason) for upload_id, reason in outcome.refused.items()),
        )

    def file_names(self, connection: Connection, request: ListFileNames) -> FileNames:
        """What the citizen of this case called its files."""
        return FileNames(names=store.file_names(connection, request.case_id, request.media_ids))

    def _claim(self, connection: Connection, claimant: Claimant, upload_ids: Iterable[str]) -> Outcome:
        ids = list(dict.fromkeys(upload_ids))
        rows = store.lock_uploads(connection, ids)
        claims = store.claims_of(connection, ids)
        outcome, at = Outcome(), now()
        for upload_id in ids:
            row, earlier = rows.get(upload_id), claims.get(upload_id, [])
            if row is None:
                outcome.rejected[upload_id] = Refusal.UNKNOWN
            elif any(claim.case_id == claimant.case_id for claim in earlier):
                continue
            elif row.state == UploadState.REMOVED:
                (outcome.rejected if row.case_id is None else outcome.refused)[upload_id] = Refusal.EXPIRED
            elif row.case_id is None or may_share(claimant, upload_id, row.expires_at > at, earlier):
                is_first = row.case_id is None
                named = not claimant.from_office and (is_first or is_same_citizen(claimant, upload_id, earlier))
                store.add_claim(connection, claimant, row, named, at, self._life)
                outcome.claimed.append(upload_id)
            else:
                outcome.refused[upload_id] = Refusal.ALREADY_USED
        return outcome


def _claimed(upload_id: str, case_id: UUID) -> MediaClaimed:
    return MediaClaimed(id=uuid4(), occurred_at=now(), media_id=upload_id, case_id=case_id)


def _refused(upload_id: str, case_id: UUID, reason: Refusal) -> ClaimRefused:
    return ClaimRefused(id=uuid4(), occurred_at=now(), media_id=upload_id, case_id=case_id, reason=reason)
