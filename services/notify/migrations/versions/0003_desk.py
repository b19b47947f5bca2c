"""Which code a contact belongs to: of two that replace one another the later holds, in whatever order they arrive."""

import sqlalchemy as sa
from alembic import op

revision = "0003_desk"
down_revision = "0002_leaves"


def upgrade() -> None:
    # A code that replaced a clashing one before this release counts as the first.
    op.add_column("contacts", sa.Column("code_attempt", sa.SmallInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE contacts SET code_attempt = 1 WHERE recoded")
