"""The counter: what operators find, tries for a new code, what citizens say of what was filed for them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0002_desk"
down_revision = "0001_initial"

TIMESTAMP = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("identities", sa.Column("digits_hash", sa.String(64)))
    op.create_table(
        "desk_claims",
        sa.Column("submission_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("citizen_id", UUID(as_uuid=True), nullable=False),
        sa.Column("mine", sa.Boolean(), nullable=False),
        sa.Column("at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "desk_tries",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("case_id", UUID(as_uuid=True)),
        sa.Column("staff_id", UUID(as_uuid=True), nullable=False),
        sa.Column("at", TIMESTAMP, nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.create_index("desk_tries_of_case", "desk_tries", ["case_id", "at"])
    op.create_index("desk_tries_of_person", "desk_tries", ["staff_id", "at"])
    op.create_table(
        "desk_commands",
        sa.Column("actor", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("command_hash", sa.String(64), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("done_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
