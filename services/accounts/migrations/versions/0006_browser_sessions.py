"""Sessions of browsers, found by a digest of their cookie's secret."""

import sqlalchemy as sa
from alembic import op

revision = "0006_browser_sessions"
down_revision = "0005_old_commands"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("kind", sa.String, nullable=False, server_default="tokens"))
    op.add_column("sessions", sa.Column("cookie_hash", sa.String(64)))
    op.add_column("sessions", sa.Column("locked_mobile", sa.Text))
    op.add_column("sessions", sa.Column("renewed_at", sa.DateTime(timezone=True)))
    with op.get_context().autocommit_block():
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS sessions_cookie ON sessions (cookie_hash)")
