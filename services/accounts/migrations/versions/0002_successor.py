"""A change that waits for a second administrator names who takes over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0002_successor"
down_revision = "0001_initial"


def upgrade() -> None:
    op.add_column("staff_changes", sa.Column("successor", UUID(as_uuid=True)))
