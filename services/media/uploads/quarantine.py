"""How much may be on its way at once, of one address and of all: bytes and files that were announced and are not finished,
or that no case refers to yet. Counted in the database, and so by all processes of media and for all gateways together.
"""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, case, func, or_, select, text

from contracts.errors import EvidenceUnavailable, TooManyUploads
from contracts.media import UploadState
from services.media.models import uploads

_ONE_AT_A_TIME = 7_204_611
"""A lock of the database, any number: what is counted is still so when it is added to."""
_SHORTEST_WAIT, _LONGEST_WAIT = 30, 3600


@dataclass(frozen=True)
class Budgets:
    """`…_bytes`: announced sizes. `store_folder`: where the object store keeps its objects, when it is on this machine;
    `free_bytes` stay free there."""

    address_bytes: int
    address_files: int
    total_bytes: int
    total_files: int
    store_folder: Path | None = None
    free_bytes: int = 0


def check(connection: Connection, budgets: Budgets, size: int, address_key: str | None, now: datetime) -> None:
    """Before an upload of `size` bytes is added in the same transaction. TooManyUploads when its address has too much on the
    way, EvidenceUnavailable when all together have."""
    free = _free(budgets)
    if free is not None and free - size < budgets.free_bytes:
        raise EvidenceUnavailable(retry_after=600)
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})
    if address_key is not None:
        files, reserved, frees_at = _reserved(connection, now, uploads.c.address_key == address_key)
        if files >= budgets.address_files or reserved + size > budgets.address_bytes:
            raise TooManyUploads(retry_after=_wait(frees_at, now))
    files, reserved, frees_at = _reserved(connection, now)
    if files >= budgets.total_files or reserved + size > budgets.total_bytes:
        raise EvidenceUnavailable(retry_after=_wait(frees_at, now))


def check_kept(
    connection: Connection, budgets: Budgets, upload_id: str, size: int, address_key: str | None, now: datetime
) -> None:
    """Before an upload that there is counts against this address, in the same transaction. TooManyUploads when that has too many
    bytes on the way beside it."""
    if address_key is None:
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})
    others = (uploads.c.address_key == address_key, uploads.c.upload_id != upload_id)
    _, reserved, frees_at = _reserved(connection, now, *others)
    if reserved + size > budgets.address_bytes:
        raise TooManyUploads(retry_after=_wait(frees_at, now))


def _reserved(connection: Connection, now: datetime, *conditions: Any) -> tuple[int, int, datetime | None]:
    """How many uploads are on their way, their bytes, and when the first of them ends by itself."""
    alive = or_(uploads.c.state != UploadState.OPEN, uploads.c.expires_at > now)
    # As the index `uploads_reserved` says.
    counts = or_(
        uploads.c.state.in_((UploadState.OPEN, UploadState.PROCESSING)),
        and_(uploads.c.state == UploadState.ACCEPTED, uploads.c.case_id.is_(None)),
    )
    unfinished = case((uploads.c.state == UploadState.ACCEPTED, 0), else_=1)
    chosen = select(
        func.coalesce(func.sum(unfinished), 0),
        func.coalesce(func.sum(uploads.c.size), 0),
        func.min(uploads.c.expires_at),
    )
    files, reserved, first = connection.execute(chosen.where(counts, alive, *conditions)).one()
    return int(files), int(reserved), first


def _wait(frees_at: datetime | None, now: datetime) -> int:
    """Seconds until some of it is over by itself; most of it is sooner, as it is finished or filed."""
    if frees_at is None:
        return _SHORTEST_WAIT
    return max(_SHORTEST_WAIT, min(_LONGEST_WAIT, math.ceil((frees_at - now).total_seconds())))


def _free(budgets: Budgets) -> int | None:
    """Bytes free where the store keeps its objects; None when that cannot be seen from here."""
    if budgets.store_folder is None:
        return None
    try:
        return shutil.disk_usage(budgets.store_folder).free
    except OSError:
        return None
