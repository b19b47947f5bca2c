"""Whether a case was settled with its citizen at first reading."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_early_settlement"
down_revision = "0001_initial"


def upgrade() -> None:
    """Adds a nullable column: what was decided before is not known to be early, and was not."""
    op.add_column("facts", sa.Column("settled_early", sa.Boolean))
