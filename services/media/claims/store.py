"""Claims of cases on uploads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, case, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.media import UploadState
from services.media.claims.rules import Claim, Claimant
from services.media.models import claims, uploads


def lock_uploads(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """These uploads by id, locked in one order, so that two claims of the same uploads never wait for each other."""
    chosen = select(uploads).where(uploads.c.upload_id.in_(ids)).order_by(uploads.c.upload_id)
    return {row.upload_id: row for row in connection.execute(chosen.with_for_update())}


def claims_of(connection: Connection, ids: Sequence[str]) -> dict[str, list[Claim]]:
    """The claims on these uploads, by upload id, the oldest first."""
    by_upload: dict[str, list[Claim]] = {}
    chosen = select(claims).where(claims.c.upload_id.in_(ids)).order_by(claims.c.claimed_at, claims.c.case_id)
    for row in connection.execute(chosen):
        by_upload.setdefault(row.upload_id, []).append(Claim(row.case_id, row.from_office, row.owner, row.named))
    return by_upload


def add_claim(
    connection: Connection, claimant: Claimant, row: Row[Any], named: bool, now: datetime, life: timedelta
) -> None:
    """The case refers to this upload; the first one to do so keeps it. `life`: how long its missing bytes are waited for."""
    statement = upsert(claims).values(
        upload_id=row.upload_id,
        case_id=claimant.case_id,
        from_office=claimant.from_office,
        owner=claimant.owner(row.upload_id),
        named=named,
        claimed_at=now,
    )
    connection.execute(statement.on_conflict_do_nothing())
    if row.case_id is not None:
        return
    is_open = uploads.c.state == UploadState.OPEN
    is_unfinished = uploads.c.state.in_((UploadState.OPEN, UploadState.PROCESSING))
    values: Mapping[str, Any] = {
        "case_id": claimant.case_id,
        "expires_at": case((is_open, func.greatest(uploads.c.expires_at, now + life)), else_=uploads.c.expires_at),
        "address_key": case((is_unfinished, uploads.c.address_key), else_=None),
    }
    connection.execute(update(uploads).where(uploads.c.upload_id == row.upload_id).values(values))


def release(connection: Connection, case_id: UUID) -> tuple[list[str], list[str]]:
    """The case refers to nothing any more: all that it had, and those of them that no other case has. Locked."""
    claimed = select(claims.c.upload_id).where(claims.c.case_id == case_id)
    chosen = select(uploads.c.upload_id).where(uploads.c.upload_id.in_(claimed))
    chosen = chosen.where(uploads.c.state != UploadState.REMOVED).order_by(uploads.c.upload_id)
    ids = list(connection.execute(chosen.with_for_update()).scalars())
    connection.execute(delete(claims).where(claims.c.case_id == case_id))
    others = claims_of(connection, ids)
    for upload_id, remaining in others.items():
        handed_over = update(uploads).where(uploads.c.upload_id == upload_id, uploads.c.case_id == case_id)
        connection.execute(handed_over.values(case_id=remaining[0].case_id))
        if not any(claim.named for claim in remaining):
            connection.execute(update(uploads).where(uploads.c.upload_id == upload_id).values(file_name=None))
    return ids, [upload_id for upload_id in ids if upload_id not in others]


def is_claimed_by(connection: Connection, upload_id: str, case_id: UUID) -> bool:
    """Whether there is a claim of this case on the upload."""
    chosen = select(claims.c.upload_id).where(claims.c.upload_id == upload_id, claims.c.case_id == case_id)
    return connection.execute(chosen).first() is not None


def file_names(connection: Connection, case_id: UUID, upload_ids: Sequence[str]) -> dict[str, str]:
    """What the citizen of this case called the files they sent for it, by upload id."""
    own = and_(claims.c.upload_id == uploads.c.upload_id, claims.c.case_id == case_id)
    # Tracking has it already as this case's, and the claim is still on its way.
    is_unclaimed = uploads.c.case_id.is_(None)
    chosen = (
        select(uploads.c.upload_id, uploads.c.file_name)
        .where(uploads.c.upload_id.in_(upload_ids), uploads.c.file_name.is_not(None))
        .where(or_(exists().where(own, claims.c.named), is_unclaimed))
    )
    return {row.upload_id: row.file_name for row in connection.execute(chosen)}
