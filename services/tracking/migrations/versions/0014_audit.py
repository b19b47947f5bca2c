"""The audit log, and the signed checkpoints of all audit logs."""

from alembic import op

from backbone.storage import audit
from services.tracking.models import checkpoints

revision = "0014_audit"
down_revision = "0013_counts"


def upgrade() -> None:
    audit.create(op)
    # A database made from today's models has it already.
    checkpoints.create(op.get_bind(), checkfirst=True)
