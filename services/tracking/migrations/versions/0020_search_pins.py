"""Columns of kept searches, and those that somebody has pinned."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0020_search_pins"
down_revision = "0019_queue"


def upgrade() -> None:
    op.add_column("searches", sa.Column("columns", JSONB(), nullable=False, server_default="[]"))
    op.create_table(
        "search_pins",
        sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
        sa.Column(
            "search_id",
            UUID(as_uuid=True),
            sa.ForeignKey("searches.search_id", ondelete="CASCADE"),
            primary_key=True,
            index=True,
        ),
        sa.Column("position", sa.SmallInteger(), nullable=False),
    )
