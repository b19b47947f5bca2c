"""In which form the words of a case are kept that it is found by; tracking writes those of an older form anew, by batches."""

import sqlalchemy as sa
from alembic import op

revision = "0010_search_form"
down_revision = "0009_names"


def upgrade() -> None:
    op.add_column(
        "cases", sa.Column("search_form", sa.SmallInteger(), nullable=False, server_default="0"), if_not_exists=True
    )
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS cases_search_form ON cases (search_form)")
