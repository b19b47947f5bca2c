"""Messages to the liaisons of a unit, by the unit."""

from alembic import op

revision = "0006_units"
down_revision = "0005_refusal_reasons"


def upgrade() -> None:
    # A database made from today's models has it already.
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_of_unit ON messages (unit, at) WHERE unit IS NOT NULL"
        )
