"""The audit log."""

from alembic import op

from backbone.storage import audit

revision = "0007_audit"
down_revision = "0006_units"


def upgrade() -> None:
    audit.create(op)
