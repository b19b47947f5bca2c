"""The code on the receipt of a submission that got another one: its holder alone is told the new one."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # A database made from today's models has it already.
    op.execute("ALTER TABLE submissions ADD COLUMN IF NOT EXISTS code_hash_asked varchar(64)")
