"""When and by whom an attachment was added, of which it is the redacted version, how long and how large it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0024_evidence_details"
down_revision = "0023_bulk_and_macros"


def upgrade() -> None:
    op.add_column("attachments", sa.Column("added_at", sa.DateTime(timezone=True)), if_not_exists=True)
    op.add_column("attachments", sa.Column("added_by", UUID(as_uuid=True)), if_not_exists=True)
    op.add_column("attachments", sa.Column("redacts", sa.String), if_not_exists=True)
    op.add_column("media_states", sa.Column("duration_seconds", sa.Double), if_not_exists=True)
    op.add_column("media_states", sa.Column("width", sa.Integer), if_not_exists=True)
    op.add_column("media_states", sa.Column("height", sa.Integer), if_not_exists=True)
    op.add_column("media_states", sa.Column("peaks", sa.Boolean), if_not_exists=True)
