"""Media's use cases with their collaborators: one object for the process."""

from __future__ import annotations

from datetime import timedelta

from services.media.claims.use_cases import ClaimUseCases
from services.media.evidence.use_cases import DownloadUseCases
from services.media.object_store import Bucket
from services.media.processing.use_cases import ProcessingLimits, ProcessingUseCases
from services.media.processing.virus_scan import Scanner
from services.media.retention.use_cases import RetentionLimits, RetentionUseCases
from services.media.settings import Settings
from services.media.uploads.use_cases import UploadLimits, UploadUseCases


class Media:
    """What `service.py` calls, by capability."""

    def __init__(self, settings: Settings) -> None:
        bucket = Bucket(
            str(settings.s3_endpoint),
            settings.s3_access_key.get_secret_value(),
            settings.s3_secret_key.get_secret_value(),
            settings.s3_bucket,
        )
        scanner = Scanner(settings.clamav_host, settings.clamav_port) if settings.clamav_host else None
        url_life = timedelta(seconds=settings.media_upload_url_seconds)
        self.uploads = UploadUseCases(
            bucket,
            UploadLimits(
                max_bytes=settings.media_max_bytes,
                part_bytes=settings.media_part_bytes,
                open_life=settings.open_life,
                life=settings.life,
                url_life=url_life,
                kept_life=timedelta(days=settings.media_kept_days),
            ),
            settings.budgets,
        )
        delayed_after = timedelta(seconds=settings.media_delayed_seconds)
        self.processing = ProcessingUseCases(
            bucket, scanner, settings.media_work_dir, ProcessingLimits(settings.limits, delayed_after, settings.life)
        )
        self.claims = ClaimUseCases(settings.life)
        self.downloads = DownloadUseCases(bucket, timedelta(seconds=settings.media_download_url_seconds))
        self.retention = RetentionUseCases(
            bucket, RetentionLimits(timedelta(seconds=settings.media_purge_grace_seconds), url_life)
        )
