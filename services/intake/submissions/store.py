"""Submissions as filed, and the consents of those whom an operator filed for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.storage import bulk
from contracts.gateway import Consent
from services.intake.models import consents, submissions


def add_submissions(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Inserts the rows that are new; their ids. A row whose id or code hash is stored already is skipped."""
    if not rows:
        return set()
    return set(bulk.insert(connection, submissions, rows, "ON CONFLICT DO NOTHING RETURNING submission_id").scalars())


def code_owners(connection: Connection, code_hashes: Sequence[str]) -> dict[str, UUID]:
    """Of these codes those that belong to a submission, each with its id."""
    chosen = select(submissions.c.code_hash, submissions.c.submission_id).where(
        submissions.c.code_hash.in_(code_hashes)
    )
    return {row.code_hash: row.submission_id for row in connection.execute(chosen)}


def existing_ids(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Of these submissions those that are stored."""
    chosen = select(submissions.c.submission_id).where(submissions.c.submission_id.in_(ids))
    return set(connection.execute(chosen).scalars())


def submission(connection: Connection, submission_id: UUID) -> Row[Any] | None:
    """One stored submission."""
    return connection.execute(select(submissions).where(submissions.c.submission_id == submission_id)).first()


def add_consents(connection: Connection, rows: Sequence[tuple[UUID, Consent]]) -> None:
    """What citizens agreed to for whom an operator filed."""
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
