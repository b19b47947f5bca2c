"""How often a case has gone from one unit to another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_transfers"
down_revision = "0013_open_rules"


def upgrade() -> None:
    """Adds a column with a default: what old processes write is counted as not transferred."""
    op.add_column("cases", sa.Column("transfers", sa.SmallInteger, nullable=False, server_default="0"))
