"""Webhooks: subscriptions of partner systems, and their deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from backbone.storage import common_tables_v1
from backbone.storage.common_tables_v1 import TIMESTAMP

revision = "0006_webhooks"
down_revision = "0005_sms_replies"


def upgrade() -> None:
    """New tables alone: old processes make no deliveries, and new ones go on with the next event."""
    op.create_table(
        "webhook_subscriptions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", ARRAY(sa.String()), nullable=False),
        sa.Column("information", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed_keys", sa.Text(), nullable=False, comment="secrets and the key of case references"),
        sa.Column("old_secret_until", TIMESTAMP),
        sa.Column("failures", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("failing_since", TIMESTAMP),
        sa.Column("last_error", sa.String()),
        sa.Column("last_success_at", TIMESTAMP),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid()),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("next_attempt_at", TIMESTAMP, nullable=False),
        sa.Column("lease", sa.Uuid()),
        sa.Column("leased_until", TIMESTAMP),
        sa.Column("last_attempt_at", TIMESTAMP),
        sa.Column("delivered_at", TIMESTAMP),
        sa.Column("response_code", sa.Integer()),
        sa.Column("error", sa.String()),
        sa.Column("answer", sa.String()),
    )
    due, sending = sa.text("state = 'due'"), sa.text("state = 'sending'")
    deliveries = "webhook_deliveries"
    op.create_index("webhook_deliveries_due", deliveries, ["subscription_id", "next_attempt_at"], postgresql_where=due)
    op.create_index("webhook_deliveries_leased", deliveries, ["leased_until"], postgresql_where=sending)
    op.create_index("webhook_deliveries_listed", deliveries, ["subscription_id", "created_at", "id"])
    op.create_index("webhook_deliveries_old", deliveries, ["created_at"])
    common_tables_v1.create_commands("webhook_commands", sa.Column("made", sa.Uuid()))
