"""What is kept no longer, and by which rule."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.intake.identities.store import SEALED
from services.intake.models import desk_claims, disowned_mobiles, erasures, submissions


def record_erasure(connection: Connection, submission_id: UUID, part: str, rule: str) -> bool:
    """Records that a part of a submission is erased, and by which rule; False when that is on record already."""
    row = {"submission_id": submission_id, "part": part, "rule": rule}
    statement = upsert(erasures).values(row).on_conflict_do_nothing().returning(erasures.c.part)
    return connection.execute(statement).first() is not None


ERASED = (
    "SELECT submission_id FROM erasures WHERE submission_id = ANY(CAST(%(ids)s AS uuid[])) AND part = %(erased_part)s"
)
"""Of these submissions those whose part is erased, as a part of a larger query."""


def erase_identity(connection: Connection, submission_id: UUID) -> None:
    """Deletes who filed a submission, the members of their group, and from which account."""
    for sealed in SEALED:
        connection.execute(delete(sealed).where(sealed.c.submission_id == submission_id))
    for table in (desk_claims, disowned_mobiles):
        connection.execute(delete(table).where(table.c.submission_id == submission_id))
    this = submissions.c.submission_id == submission_id
    connection.execute(update(submissions).where(this).values(citizen_id=None))


def erase_texts(connection: Connection, submission_id: UUID) -> None:
    """Deletes what a submission says. The hash of its content stays, so that its receipt can still be checked."""
    this = submissions.c.submission_id == submission_id
    connection.execute(update(submissions).where(this).values(body={}))
