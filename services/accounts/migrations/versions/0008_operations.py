"""What administrators did with dead letters, so that a repeated command is done once."""

import sqlalchemy as sa
from alembic import op

from backbone.storage import common_tables_v1

revision = "0008_operations"
down_revision = "0007_own_account"


def upgrade() -> None:
    common_tables_v1.create_commands(
        "operation_commands", sa.Column("queue", sa.String(), nullable=False, server_default="")
    )
    op.create_index("ix_operation_commands_done_at", "operation_commands", ["done_at"])
