"""Checkpoints: what the timelines come to at a moment, and the signed files that say it, kept beside the cases."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, text

from backbone.storage import bulk
from contracts.audit import KeepCheckpoint, KeptCheckpoint, ReadLatestCheckpoint, ReadTimelineRoot, TimelineRoot
from services.tracking.models import checkpoints

# The last entry of each case of a range, as of a moment: the primary key of `timeline`, read backwards.
_ROOT = text(
    """
    WITH heads AS (
        SELECT DISTINCT ON (case_id) case_id, sequence, hash FROM timeline
        WHERE case_id BETWEEN :first AND :last AND at <= :until
        ORDER BY case_id DESC, sequence DESC
    )
    SELECT count(*) AS cases, encode(sha256(convert_to(coalesce(
        string_agg(case_id || ' ' || sequence || ' ' || hash, ',' ORDER BY case_id), ''), 'UTF8')), 'hex') AS hash
    FROM heads
    """
)


class Checkpoints:
    """The use cases."""

    def timeline_root(self, connection: Connection, request: ReadTimelineRoot) -> TimelineRoot:
        """Over the cases whose id begins with the bucket's two digits."""
        return timeline_root(connection, request.bucket, request.until)

    def keep(self, connection: Connection, request: KeepCheckpoint) -> KeptCheckpoint:
        """The first of its name wins, whichever of several gateways made it."""
        row = {"name": request.name, "document": request.document, "made_at": datetime.now(UTC)}
        bulk.insert(connection, checkpoints, [row], "ON CONFLICT DO NOTHING")
        kept = connection.execute(checkpoints.select().where(checkpoints.c.name == request.name)).one()
        return KeptCheckpoint(name=kept.name, document=kept.document)

    def latest(self, connection: Connection, request: ReadLatestCheckpoint) -> KeptCheckpoint:
        """Names sort as their moments do."""
        kept = connection.execute(checkpoints.select().order_by(checkpoints.c.name.desc()).limit(1)).first()
        return KeptCheckpoint() if kept is None else KeptCheckpoint(name=kept.name, document=kept.document)


def timeline_root(connection: Connection, bucket: str, until: datetime) -> TimelineRoot:
    """What the timelines of a bucket come to, with what was written until then."""
    first, last = UUID(bucket + "0" * 30), UUID(bucket + "f" * 30)
    row = connection.execute(_ROOT, {"first": first, "last": last, "until": until}).one()
    return TimelineRoot(cases=row.cases, hash=row.hash)
