"""The audit log."""

from alembic import op

from backbone.storage import audit

revision = "0003_audit"
down_revision = "0002"


def upgrade() -> None:
    audit.create(op)
