"""Submissions as filed, and the consents of those whom an operator filed for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.gateway import Consent
from contracts.vocabulary import KeptPart
from services.intake.catalogue.store import VERSION
from services.intake.models import consents, submissions
from services.intake.retention.store import ERASED


@dataclass(frozen=True)
class Stored:
    """What is stored already. `catalogue`: its newest version; `submissions`, `erased`: ids, the latter of those whose identity
    is; `codes`: hash → the submission that has it."""

    catalogue: int
    submissions: frozenset[UUID]
    erased: frozenset[UUID]
    codes: Mapping[str, UUID]


_STORED = "SELECT submission_id FROM submissions WHERE submission_id = ANY(CAST(%(ids)s AS uuid[]))"
_OWNERS = (
    "SELECT coalesce(json_object_agg(code_hash, submission_id), '{}') FROM submissions"
    " WHERE code_hash = ANY(CAST(%(codes)s AS text[]))"
)
_READ = f"SELECT ({VERSION}), ARRAY({_STORED}), ARRAY({ERASED}), ({_OWNERS})"


def read_stored(connection: Connection, ids: Iterable[UUID], code_hashes: Iterable[str]) -> Stored:
    """What is stored of these submissions, and of their codes."""
    parameters = {"ids": list(ids), "codes": list(code_hashes), "erased_part": KeptPart.IDENTITY.value}
    version, stored, erased, owners = connection.exec_driver_sql(_READ, parameters).one()
    return Stored(version, frozenset(stored), frozenset(erased), _owners(owners))


def code_owners(connection: Connection, code_hashes: Sequence[str]) -> dict[str, UUID]:
    """Of these codes those that belong to a submission, each with its id."""
    return _owners(connection.exec_driver_sql(_OWNERS, {"codes": list(code_hashes)}).scalar_one())


def _owners(by_code: Mapping[str, str]) -> dict[str, UUID]:
    return {code_hash: UUID(submission_id) for code_hash, submission_id in by_code.items()}


def adding_submissions(rows: Sequence[dict[str, Any]]) -> list[Write]:
    """New submissions; the id and the code hash of none are stored yet."""
    return writes.insert(submissions, rows)


def submission(connection: Connection, submission_id: UUID) -> Row[Any] | None:
    """One stored submission."""
    return connection.execute(select(submissions).where(submissions.c.submission_id == submission_id)).first()


def adding_consents(rows: Sequence[tuple[UUID, Consent]]) -> list[Write]:
    """What citizens agreed to for whom an operator filed."""
    values = [
        {
            "submission_id": submission_id,
            "form": consent.form,
            "agreed_to": list(consent.to),
            "recorded_by": consent.recorded_by,
            "recorded_at": consent.recorded_at,
        }
        for submission_id, consent in rows
    ]
    return writes.insert(consents, values, "ON CONFLICT DO NOTHING")
