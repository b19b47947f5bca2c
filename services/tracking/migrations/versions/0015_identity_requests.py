"""Requests to open a sealed identity."""

from alembic import op

from services.tracking.identities_models import metadata

revision = "0015_identity_requests"
down_revision = "0014_audit"


def upgrade() -> None:
    metadata.create_all(op.get_bind(), checkfirst=True)
