"""What media reads from its environment."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr

from backbone.process.settings import ServiceSettings
from contracts.media import UNFILED_DAYS, UNFILED_HOURS
from services.media.processing.rules import Limits
from services.media.uploads.quarantine import Budgets

MIB = 1024 * 1024


class Settings(ServiceSettings):
    """Lengths in bytes, times in seconds. `clamav_host` left out: files are accepted unscanned, and marked
    so.

    `media_max_pixels` may be sent, `media_kept_pixels` are kept of a picture. `media_reading_seconds`: until a file is
    judged; the conversion of a recording may take up to `media_wall_seconds`.

    `media_delayed_seconds`: after so long without a verdict the check counts as delayed, and that is published.

    `media_part_bytes`: the gateway stores an upload in objects of at most this size. `media_life_seconds`:
    how long an upload lives without a new byte, or finished without a case; `media_kept_days`: how long after its beginning
    it can be renewed at most. `media_purge_grace_seconds`: a
    process that has just started purges nothing for this long, since after a long stop the cases that refer
    to old uploads are still in the queues. `media_work_dir`: needs room for about three times the largest
    file.

    On the way at once, announced and not finished or not named by any case: `media_address_bytes` and
    `media_address_files` of one address, `media_quarantine_bytes` and `media_open_uploads` of all. An upload of
    which no byte comes lives for `media_open_seconds`. `media_store_folder`: where the object store keeps its objects,
    when it is on this machine; `media_free_bytes` stay free there.
    """

    s3_endpoint: HttpUrl
    s3_access_key: SecretStr
    s3_secret_key: SecretStr
    s3_bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] = "peygir"

    clamav_host: str | None = None
    clamav_port: int = 3310

    media_max_bytes: Annotated[int, Field(gt=0)] = 200 * MIB
    media_part_bytes: Annotated[int, Field(ge=64 * 1024, le=64 * MIB)] = 8 * MIB
    media_max_pixels: Annotated[int, Field(gt=0)] = 200_000_000
    media_kept_pixels: Annotated[int, Field(gt=0)] = 50_000_000
    media_max_seconds: Annotated[float, Field(gt=0)] = 2 * 3600
    media_max_pages: Annotated[int, Field(gt=0)] = 2000
    media_cpu_seconds: Annotated[int, Field(gt=0)] = 300
    media_reading_seconds: Annotated[float, Field(gt=0)] = 45
    media_wall_seconds: Annotated[float, Field(gt=0)] = 600
    media_memory_bytes: Annotated[int, Field(ge=256 * MIB)] = 2048 * MIB
    media_work_dir: Path = Path(tempfile.gettempdir()) / "peygir-media"

    media_delayed_seconds: Annotated[int, Field(ge=60)] = 900
    media_life_seconds: Annotated[int, Field(ge=1)] = UNFILED_HOURS * 3600
    media_kept_days: Annotated[int, Field(ge=1, le=30)] = UNFILED_DAYS
    media_open_seconds: Annotated[int, Field(ge=1)] = 3600
    media_address_bytes: Annotated[int, Field(gt=0)] = 2048 * MIB
    media_address_files: Annotated[int, Field(gt=0)] = 50
    media_quarantine_bytes: Annotated[int, Field(gt=0)] = 20 * 1024 * MIB
    media_open_uploads: Annotated[int, Field(gt=0)] = 2000
    media_store_folder: Path | None = None
    media_free_bytes: Annotated[int, Field(ge=0)] = 2048 * MIB
    media_purge_grace_seconds: Annotated[int, Field(ge=0)] = 3600
    media_upload_url_seconds: Annotated[int, Field(ge=60)] = 2 * 3600
    media_download_url_seconds: Annotated[int, Field(ge=5)] = 300

    @property
    def limits(self) -> Limits:
        return Limits(
            max_bytes=self.media_max_bytes,
            max_pixels=self.media_max_pixels,
            kept_pixels=self.media_kept_pixels,
            max_seconds=self.media_max_seconds,
            max_pages=self.media_max_pages,
            cpu_seconds=self.media_cpu_seconds,
            reading_seconds=self.media_reading_seconds,
            wall_seconds=self.media_wall_seconds,
            memory=self.media_memory_bytes,
        )

    @property
    def budgets(self) -> Budgets:
        return Budgets(
            address_bytes=self.media_address_bytes,
            address_files=self.media_address_files,
            total_bytes=self.media_quarantine_bytes,
            total_files=self.media_open_uploads,
            store_folder=self.media_store_folder,
            free_bytes=self.media_free_bytes,
        )

    @property
    def open_life(self) -> timedelta:
        """How long an upload of which nothing has come lives."""
        return timedelta(seconds=min(self.media_open_seconds, self.media_life_seconds))

    @property
    def life(self) -> timedelta:
        return timedelta(seconds=self.media_life_seconds)
