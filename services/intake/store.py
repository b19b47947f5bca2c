"""Intake's queries, a line of comment each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, CursorResult, Row, Table, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.storage import bulk
from contracts.gateway import Consent
from contracts.intake import Catalogue, ConfigurationChange, Ground, ListConfigurationHistory, OpenIdentity, Unit
from services.intake.domain import REFUSAL_REASONS, ROOT_CAUSES, Difference
from services.intake.identities import SealedIdentity
from services.intake.models import (
    catalogue_versions,
    configuration_history,
    consents,
    erasures,
    grounds,
    group_members,
    holidays,
    identities,
    identity_openings,
    settings,
    submissions,
    units,
)


def catalogue_version(connection: Connection) -> int:
    """The newest version; 0 when there is no catalogue yet."""
    newest: int = connection.execute(select(func.coalesce(func.max(catalogue_versions.c.version), 0))).scalar_one()
    return newest


SETTINGS = tuple(name for name in Catalogue.model_fields if name not in ("version", "units", "grounds", "holidays"))
"""Parts of the catalogue that are kept whole, by name."""


def lock_catalogue(connection: Connection) -> None:
    """Whoever changes the catalogue waits here for its turn, until its transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(7_204_506)))


def catalogue(connection: Connection) -> Catalogue:
    """The whole catalogue as it is now; what nobody has set yet is what it is when Peygir is new."""
    kept = {row.name: row.value for row in connection.execute(select(settings.c.name, settings.c.value))}
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
        **{
            "refusal_reasons": REFUSAL_REASONS,
            "root_causes": ROOT_CAUSES,
            **{name: value for name, value in kept.items() if name in SETTINGS},
        },
    )


def replace_catalogue(connection: Connection, new: Catalogue) -> int | None:
    """Stores the catalogue whole; its new version, or None when nothing differs."""
    content = hashlib.sha256(new.model_dump_json(exclude={"version"}).encode()).hexdigest()
    lock_catalogue(connection)
    newest = select(catalogue_versions.c.content_hash).order_by(catalogue_versions.c.version.desc()).limit(1)
    if connection.execute(newest).scalar() == content:
        return None
    for table in (units, grounds, holidays, settings):
        connection.execute(delete(table))
    connection.execute(insert(units), [dict(unit) | {"position": at} for at, unit in enumerate(new.units)])
    connection.execute(
        insert(grounds), [ground.model_dump(mode="json") | {"position": at} for at, ground in enumerate(new.grounds)]
    )
    if new.holidays:
        connection.execute(insert(holidays), [{"day": day} for day in new.holidays])
    whole = new.model_dump(mode="json", include=set(SETTINGS))
    connection.execute(insert(settings), [{"name": name, "value": value} for name, value in whole.items()])
    version: int = connection.execute(
        insert(catalogue_versions).values(content_hash=content).returning(catalogue_versions.c.version)
    ).scalar_one()
    return version


def add_history(connection: Connection, by: str, version: int, found: Sequence[Difference]) -> None:
    """Who made what of what; appended, never changed."""
    connection.execute(
        insert(configuration_history),
        [
            {
                "by": by,
                "what": one.what,
                "code": one.code,
                "before": one.before,
                "after": one.after,
                "version": version,
            }
            for one in found
        ],
    )


def history(connection: Connection, request: ListConfigurationHistory, limit: int) -> list[ConfigurationChange]:
    """Changes, the newest first."""
    table = configuration_history
    chosen = select(table).order_by(table.c.id.desc()).limit(limit)
    for column, value in ((table.c.what, request.what), (table.c.code, request.code)):
        chosen = chosen if value is None else chosen.where(column == value)
    if request.after is not None:
        chosen = chosen.where(table.c.id < request.after)
    return [ConfigurationChange(**row._mapping) for row in connection.execute(chosen)]


def history_since(connection: Connection, version: int, limit: int = 20) -> list[ConfigurationChange]:
    """The first changes after a version."""
    table = configuration_history
    chosen = select(table).where(table.c.version > version).order_by(table.c.id).limit(limit)
    return [ConfigurationChange(**row._mapping) for row in connection.execute(chosen)]


def add_submissions(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Stores those that are new; their ids. A row whose id or code hash is already there is passed over."""
    if not rows:
        return set()
    return set(bulk.insert(connection, submissions, rows, "ON CONFLICT DO NOTHING RETURNING submission_id").scalars())


def codes_taken(connection: Connection, code_hashes: Sequence[str]) -> dict[str, UUID]:
    """Which of these codes belong to a submission, and to which."""
    chosen = select(submissions.c.code_hash, submissions.c.submission_id).where(
        submissions.c.code_hash.in_(code_hashes)
    )
    return {row.code_hash: row.submission_id for row in connection.execute(chosen)}


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


def add_members(connection: Connection, rows: Sequence[tuple[UUID, SealedIdentity]]) -> None:
    """Those of groups who were named besides their representatives, sealed."""
    if rows:
        told = [{"submission_id": submission_id, **vars(sealed)} for submission_id, sealed in rows]
        connection.execute(upsert(group_members).on_conflict_do_nothing(), told)


def members(connection: Connection, submission_id: UUID) -> SealedIdentity | None:
    """The sealed members of one group, or None when none was named."""
    return _sealed(connection.execute(select(group_members).where(group_members.c.submission_id == submission_id)))


def add_consents(connection: Connection, rows: Sequence[tuple[UUID, Consent]]) -> None:
    """What the citizens agreed to for whom an operator filed these submissions."""
    if rows:
        connection.execute(
            upsert(consents).on_conflict_do_nothing(),
            [
                {
                    "submission_id": submission_id,
                    "form": consent.form,
                    "agreed_to": list(consent.to),
                    "recorded_by": consent.recorded_by,
                    "recorded_at": consent.recorded_at,
                }
                for submission_id, consent in rows
            ],
        )


def identity(connection: Connection, submission_id: UUID) -> SealedIdentity | None:
    """The sealed identity of one submission, or None when it was anonymous."""
    return _sealed(connection.execute(select(identities).where(identities.c.submission_id == submission_id)))


def _sealed(found: CursorResult[Any]) -> SealedIdentity | None:
    row = found.first()
    if row is None:
        return None
    return SealedIdentity(row.master_key, bytes(row.wrapped_key), bytes(row.nonce), bytes(row.ciphertext))


def note_erasure(connection: Connection, submission_id: UUID, part: str, rule: str) -> bool:
    """That a part of a submission is kept no longer, and by which rule; False when that was noted before."""
    row = {"submission_id": submission_id, "part": part, "rule": rule}
    noted = upsert(erasures).values(row).on_conflict_do_nothing().returning(erasures.c.part)
    return connection.execute(noted).first() is not None


def erased(connection: Connection, ids: Sequence[UUID], part: str) -> set[UUID]:
    """Those of these submissions of which the part is kept no longer."""
    chosen = select(erasures.c.submission_id).where(erasures.c.submission_id.in_(ids), erasures.c.part == part)
    return set(connection.execute(chosen).scalars())


def forget_identity(connection: Connection, submission_id: UUID) -> None:
    """Who filed a submission, and with whom, and from whose account."""
    for sealed in SEALED:
        connection.execute(delete(sealed).where(sealed.c.submission_id == submission_id))
    this = submissions.c.submission_id == submission_id
    connection.execute(update(submissions).where(this).values(citizen_id=None))


def forget_texts(connection: Connection, submission_id: UUID) -> None:
    """What was written in a submission. The hash of its content stays: a receipt can still be checked."""
    this = submissions.c.submission_id == submission_id
    connection.execute(update(submissions).where(this).values(body={}))


def note_opening(connection: Connection, request: OpenIdentity) -> None:
    """Who opened whose identity, why, and by whose consent."""
    told = {"actor": request.actor.id, "reason": request.reason, "consented_by": request.consented_by}
    connection.execute(insert(identity_openings).values(submission_id=request.case_id, **told))


def submission(connection: Connection, submission_id: UUID) -> Row[Any] | None:
    """One stored submission."""
    return connection.execute(select(submissions).where(submissions.c.submission_id == submission_id)).first()


SEALED = (identities, group_members)
"""Tables of what data keys seal."""


def under_other_keys(connection: Connection, table: Table, current: str, limit: int) -> list[Row[Any]]:
    """Rows of a table of `SEALED` whose data key is wrapped by an old master key, locked for re-wrapping."""
    chosen = select(table.c.submission_id, table.c.master_key, table.c.wrapped_key)
    chosen = chosen.where(table.c.master_key != current).limit(limit).with_for_update(skip_locked=True)
    return list(connection.execute(chosen).all())


def set_wrapped_key(
    connection: Connection, table: Table, submission_id: UUID, master_key: str, wrapped_key: bytes
) -> None:
    """The data key of one row under another master key."""
    connection.execute(
        update(table)
        .where(table.c.submission_id == submission_id)
        .values(master_key=master_key, wrapped_key=wrapped_key)
    )
