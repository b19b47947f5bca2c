"""What is sent first is found at once, however many wait."""

from alembic import op

revision = "0004_in_order"
down_revision = "0003_erasures"

INDEXES = (
    "messages_in_order ON messages (urgent DESC, next_attempt_at) WHERE state = 'due'",
    "messages_soon_worthless ON messages (expires_at) WHERE state = 'due' AND expires_at IS NOT NULL",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for index in INDEXES:
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index}")
