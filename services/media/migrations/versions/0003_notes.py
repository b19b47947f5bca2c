"""What is to be known about an upload."""

from alembic import op

revision = "0003_notes"
down_revision = "0002_erasures"


def upgrade() -> None:
    # A database made from the models has it already.
    op.execute("ALTER TABLE uploads ADD COLUMN IF NOT EXISTS notes VARCHAR[]")
