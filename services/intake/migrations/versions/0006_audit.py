"""The audit log."""

from alembic import op

from backbone.storage import audit

revision = "0006_audit"
down_revision = "0005_filing"


def upgrade() -> None:
    audit.create(op)
