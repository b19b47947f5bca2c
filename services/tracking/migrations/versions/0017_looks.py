"""Which version of a case each member of staff has seen last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_looks"
down_revision = "0016_referrals"


def upgrade() -> None:
    """Adds a table; old processes know nothing of it."""
    op.create_table(
        "looks",
        sa.Column("staff_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        if_not_exists=True,
    )
    op.create_index("looks_at", "looks", ["at"], if_not_exists=True)
