"""Reminders, checklists, linked cases."""

from alembic import op

from services.tracking.models import metadata

revision = "0005_inquiry"
down_revision = "0004_skills"


def upgrade() -> None:
    for column in ("checklist", "links"):
        op.execute(f"ALTER TABLE cases ADD COLUMN IF NOT EXISTS {column} jsonb NOT NULL DEFAULT '[]'")
    metadata.create_all(op.get_bind(), tables=[metadata.tables["reminders"]])
