"""Downloads of accepted evidence."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePosixPath
from uuid import UUID

from sqlalchemy import Connection

from contracts.base import now
from contracts.errors import Gone, NotFound, StillRegistering
from contracts.media import INLINE_TYPES, Download, SignDownload, SignOwnUpload, UploadState
from services.media.claims.store import is_claimed_by
from services.media.evidence import store
from services.media.object_store import Bucket
from services.media.retention.store import is_erased
from services.media.uploads import store as upload_store


class DownloadUseCases:
    """`url_life`: of the URLs that the gateway reads from."""

    def __init__(self, bucket: Bucket, url_life: timedelta) -> None:
        self._bucket = bucket
        self._url_life = url_life

    def sign_own(self, connection: Connection, request: SignOwnUpload) -> Download:
        """The same of an upload that is not filed, for who has its id. NotFound, Gone, StillRegistering."""
        row = upload_store.upload(connection, request.upload_id)
        if row is None or row.case_id is not None:
            raise NotFound
        if row.state != UploadState.ACCEPTED and row.expires_at <= now():
            raise Gone
        return self.sign(
            connection, SignDownload(media_id=request.upload_id, variant=request.variant, label="upload-1")
        )

    def sign(self, connection: Connection, request: SignDownload) -> Download:
        """Where the gateway reads one variant from. NotFound, Gone, StillRegistering."""
        row = upload_store.upload(connection, request.media_id)
        if request.case_id is not None and is_erased(connection, request.case_id):
            raise Gone
        if row is None or not _may_be_of(connection, row, request.case_id):
            raise NotFound
        if row.state in (UploadState.REJECTED, UploadState.REMOVED):
            raise Gone
        if row.state != UploadState.ACCEPTED or (request.case_id is not None and row.case_id is None):
            raise StillRegistering
        file = store.file_of(connection, request.media_id, request.variant.value)
        if file is None:
            raise NotFound
        return Download(
            # The name that the citizen's device gave it may name them, or whom they mean: it does not go with the bytes.
            url=self._bucket.presigned_get(file.key, self._url_life),
            media_type=file.content_type,
            size=file.size,
            file_name=request.label + PurePosixPath(file.key).suffix,
            sha256=file.sha256,
            inline=file.content_type in INLINE_TYPES,
        )


def _may_be_of(connection: Connection, row: upload_store.UploadRow, case_id: UUID | None) -> bool:
    """Whether this case, if one is named, has the upload, or may have it soon."""
    return case_id is None or row.case_id in (None, case_id) or is_claimed_by(connection, row.upload_id, case_id)
