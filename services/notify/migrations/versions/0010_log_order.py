"""Indexes by which the log of messages is read: all, and those that were given up."""

from alembic import op

revision = "0010_log_order"
down_revision = "0009_log"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_logged ON messages (created_at, id)")
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_given_up ON messages (created_at, id)"
            " WHERE state IN ('failed', 'undelivered')"
        )
