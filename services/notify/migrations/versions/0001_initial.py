"""Initial schema of notify: contacts, messages and texts. Frozen: a change is a new revision."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from backbone.storage import common_tables_v1
from backbone.storage.common_tables_v1 import TIMESTAMP

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    _create_cases()
    _create_messages()
    _create_reference()
    _create_texts()
    common_tables_v1.create_outbox_and_inbox()
    common_tables_v1.create_audit()
    common_tables_v1.protect_history("text_history")


def _create_cases() -> None:
    op.create_table(
        "contacts",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("code_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("citizen_id", sa.Uuid()),
        sa.Column("mobile_hash", sa.String(64)),
        sa.Column("sealed_contact", sa.Text()),
        sa.Column("recoded", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("registered_at", TIMESTAMP, nullable=False),
    )
    op.create_index("ix_contacts_citizen_id", "contacts", ["citizen_id"])
    op.create_index("ix_contacts_mobile_hash", "contacts", ["mobile_hash"])
    op.create_table(
        "erasures",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("erased_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("unit", sa.String()),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("outcome", sa.String()),
        sa.Column("expected_on", sa.Date()),
        sa.Column("promised_on", sa.Date(), comment="the expected day as the case was opened"),
    )


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("case_id", sa.Uuid()),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("params", JSONB(), nullable=False),
        sa.Column("language", sa.String(), comment="of the handset; a case's citizen has it in contacts"),
        sa.Column("staff_id", sa.Uuid()),
        sa.Column("role", sa.String()),
        sa.Column("unit", sa.String()),
        sa.Column(
            "sealed", sa.Text(), comment="mobile and one-time code of a message about no case; emptied when it is sent"
        ),
        sa.Column("mobile_hash", sa.String(64)),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("waits_for_case", sa.Boolean(), nullable=False),
        sa.Column("stages", ARRAY(sa.String())),
        sa.Column("asks_reply", sa.Boolean(), nullable=False),
        sa.Column("reply_until", sa.Date()),
        sa.Column("reply", sa.String()),
        sa.Column("at", TIMESTAMP, nullable=False, comment="when what it tells of happened"),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("next_attempt_at", TIMESTAMP, nullable=False),
        sa.Column("expires_at", TIMESTAMP),
        sa.Column("attempts", sa.SmallInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("tried_first_at", TIMESTAMP),
        sa.Column("lease", sa.Uuid()),
        sa.Column("leased_until", TIMESTAMP),
        sa.Column("provider", sa.String()),
        sa.Column("provider_message_id", sa.String()),
        sa.Column("sent_at", TIMESTAMP),
        sa.Column("delivered_at", TIMESTAMP),
        sa.Column("status_polls", sa.SmallInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("next_status_poll_at", TIMESTAMP),
    )
    op.create_index("messages_due", "messages", ["next_attempt_at"], postgresql_where=sa.text("state = 'due'"))
    op.create_index(
        "messages_in_order",
        "messages",
        [sa.text("urgent DESC"), "next_attempt_at"],
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "messages_soon_worthless",
        "messages",
        ["expires_at"],
        postgresql_where=sa.text("state = 'due' AND expires_at IS NOT NULL"),
    )
    op.create_index("messages_leased", "messages", ["leased_until"], postgresql_where=sa.text("state = 'sending'"))
    op.create_index(
        "messages_followed",
        "messages",
        ["next_status_poll_at"],
        postgresql_where=sa.text("next_status_poll_at IS NOT NULL"),
    )
    op.create_index(
        "messages_at_provider",
        "messages",
        ["provider_message_id"],
        postgresql_where=sa.text("provider_message_id IS NOT NULL"),
    )
    op.create_index(
        "messages_of_handset",
        "messages",
        ["mobile_hash", "created_at"],
        postgresql_where=sa.text("mobile_hash IS NOT NULL"),
    )
    op.create_index("messages_of_case", "messages", ["case_id", "at"], postgresql_where=sa.text("case_id IS NOT NULL"))
    op.create_index(
        "messages_of_staff", "messages", ["staff_id", "at"], postgresql_where=sa.text("staff_id IS NOT NULL")
    )
    op.create_index("messages_of_role", "messages", ["role", "at"], postgresql_where=sa.text("role IS NOT NULL"))
    op.create_index("messages_of_unit", "messages", ["unit", "at"], postgresql_where=sa.text("unit IS NOT NULL"))
    op.create_table(
        "readings",
        sa.Column("message_id", sa.Uuid(), primary_key=True),
        sa.Column("reader", sa.String(), primary_key=True),
        sa.Column("read_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "inbound",
        sa.Column("provider", sa.String(), primary_key=True),
        sa.Column("provider_message_id", sa.String(), primary_key=True),
        sa.Column("mobile_hash", sa.String(64)),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.Column("received_at", TIMESTAMP, nullable=False),
    )
    op.create_table(
        "help_replies",
        sa.Column("mobile_hash", sa.String(64), primary_key=True),
        sa.Column("at", TIMESTAMP, nullable=False),
    )
    op.create_table(
        "opt_outs",
        sa.Column("mobile_hash", sa.String(64), primary_key=True),
        sa.Column("since", TIMESTAMP, nullable=False),
        sa.Column(
            "reported_by",
            sa.String(),
            nullable=False,
            comment="citizen, by SMS; or provider, when it blocks the number",
        ),
    )


def _create_reference() -> None:
    op.create_table(
        "units",
        sa.Column("code", sa.String(), primary_key=True),
        sa.Column("parent", sa.String()),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_table(
        "refusal_reasons",
        sa.Column("code", sa.String(), primary_key=True),
        sa.Column("fa", sa.String(), nullable=False),
        sa.Column("en", sa.String(), nullable=False),
    )
    op.create_table(
        "staff",
        sa.Column("staff_id", sa.Uuid(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("roles", ARRAY(sa.String()), nullable=False),
        sa.Column("unit", sa.String()),
        sa.Column("active", sa.Boolean(), nullable=False),
    )


def _create_texts() -> None:
    op.create_table(
        "texts",
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("fa", sa.Text()),
        sa.Column("en", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_table(
        "text_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("before_fa", sa.Text()),
        sa.Column("before_en", sa.Text()),
        sa.Column("after_fa", sa.Text()),
        sa.Column("after_en", sa.Text()),
    )
    common_tables_v1.create_commands("text_commands")
