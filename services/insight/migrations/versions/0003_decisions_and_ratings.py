"""When a case was decided and rated, by days, and whether it was rated by phone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_decisions_and_ratings"
down_revision = "0002_early_settlement"


def upgrade() -> None:
    """Adds nullable columns; the next migration fills them from what is there."""
    op.add_column("facts", sa.Column("decided_on", sa.Date))
    op.add_column("facts", sa.Column("rated_on", sa.Date))
    op.add_column("facts", sa.Column("rated_sequence", sa.Integer))
    op.add_column("facts", sa.Column("rated_by_phone", sa.Boolean))
