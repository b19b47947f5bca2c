"""Calendar feeds of staff: of an address its hash alone."""

import sqlalchemy as sa
from alembic import op

revision = "0012_calendar_feeds"
down_revision = "0011_colleagues"


def upgrade() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("staff_id", sa.Uuid(), primary_key=True),
        sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        if_not_exists=True,
    )
