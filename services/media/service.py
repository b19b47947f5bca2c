"""Media's entrypoints: parse, call, answer."""

from __future__ import annotations

from nameko.timer import timer

from backbone.messaging.consumers import TryLater, durable_event_handler
from backbone.messaging.rpc import rpc
from backbone.process import logs
from backbone.process.dependencies import UseCases
from backbone.process.status_service import StatusService
from contracts.errors import EvidenceUnavailable
from contracts.intake import SubmissionRegistered
from contracts.media import (
    ChunkTarget,
    CreateUpload,
    Download,
    FileNames,
    GetUpload,
    ListFileNames,
    MediaUploaded,
    PrepareChunk,
    RecordChunk,
    RenewUpload,
    SignDownload,
    SignOwnUpload,
    TerminateUpload,
    Upload,
)
from contracts.tracking import CitizenAnswered, EvidenceAdded, RetentionDue, UnitAnswered
from services.media.claims.rules import Claimant
from services.media.composition import Media
from services.media.object_store import StoreFailed
from services.media.processing.virus_scan import ScanFailed

log = logs.get("media")


def _claimant(event: SubmissionRegistered | CitizenAnswered | UnitAnswered | EvidenceAdded) -> Claimant:
    """Who names uploads, in which case."""
    if isinstance(event, SubmissionRegistered):
        return Claimant(event.case_id, event.citizen_id)
    from_office = isinstance(event, UnitAnswered) or (isinstance(event, EvidenceAdded) and not event.by_citizen)
    return Claimant(event.case_id, event.state.citizen_id, from_office)


class Service(StatusService):
    name = "media"
    use_cases = UseCases(Media)

    @rpc
    def create_upload(self, request: CreateUpload) -> Upload:
        try:
            with self.db.transaction() as connection:
                return self.use_cases.uploads.create(connection, request)
        except StoreFailed as error:
            raise EvidenceUnavailable(retry_after=5) from error

    @rpc
    def get_upload(self, request: GetUpload) -> Upload:
        with self.db.read() as connection:
            return self.use_cases.uploads.get(connection, request.upload_id)

    @rpc
    def list_file_names(self, request: ListFileNames) -> FileNames:
        with self.db.read() as connection:
            return self.use_cases.claims.file_names(connection, request)

    @rpc
    def prepare_chunk(self, request: PrepareChunk) -> ChunkTarget:
        with self.db.read() as connection:
            return self.use_cases.uploads.prepare_chunk(connection, request)

    @rpc
    def record_chunk(self, request: RecordChunk) -> Upload:
        with self.db.transaction() as connection:
            return self.use_cases.uploads.record_chunk(connection, request)

    @rpc
    def renew_upload(self, request: RenewUpload) -> Upload:
        with self.db.transaction() as connection:
            return self.use_cases.uploads.renew(connection, request)

    @rpc
    def sign_own_upload(self, request: SignOwnUpload) -> Download:
        with self.db.read() as connection:
            return self.use_cases.downloads.sign_own(connection, request)

    @rpc
    def terminate_upload(self, request: TerminateUpload) -> Upload:
        with self.db.transaction() as connection:
            return self.use_cases.uploads.terminate(connection, request.upload_id)

    @rpc
    def sign_download(self, request: SignDownload) -> Download:
        with self.db.read() as connection:
            return self.use_cases.downloads.sign(connection, request)

    @durable_event_handler("media.process", concurrency=2)
    def process(self, event: MediaUploaded) -> None:
        try:
            self.use_cases.processing.process(self.db, event.media_id)
        except (StoreFailed, ScanFailed) as error:
            raise TryLater(str(error)) from error

    @durable_event_handler("media.claims")
    def claim(self, event: SubmissionRegistered | CitizenAnswered | UnitAnswered | EvidenceAdded) -> None:
        with self.db.transaction() as connection:
            self.use_cases.claims.claim(connection, _claimant(event), event.uploads)

    @durable_event_handler("media.retention", concurrency=1)
    def retention_due(self, event: RetentionDue) -> None:
        with self.db.transaction() as connection:
            self.use_cases.retention.erase(connection, event)
        try:
            self.use_cases.retention.sweep(self.db)
        except StoreFailed as error:
            log.warning("erased evidence waits for the next sweep", error=str(error))

    @timer(interval=60)  # type: ignore[untyped-decorator]  # nameko is untyped
    def purge(self) -> None:
        try:
            delayed = self.use_cases.processing.report_delayed(self.db)
            if delayed:
                log.error("uploads wait for their check longer than they should", uploads=delayed)
            purged = self.use_cases.retention.purge(self.db)
            swept = self.use_cases.retention.sweep(self.db)
        except StoreFailed as error:
            log.warning("the object store could not be swept", error=str(error))
            return
        if purged or swept:
            log.info("forgot what nobody needs", uploads=purged, objects=swept)
