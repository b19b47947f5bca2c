"""What refusal reasons and root causes were called on the day a case was refused or decided."""

from alembic import op

revision = "0010_names"
down_revision = "0009_filing"


def upgrade() -> None:
    # A database made from today's models has it already.
    op.execute("ALTER TABLE cases ADD COLUMN IF NOT EXISTS names jsonb NOT NULL DEFAULT '{}'")
