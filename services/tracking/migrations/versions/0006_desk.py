"""The counter: which code a case has by now, and what an operator filed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0006_desk"
down_revision = "0005_leaves"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS cases_filed_at_desk ON cases"
            " ((consent ->> 'recorded_by'), filed_at, case_id) WHERE consent IS NOT NULL"
        )
    op.create_table(
        "replaced_codes",
        sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
    )
