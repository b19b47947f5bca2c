"""Notify's tables. A mobile or a code is here only as a keyed hash, or within a box sealed to notify's own key."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from backbone.storage import idempotency

metadata = sa.MetaData()

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("code_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("language", sa.String, nullable=False),
    sa.Column("citizen_id", UUID(as_uuid=True), index=True),
    sa.Column("mobile_hash", sa.String(64), index=True),
    sa.Column("sealed_contact", sa.Text),
    sa.Column("recoded", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("code_attempt", sa.SmallInteger, nullable=False, server_default="0"),  # how many codes it had before
    sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
)

erasures = sa.Table(  # citizens who were erased: no event that comes again brings them back
    "erasures",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("rule", sa.String, nullable=False),
    sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

# The state of each case at its highest sequence, whatever order events arrive in.
cases = sa.Table(
    "cases",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("number", sa.String, nullable=False),
    sa.Column("unit", sa.String),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("outcome", sa.String),
    sa.Column("expected_on", sa.Date),
    sa.Column("promised_on", sa.Date, comment="the expected day as the case was opened"),
    sa.Column("object_until", sa.Date, comment="the last day on which the citizen may object to how it ended"),
    sa.Column("rate_until", sa.Date, comment="of a closed case: the last day on which it may be rated"),
)

# A message is composed once: `id` comes from event, audience and channel. Its text is template and params; the code and
# the mobile are added at the moment of sending, from a sealed box.
messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("case_id", UUID(as_uuid=True)),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("audience", sa.String, nullable=False),
    sa.Column("template", sa.String, nullable=False),
    sa.Column("params", JSONB, nullable=False),
    sa.Column("language", sa.String, comment="of the handset; a case's citizen has it in contacts"),
    sa.Column("staff_id", UUID(as_uuid=True)),
    sa.Column("role", sa.String),
    sa.Column("unit", sa.String),
    sa.Column(
        "sealed", sa.Text, comment="mobile and one-time code of a message about no case; emptied when it is sent"
    ),
    sa.Column("mobile_hash", sa.String(64)),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("waits_for_case", sa.Boolean, nullable=False),
    sa.Column("stages", ARRAY(sa.String)),
    sa.Column("asks_reply", sa.Boolean, nullable=False),
    sa.Column("reply_until", sa.Date),
    sa.Column("reply", sa.String),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="when what it tells of happened"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True)),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("tried_first_at", sa.DateTime(timezone=True)),
    sa.Column("lease", UUID(as_uuid=True)),
    sa.Column("leased_until", sa.DateTime(timezone=True)),
    sa.Column("provider", sa.String),
    sa.Column("provider_message_id", sa.String),
    sa.Column("sent_at", sa.DateTime(timezone=True)),
    sa.Column("delivered_at", sa.DateTime(timezone=True)),
    sa.Column("status_polls", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("next_status_poll_at", sa.DateTime(timezone=True)),
    sa.Column("resends", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("resent_at", sa.DateTime(timezone=True)),
    sa.Index("messages_logged", "created_at", "id"),
    sa.Index("messages_given_up", "created_at", "id", postgresql_where=sa.text("state IN ('failed', 'undelivered')")),
    sa.Index("messages_due", "next_attempt_at", postgresql_where=sa.text("state = 'due'")),
    sa.Index("messages_in_order", sa.text("urgent DESC"), "next_attempt_at", postgresql_where=sa.text("state = 'due'")),
    sa.Index(
        "messages_soon_worthless",
        "expires_at",
        postgresql_where=sa.text("state = 'due' AND expires_at IS NOT NULL"),
    ),
    sa.Index("messages_leased", "leased_until", postgresql_where=sa.text("state = 'sending'")),
    sa.Index("messages_followed", "next_status_poll_at", postgresql_where=sa.text("next_status_poll_at IS NOT NULL")),
    sa.Index(
        "messages_at_provider",
        "provider_message_id",
        postgresql_where=sa.text("provider_message_id IS NOT NULL"),
    ),
    sa.Index("messages_of_handset", "mobile_hash", "created_at", postgresql_where=sa.text("mobile_hash IS NOT NULL")),
    sa.Index("messages_of_case", "case_id", "at", postgresql_where=sa.text("case_id IS NOT NULL")),
    sa.Index("messages_of_staff", "staff_id", "at", postgresql_where=sa.text("staff_id IS NOT NULL")),
    sa.Index("messages_of_role", "role", "at", postgresql_where=sa.text("role IS NOT NULL")),
    sa.Index("messages_of_unit", "unit", "at", postgresql_where=sa.text("unit IS NOT NULL")),
)

readings = sa.Table(
    "readings",
    metadata,
    sa.Column("message_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("reader", sa.String, primary_key=True),
    sa.Column("read_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

inbound = sa.Table(
    "inbound",
    metadata,
    sa.Column("provider", sa.String, primary_key=True),
    sa.Column("provider_message_id", sa.String, primary_key=True),
    sa.Column("mobile_hash", sa.String(64)),
    sa.Column("meaning", sa.String, nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
)

# Answers to decisions that were handed on to tracking, until it has said what became of them.
open_replies = sa.Table(
    "open_replies",
    metadata,
    sa.Column("reply_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("event_id", sa.String, nullable=False),
    sa.Column("case_id", UUID(as_uuid=True), nullable=False, index=True),
    sa.Column("mobile_hash", sa.String(64), nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("language", sa.String, nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
)

help_replies = sa.Table(
    "help_replies",
    metadata,
    sa.Column("mobile_hash", sa.String(64), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

opt_outs = sa.Table(
    "opt_outs",
    metadata,
    sa.Column("mobile_hash", sa.String(64), primary_key=True),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    sa.Column(
        "reported_by", sa.String, nullable=False, comment="citizen, by SMS; or provider, when it blocks the number"
    ),
)

leaves = sa.Table(  # who stands in for whom, as accounts published it last
    "leaves",
    metadata,
    sa.Column("leave_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("staff_id", UUID(as_uuid=True), nullable=False),
    sa.Column("deputy", UUID(as_uuid=True), nullable=False),
    sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("leaves_deputy", "deputy"),
)

units = sa.Table(
    "units",
    metadata,
    sa.Column("code", sa.String, primary_key=True),
    sa.Column("parent", sa.String),
    sa.Column("version", sa.Integer, nullable=False),
)

refusal_reasons = sa.Table(  # the administrator's names of them, for the length of an SMS
    "refusal_reasons",
    metadata,
    sa.Column("code", sa.String, primary_key=True),
    sa.Column("fa", sa.String, nullable=False),
    sa.Column("en", sa.String, nullable=False),
)

staff = sa.Table(
    "staff",
    metadata,
    sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("roles", ARRAY(sa.String), nullable=False),
    sa.Column("unit", sa.String),
    sa.Column("active", sa.Boolean, nullable=False),
)

# --- the administrator's texts ---

texts = sa.Table(  # in place of those in texts/messages.toml; fa and en NULL: as shipped again
    "texts",
    metadata,
    sa.Column("channel", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("fa", sa.Text),
    sa.Column("en", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
)

text_history = sa.Table(  # only grows, by a trigger
    "text_history",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("before_fa", sa.Text),
    sa.Column("before_en", sa.Text),
    sa.Column("after_fa", sa.Text),
    sa.Column("after_en", sa.Text),
)

text_commands = idempotency.commands_table("text_commands", metadata)

# --- how a person is told beside the inbox ---

preferences = sa.Table(  # of an account of a citizen or of staff, or of a case by its code
    "preferences",
    metadata,
    sa.Column("holder_kind", sa.String, primary_key=True),
    sa.Column("holder_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("language", sa.String),
    sa.Column("quiet_start", sa.SmallInteger, comment="minutes of the day, Tehran"),
    sa.Column("quiet_until", sa.SmallInteger),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
)

push_subscriptions = sa.Table(  # devices; a holder is as in preferences
    "push_subscriptions",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("holder_kind", sa.String, nullable=False),
    sa.Column("holder_id", UUID(as_uuid=True), nullable=False),
    sa.Column("endpoint_hash", sa.String(64), nullable=False),
    sa.Column("service", sa.String, nullable=False),
    sa.Column("sealed", sa.Text, nullable=False, comment="address and keys of the device"),
    sa.Column("server_key", sa.String, nullable=False, comment="our public key that it was made with"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True)),
    sa.Column("last_sent_at", sa.DateTime(timezone=True)),
    sa.Index("push_subscriptions_held", "holder_kind", "holder_id", "created_at"),
    sa.Index("push_subscriptions_endpoint", "endpoint_hash"),
)

pushes = sa.Table(  # `id` comes from the message in the inbox and the device: an event that comes twice is pushed once
    "pushes",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("inbox_id", UUID(as_uuid=True), nullable=False),
    sa.Column("sms_id", UUID(as_uuid=True), comment="the SMS of the same notification"),
    sa.Column("subscription_id", UUID(as_uuid=True), nullable=False),
    sa.Column("holder_kind", sa.String, nullable=False),
    sa.Column("holder_id", UUID(as_uuid=True), nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("case_id", UUID(as_uuid=True)),
    sa.Column("audience", sa.String, nullable=False),
    sa.Column("template", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("tried_first_at", sa.DateTime(timezone=True)),
    sa.Column("lease", UUID(as_uuid=True)),
    sa.Column("leased_until", sa.DateTime(timezone=True)),
    sa.Column("sent_at", sa.DateTime(timezone=True)),
    sa.Column("response_code", sa.Integer),
    sa.Column("resends", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Index("pushes_due", "next_attempt_at", postgresql_where=sa.text("state = 'due'")),
    sa.Index("pushes_leased", "leased_until", postgresql_where=sa.text("state = 'sending'")),
    sa.Index("pushes_of_sms", "sms_id", postgresql_where=sa.text("sms_id IS NOT NULL")),
    sa.Index("pushes_of_case", "case_id", postgresql_where=sa.text("case_id IS NOT NULL")),
    sa.Index("pushes_old", "created_at", "id"),
)

# --- webhooks of partner systems ---

webhook_subscriptions = sa.Table(
    "webhook_subscriptions",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("url", sa.String, nullable=False),
    sa.Column("events", ARRAY(sa.String), nullable=False),
    sa.Column("information", sa.Boolean, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("sealed_keys", sa.Text, nullable=False, comment="secrets and the key of case references"),
    sa.Column("old_secret_until", sa.DateTime(timezone=True)),
    sa.Column("failures", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("failing_since", sa.DateTime(timezone=True)),
    sa.Column("last_error", sa.String),
    sa.Column("last_success_at", sa.DateTime(timezone=True)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")),
)

webhook_deliveries = sa.Table(  # `id` comes from event and subscription: an event that comes twice is delivered once
    "webhook_deliveries",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("subscription_id", UUID(as_uuid=True), nullable=False),
    sa.Column("case_id", UUID(as_uuid=True)),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("payload", JSONB, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("lease", UUID(as_uuid=True)),
    sa.Column("leased_until", sa.DateTime(timezone=True)),
    sa.Column("last_attempt_at", sa.DateTime(timezone=True)),
    sa.Column("delivered_at", sa.DateTime(timezone=True)),
    sa.Column("response_code", sa.Integer),
    sa.Column("error", sa.String),
    sa.Column("answer", sa.String),
    sa.Index("webhook_deliveries_due", "subscription_id", "next_attempt_at", postgresql_where=sa.text("state = 'due'")),
    sa.Index("webhook_deliveries_leased", "leased_until", postgresql_where=sa.text("state = 'sending'")),
    sa.Index("webhook_deliveries_listed", "subscription_id", "created_at", "id"),
    sa.Index("webhook_deliveries_old", "created_at"),
)

notification_commands = idempotency.commands_table("notification_commands", metadata)  # messages that were sent again

webhook_commands = idempotency.commands_table("webhook_commands", metadata, sa.Column("made", UUID(as_uuid=True)))
