"""The secretariat's numbers of letters. Those that went out before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0018_letters"
down_revision = "0017_media_notes"


def upgrade() -> None:
    # A database made from today's models has it already.
    if sa.inspect(op.get_bind()).has_table("letters"):
        return
    op.create_table(
        "letters",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("sequence", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("year", "serial", name="letters_number"),
    )
