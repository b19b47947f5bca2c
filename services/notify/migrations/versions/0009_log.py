"""The log of messages for the office: messages that were sent again."""

import sqlalchemy as sa
from alembic import op

from backbone.storage import common_tables_v1
from backbone.storage.common_tables_v1 import TIMESTAMP

revision = "0009_log"
down_revision = "0008_push"


def upgrade() -> None:
    """Columns that old processes leave as they are; a message that one of them sends again keeps its number at the provider."""
    op.add_column("messages", sa.Column("resends", sa.SmallInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("messages", sa.Column("resent_at", TIMESTAMP))
    common_tables_v1.create_commands("notification_commands")
    op.create_index("ix_notification_commands_done_at", "notification_commands", ["done_at"])
