"""The index by which an operator finds what they filed by the last digits of a mobile."""

from alembic import op

revision = "0003_desk_digits"
down_revision = "0002_desk"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_identities_digits_hash ON identities (digits_hash)")
