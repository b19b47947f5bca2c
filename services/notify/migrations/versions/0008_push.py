"""Web Push: devices, and what is sent to them; how a person wants to be told."""

import sqlalchemy as sa
from alembic import op

from backbone.storage.common_tables_v1 import TIMESTAMP

revision = "0008_push"
down_revision = "0007_old_commands"


def upgrade() -> None:
    """New tables alone: old processes send no pushes and know no preferences."""
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("holder_kind", sa.String(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_hash", sa.String(64), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False, comment="address and keys of the device"),
        sa.Column("server_key", sa.String(), nullable=False, comment="our public key that it was made with"),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("expires_at", TIMESTAMP),
        sa.Column("last_sent_at", TIMESTAMP),
    )
    op.create_index("push_subscriptions_held", "push_subscriptions", ["holder_kind", "holder_id", "created_at"])
    op.create_index("push_subscriptions_endpoint", "push_subscriptions", ["endpoint_hash"])
    op.create_table(
        "pushes",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("inbox_id", sa.Uuid(), nullable=False),
        sa.Column("sms_id", sa.Uuid(), comment="the SMS of the same notification"),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("holder_kind", sa.String(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("case_id", sa.Uuid()),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("at", TIMESTAMP, nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("next_attempt_at", TIMESTAMP, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("tried_first_at", TIMESTAMP),
        sa.Column("lease", sa.Uuid()),
        sa.Column("leased_until", TIMESTAMP),
        sa.Column("sent_at", TIMESTAMP),
        sa.Column("response_code", sa.Integer()),
        sa.Column("resends", sa.SmallInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.create_index("pushes_due", "pushes", ["next_attempt_at"], postgresql_where=sa.text("state = 'due'"))
    op.create_index("pushes_leased", "pushes", ["leased_until"], postgresql_where=sa.text("state = 'sending'"))
    op.create_index("pushes_of_sms", "pushes", ["sms_id"], postgresql_where=sa.text("sms_id IS NOT NULL"))
    op.create_index("pushes_of_case", "pushes", ["case_id"], postgresql_where=sa.text("case_id IS NOT NULL"))
    op.create_index("pushes_old", "pushes", ["created_at", "id"])
    op.create_table(
        "preferences",
        sa.Column("holder_kind", sa.String(), primary_key=True),
        sa.Column("holder_id", sa.Uuid(), primary_key=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("language", sa.String()),
        sa.Column("quiet_start", sa.SmallInteger(), comment="minutes of the day, Tehran"),
        sa.Column("quiet_until", sa.SmallInteger()),
        sa.Column("changed_at", TIMESTAMP, nullable=False),
    )
