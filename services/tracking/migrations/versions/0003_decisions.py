"""Proposed decisions, and what becomes of recommendations."""

from alembic import op

from services.tracking.models import metadata

revision = "0003_decisions"
down_revision = "0002_deadlines"


def upgrade() -> None:
    op.execute("ALTER TABLE cases ADD COLUMN IF NOT EXISTS proposal jsonb")
    metadata.create_all(op.get_bind(), tables=[metadata.tables["recommendations"]])
