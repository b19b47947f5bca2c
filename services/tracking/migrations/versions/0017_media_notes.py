"""What is to be known about an attachment."""

from alembic import op

revision = "0017_media_notes"
down_revision = "0016_expected_open"


def upgrade() -> None:
    # A database made from the models has it already.
    op.execute("ALTER TABLE media_states ADD COLUMN IF NOT EXISTS notes JSONB")
