"""Intake's queries, a line of comment each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone import bulk
from contracts.intake import Catalogue, Ground, Unit
from services.intake.identities import SealedIdentity
from services.intake.models import (
    catalogue_versions,
    grounds,
    holidays,
    identities,
    identity_openings,
    submissions,
    units,
)


def catalogue_version(connection: Connection) -> int:
    """The newest version; 0 when there is no catalogue yet."""
    newest: int = connection.execute(select(func.coalesce(func.max(catalogue_versions.c.version), 0))).scalar_one()
    return newest


def catalogue(connection: Connection) -> Catalogue:
    """The whole catalogue as it is now."""
    return Catalogue(
        version=catalogue_version(connection),
        units=[
            Unit(**{name: value for name, value in row._mapping.items() if name != "position"})
            for row in connection.execute(select(units).order_by(units.c.position))
        ],
        grounds=[
            Ground(**{name: value for name, value in row._mapping.items() if name != "position"})
            for row in connection.execute(select(grounds).order_by(grounds.c.position))
        ],
        holidays=list(connection.execute(select(holidays.c.day).order_by(holidays.c.day)).scalars()),
    )


def replace_catalogue(connection: Connection, new: Catalogue) -> int | None:
    """Stores the catalogue whole; its new version, or None when nothing differs."""
    content = hashlib.sha256(new.model_dump_json(exclude={"version"}).encode()).hexdigest()
    connection.execute(select(func.pg_advisory_xact_lock(7_204_506)))
    newest = select(catalogue_versions.c.content_hash).order_by(catalogue_versions.c.version.desc()).limit(1)
    if connection.execute(newest).scalar() == content:
        return None
    for table in (units, grounds, holidays):
        connection.execute(delete(table))
    connection.execute(insert(units), [dict(unit) | {"position": at} for at, unit in enumerate(new.units)])
    connection.execute(
        insert(grounds), [ground.model_dump(mode="json") | {"position": at} for at, ground in enumerate(new.grounds)]
    )
    if new.holidays:
        connection.execute(insert(holidays), [{"day": day} for day in new.holidays])
    version: int = connection.execute(
        insert(catalogue_versions).values(content_hash=content).returning(catalogue_versions.c.version)
    ).scalar_one()
    return version


def add_submissions(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Stores those that are new; their ids. A row whose id or code hash is already there is passed over."""
    if not rows:
        return set()
    return set(bulk.insert(connection, submissions, rows, "ON CONFLICT DO NOTHING RETURNING submission_id").scalars())


def known_ids(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these submissions are stored."""
    chosen = select(submissions.c.submission_id).where(submissions.c.submission_id.in_(ids))
    return set(connection.execute(chosen).scalars())


def add_identities(connection: Connection, rows: Sequence[tuple[UUID, str | None, SealedIdentity]]) -> None:
    """Who filed these submissions, sealed."""
    if rows:
        connection.execute(
            upsert(identities).on_conflict_do_nothing(),
            [
                {
                    "submission_id": submission_id,
                    "mobile_hash": mobile_hash,
                    "master_key": sealed.master_key,
                    "wrapped_key": sealed.wrapped_key,
                    "nonce": sealed.nonce,
                    "ciphertext": sealed.ciphertext,
                }
                for submission_id, mobile_hash, sealed in rows
            ],
        )


def identity(connection: Connection, submission_id: UUID) -> SealedIdentity | None:
    """The sealed identity of one submission, or None when it was anonymous."""
    row = connection.execute(select(identities).where(identities.c.submission_id == submission_id)).first()
    if row is None:
        return None
    return SealedIdentity(row.master_key, bytes(row.wrapped_key), bytes(row.nonce), bytes(row.ciphertext))


def note_opening(connection: Connection, submission_id: UUID, actor: str, reason: str) -> None:
    """That an identity was opened, by whom and why; appended, never changed."""
    connection.execute(insert(identity_openings).values(submission_id=submission_id, actor=actor, reason=reason))


def submission(connection: Connection, submission_id: UUID) -> Row[Any] | None:
    """One stored submission."""
    return connection.execute(select(submissions).where(submissions.c.submission_id == submission_id)).first()


def identities_under_other_keys(connection: Connection, current: str, limit: int) -> list[Row[Any]]:
    """Identities whose data key is wrapped by an old master key, locked for re-wrapping."""
    chosen = select(identities.c.submission_id, identities.c.master_key, identities.c.wrapped_key)
    chosen = chosen.where(identities.c.master_key != current).limit(limit).with_for_update(skip_locked=True)
    return list(connection.execute(chosen).all())


def set_wrapped_key(connection: Connection, submission_id: UUID, master_key: str, wrapped_key: bytes) -> None:
    """The data key of one identity under another master key."""
    connection.execute(
        update(identities)
        .where(identities.c.submission_id == submission_id)
        .values(master_key=master_key, wrapped_key=wrapped_key)
    )
