"""What the citizen agreed to for whom an operator filed; how many complain together, and what they have in common."""

from alembic import op

revision = "0009_filing"
down_revision = "0008_searches"


def upgrade() -> None:
    # A database made from today's models has them already.
    for column in ("consent jsonb", "group_members integer", "group_common text"):
        op.execute(f"ALTER TABLE cases ADD COLUMN IF NOT EXISTS {column}")
