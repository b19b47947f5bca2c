"""Which cases refer to an upload. Several may: one person who files twice sends a photo once. An upload is removed when the
last of its cases lets it go.

Who knows an upload's id is taken for the one who sent it while it is young: that is how a submission, which may come without
any name, refers to its evidence. Later its id has been read by those who handle the case, so that only the same citizen may
name it again. What their device called it is shown to the case it was first sent for, and to others of the same citizen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, case, delete, exists, func, or_, select, union, update
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.media import UploadState
from services.media.models import claims, uploads


class Refusal(StrEnum):
    """Why a case cannot have an upload, for `ClaimRefused` and `MediaRejected`."""

    UNKNOWN = "unknown"  # to all
    EXPIRED = "expired"
    ALREADY_USED = "already_used"


@dataclass(frozen=True)
class Claimant:
    """Who names an upload in a case. `citizen_id`: signed in; `from_office`: staff or a unit."""

    case_id: UUID
    citizen_id: UUID | None = None
    from_office: bool = False

    def owner(self, upload_id: str) -> str | None:
        """What says, of this upload alone, that two cases are of one citizen."""
        if self.citizen_id is None or self.from_office:
            return None
        return hashlib.sha256(f"{upload_id}\0{self.citizen_id}".encode()).hexdigest()


@dataclass
class Outcome:
    """Upload ids. `rejected` can be nobody's evidence; `refused` only not this case's."""

    claimed: list[str] = field(default_factory=list)
    rejected: dict[str, Refusal] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)


def claim(
    connection: Connection, claimant: Claimant, upload_ids: Iterable[str], now: datetime, life: timedelta
) -> Outcome:
    """Gives these uploads to the case, or says why not. Harmless when repeated.

    `life`: how long one that is still on its way is waited for.
    """
    ids = list(dict.fromkeys(upload_ids))
    rows = _lock(connection, ids)
    known = _claims_of(connection, ids)
    outcome = Outcome()
    for upload_id in ids:
        row, before = rows.get(upload_id), known.get(upload_id, [])
        if row is None:
            outcome.rejected[upload_id] = Refusal.UNKNOWN
        elif claimant.case_id == row.case_id or any(one.case_id == claimant.case_id for one in before):
            continue
        elif row.state == UploadState.REMOVED:
            (outcome.rejected if row.case_id is None else outcome.refused)[upload_id] = Refusal.EXPIRED
        elif row.case_id is None or _may_share(claimant, row, before, now):
            _add(connection, claimant, row, before, now, life)
            outcome.claimed.append(upload_id)
        else:
            outcome.refused[upload_id] = Refusal.ALREADY_USED
    return outcome


def let_go(connection: Connection, case_id: UUID) -> tuple[list[str], list[str]]:
    """The case refers to nothing any more: all that it had, and those of them that no other case has. Locked."""
    # By two indexes: an upload's own case (an earlier release claims without `claims`), and the claims.
    of_case = select(uploads.c.upload_id).where(uploads.c.case_id == case_id)
    claimed = select(claims.c.upload_id).where(claims.c.case_id == case_id)
    chosen = select(uploads.c.upload_id).where(uploads.c.upload_id.in_(union(of_case, claimed)))
    chosen = chosen.where(uploads.c.state != UploadState.REMOVED).order_by(uploads.c.upload_id)
    ids = list(connection.execute(chosen.with_for_update()).scalars())
    connection.execute(delete(claims).where(claims.c.case_id == case_id))
    others = _claims_of(connection, ids)
    for upload_id, left in others.items():
        moved = update(uploads).where(uploads.c.upload_id == upload_id, uploads.c.case_id == case_id)
        connection.execute(moved.values(case_id=left[0].case_id))
        if not any(one.named for one in left):
            connection.execute(update(uploads).where(uploads.c.upload_id == upload_id).values(file_name=None))
    return ids, [upload_id for upload_id in ids if upload_id not in others]


def is_of(connection: Connection, upload_id: str, case_id: UUID) -> bool:
    """Whether this case refers to the upload, beside the one that the upload names itself."""
    chosen = select(claims.c.upload_id).where(claims.c.upload_id == upload_id, claims.c.case_id == case_id)
    return connection.execute(chosen).first() is not None


def names(connection: Connection, case_id: UUID, upload_ids: Sequence[str]) -> dict[str, str]:
    """What the citizen of this case called the files they sent for it, by upload id."""
    own = and_(claims.c.upload_id == uploads.c.upload_id, claims.c.case_id == case_id)
    without_claim = ~exists().where(claims.c.upload_id == uploads.c.upload_id)
    chosen = (
        select(uploads.c.upload_id, uploads.c.file_name)
        .where(uploads.c.upload_id.in_(upload_ids), uploads.c.file_name.is_not(None))
        .where(
            or_(
                exists().where(own, claims.c.named),
                and_(without_claim, func.coalesce(uploads.c.case_id, case_id) == case_id),
            )
        )
    )
    return {row.upload_id: row.file_name for row in connection.execute(chosen)}


def _lock(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    # In one order, so that two claims with the same uploads never wait for each other.
    chosen = select(uploads).where(uploads.c.upload_id.in_(ids)).order_by(uploads.c.upload_id)
    return {row.upload_id: row for row in connection.execute(chosen.with_for_update())}


def _claims_of(connection: Connection, ids: Sequence[str]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    chosen = select(claims).where(claims.c.upload_id.in_(ids)).order_by(claims.c.claimed_at, claims.c.case_id)
    for row in connection.execute(chosen):
        found.setdefault(row.upload_id, []).append(row)
    return found


def _may_share(claimant: Claimant, row: Row[Any], before: Sequence[Row[Any]], now: datetime) -> bool:
    """Whether the sender of an upload that is another case's already names it again."""
    if claimant.from_office or any(one.from_office for one in before):
        return False
    return _same_citizen(claimant, row.upload_id, before) or row.expires_at > now


def _same_citizen(claimant: Claimant, upload_id: str, before: Sequence[Row[Any]]) -> bool:
    owner = claimant.owner(upload_id)
    return owner is not None and any(one.owner == owner for one in before)


def _add(
    connection: Connection,
    claimant: Claimant,
    row: Row[Any],
    before: Sequence[Row[Any]],
    now: datetime,
    life: timedelta,
) -> None:
    named = not claimant.from_office and (row.case_id is None or _same_citizen(claimant, row.upload_id, before))
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
    waits = uploads.c.state == UploadState.OPEN
    on_its_way = uploads.c.state.in_((UploadState.OPEN, UploadState.PROCESSING))
    values: Mapping[str, Any] = {
        "case_id": claimant.case_id,
        "expires_at": case((waits, func.greatest(uploads.c.expires_at, now + life)), else_=uploads.c.expires_at),
        "address_key": case((on_its_way, uploads.c.address_key), else_=None),
    }
    connection.execute(update(uploads).where(uploads.c.upload_id == row.upload_id).values(values))
