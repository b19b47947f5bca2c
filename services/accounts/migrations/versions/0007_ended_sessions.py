"""Sessions by when they ended: a gateway that starts asks for the latest."""

from alembic import op

revision = "0007_ended_sessions"
down_revision = "0006_otp_sessions"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_sessions_revoked_at ON sessions (revoked_at)")
