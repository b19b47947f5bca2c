"""Days of decisions and ratings of the cases that are there."""

from __future__ import annotations

from alembic import op

revision = "0004_outcomes_of_before"
down_revision = "0003_decisions_and_ratings"


def upgrade() -> None:
    """Figures can be read meanwhile; events wait in their queue. Row by row beside them it could end in a deadlock."""
    op.execute("LOCK TABLE facts IN SHARE ROW EXCLUSIVE MODE")
    op.execute(
        "UPDATE facts SET decided_on = (decided_at AT TIME ZONE 'Asia/Tehran')::date WHERE decided_at IS NOT NULL"
    )
    op.execute(
        "UPDATE facts SET rated_on = (rating.at AT TIME ZONE 'Asia/Tehran')::date, rated_sequence = rating.sequence,"
        " rated_by_phone = rating.event = 'case.rated_by_phone.v1' FROM ("
        "SELECT DISTINCT ON (case_id) case_id, at, sequence, event FROM transitions"
        " WHERE event IN ('case.rated.v1', 'case.rated_by_phone.v1') ORDER BY case_id, sequence DESC"
        ") AS rating WHERE rating.case_id = facts.case_id"
    )
