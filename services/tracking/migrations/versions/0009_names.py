"""Names of staff and grounds, as accounts and intake publish them: people are shown by name wherever an id is.

NULL until the next change of the account, or of the catalogue, is taken over.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_names"
down_revision = "0008_unanswered"


def upgrade() -> None:
    """Adds nullable columns: old processes write none, and new ones show the id alone."""
    op.add_column("staff", sa.Column("display_name", sa.String))
    op.add_column("grounds", sa.Column("name_fa", sa.String))
    op.add_column("grounds", sa.Column("name_en", sa.String))
