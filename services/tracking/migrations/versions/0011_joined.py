"""Decisions that citizens of merged cases are still to be told."""

from alembic import op

from services.tracking.models import outcomes_to_tell

revision = "0011_joined"
down_revision = "0010_names"


def upgrade() -> None:
    # A database made from today's models has them already.
    outcomes_to_tell.create(op.get_bind(), checkfirst=True)
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS cases_merged ON cases (merged_into) WHERE merged_into IS NOT NULL"
        )
