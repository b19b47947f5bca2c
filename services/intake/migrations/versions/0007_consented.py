"""Who consented to an identity's opening."""

from alembic import op

revision = "0007_consented"
down_revision = "0006_audit"


def upgrade() -> None:
    # A database made from today's models has it already.
    op.execute("ALTER TABLE identity_openings ADD COLUMN IF NOT EXISTS consented_by uuid")
