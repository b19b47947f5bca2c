"""Index by which commands that nobody repeats any more are found and deleted."""

from alembic import op

revision = "0006_old_commands"
down_revision = "0005_disowned_mobiles"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_configuration_commands_done_at"
            " ON configuration_commands (done_at)"
        )
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_desk_commands_done_at ON desk_commands (done_at)")
