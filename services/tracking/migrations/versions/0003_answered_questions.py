"""The questions that were answered at filing, as they were asked that day."""

from __future__ import annotations

from alembic import op

revision = "0003_answered_questions"
down_revision = "0002_void_letters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE cases ADD COLUMN IF NOT EXISTS answered_questions jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE cases DROP COLUMN IF EXISTS answered_questions")
