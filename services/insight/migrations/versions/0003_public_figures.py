"""Public figures: released once a week, blurred, and never changed afterwards."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("CREATE TABLE IF NOT EXISTS grounds (code VARCHAR PRIMARY KEY)")
    op.execute("INSERT INTO grounds SELECT DISTINCT ground FROM facts ON CONFLICT DO NOTHING")
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS releases (
            until DATE PRIMARY KEY,
            released_at TIMESTAMP WITH TIME ZONE NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS public_figures (
            measure VARCHAR NOT NULL,
            dimension VARCHAR NOT NULL,
            key VARCHAR NOT NULL,
            since DATE NOT NULL,
            until DATE NOT NULL,
            month VARCHAR NOT NULL,
            value INTEGER NOT NULL,
            PRIMARY KEY (measure, dimension, key, since)
        )
        """
    )
    op.execute("CREATE TABLE IF NOT EXISTS figures_key (key BYTEA NOT NULL)")
    op.execute(
        """
        INSERT INTO figures_key
        SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
        WHERE NOT EXISTS (SELECT 1 FROM figures_key)
        """
    )
