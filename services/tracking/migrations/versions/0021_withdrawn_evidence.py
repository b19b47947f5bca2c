"""When its citizen took an attachment back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021_withdrawn_evidence"
down_revision = "0020_search_pins"


def upgrade() -> None:
    """Adds a column: what old processes write was not taken back."""
    op.add_column("attachments", sa.Column("withdrawn_at", sa.DateTime(timezone=True)))
