"""Indexes by which decisions and ratings are counted, without a look at the table."""

from __future__ import annotations

from alembic import op

revision = "0005_outcome_indexes"
down_revision = "0004_outcomes_of_before"


def upgrade() -> None:
    """By itself, so that it can be tried again."""
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS facts_decided ON facts"
            " (decided_on, unit, ground, kind, stage, outcome, settled_early) WHERE decided_on IS NOT NULL"
        )
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS facts_rated ON facts"
            " (rated_on, unit, ground, kind, stage, score, rated_by_phone) WHERE rated_on IS NOT NULL"
        )
