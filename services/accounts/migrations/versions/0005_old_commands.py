"""Index by which commands that nobody repeats any more are found and deleted."""

from alembic import op

revision = "0005_old_commands"
down_revision = "0004_audit_reading"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_staff_commands_done_at ON staff_commands (done_at)")
