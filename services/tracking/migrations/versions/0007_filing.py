"""What the citizen agreed to for whom an operator filed."""

from alembic import op

revision = "0007_filing"
down_revision = "0006_visits"


def upgrade() -> None:
    # A database made from today's models has it already.
    op.execute("ALTER TABLE cases ADD COLUMN IF NOT EXISTS consent jsonb")
