"""Other inspectors who see a case: a second one on it, and those who are asked for advice."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011_colleagues"
down_revision = "0010_search_form"


def upgrade() -> None:
    op.add_column("cases", sa.Column("colleagues", JSONB(), nullable=False, server_default="[]"), if_not_exists=True)
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS cases_colleagues ON cases (filed_at, case_id) WHERE colleagues <> '[]'"
        )
