"""Requests to open an identity that an inspector makes, and a head opens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018_identity_for_head"
down_revision = "0017_looks"


def upgrade() -> None:
    """Adds a column; old processes write none of these requests, and show them as any other."""
    op.add_column(
        "identity_requests",
        sa.Column("for_head", sa.Boolean(), nullable=False, server_default=sa.false()),
        if_not_exists=True,
    )
