"""Letters of decisions and refusals that were taken back; who answers for a unit."""

from __future__ import annotations

from alembic import op

revision = "0002_void_letters"
down_revision = "0001_initial"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE letters ADD COLUMN IF NOT EXISTS void_at timestamptz")
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS staff_liaisons ON staff (unit)"
            " WHERE active AND roles @> '[\"liaison\"]'::jsonb"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS staff_liaisons")
    op.execute("ALTER TABLE letters DROP COLUMN IF EXISTS void_at")
