"""Index by which commands that nobody repeats any more are found and deleted."""

from alembic import op

revision = "0007_old_commands"
down_revision = "0006_webhooks"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_text_commands_done_at ON text_commands (done_at)")
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_webhook_commands_done_at ON webhook_commands (done_at)")
