"""Indexes of stages, grounds and outcomes that know the unit, so that counting within somebody's scope reads them alone."""

from alembic import op

revision = "0013_counts"
down_revision = "0012_approver"

_COLUMNS = {"stage": "", "ground": "", "outcome": " WHERE outcome IS NOT NULL"}


def upgrade() -> None:
    # A database made from today's models has them already, and the older ones not.
    with op.get_context().autocommit_block():
        for name, where in _COLUMNS.items():
            op.execute(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS cases_{name}_unit ON cases ({name}, filed_at, case_id) "
                f"INCLUDE (unit){where}"
            )
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS cases_{name}")
