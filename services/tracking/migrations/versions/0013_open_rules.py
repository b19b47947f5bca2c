"""Rules of the catalogue that are applied to open cases as well: by which version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_open_rules"
down_revision = "0012_calendar_feeds"


def upgrade() -> None:
    """Adds a column with a default: old processes leave it as it is."""
    op.add_column("catalogue", sa.Column("open_rules", sa.Integer, nullable=False, server_default="0"))
