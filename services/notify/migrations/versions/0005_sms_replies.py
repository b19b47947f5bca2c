"""Answers by SMS that wait for tracking's word, and until when a case may be objected to and rated."""

import sqlalchemy as sa
from alembic import op

revision = "0005_sms_replies"
down_revision = "0004_audit_reading"


def upgrade() -> None:
    op.create_table(
        "open_replies",
        sa.Column("reply_id", sa.Uuid(), primary_key=True),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("mobile_hash", sa.String(64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_open_replies_case_id", "open_replies", ["case_id"])
    op.add_column(
        "cases",
        sa.Column("object_until", sa.Date(), comment="the last day on which the citizen may object to how it ended"),
    )
    op.add_column(
        "cases",
        sa.Column("rate_until", sa.Date(), comment="of a closed case: the last day on which it may be rated"),
    )
