"""Notify's tables. A mobile or a code is here only as a keyed hash, or within a box sealed to notify's own key."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from backbone.storage import idempotency

metadata = MetaData()

contacts = Table(
    "contacts",
    metadata,
    Column("case_id", UUID(as_uuid=True), primary_key=True),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("language", String, nullable=False),
    Column("citizen_id", UUID(as_uuid=True), index=True),
    Column("mobile_hash", String(64), index=True),
    Column("sealed_contact", Text),
    Column("recoded", Boolean, nullable=False, server_default=text("false")),
    Column("registered_at", DateTime(timezone=True), nullable=False),
)

erasures = Table(  # citizens who were erased: no event that comes again brings them back
    "erasures",
    metadata,
    Column("case_id", UUID(as_uuid=True), primary_key=True),
    Column("rule", String, nullable=False),
    Column("erased_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# The state of each case at its highest sequence, whatever order events arrive in.
cases = Table(
    "cases",
    metadata,
    Column("case_id", UUID(as_uuid=True), primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("number", String, nullable=False),
    Column("unit", String),
    Column("stage", String, nullable=False),
    Column("outcome", String),
    Column("expected_on", Date),
    Column("promised_on", Date, comment="the expected day as the case was opened"),
)

# A message is composed once: `id` comes from event, audience and channel. Its text is template and params; the code and
# the mobile are added at the moment of sending, from a sealed box.
messages = Table(
    "messages",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("event", String, nullable=False),
    Column("case_id", UUID(as_uuid=True)),
    Column("channel", String, nullable=False),
    Column("audience", String, nullable=False),
    Column("template", String, nullable=False),
    Column("params", JSONB, nullable=False),
    Column("language", String, comment="of the handset; a case's citizen has it in contacts"),
    Column("staff_id", UUID(as_uuid=True)),
    Column("role", String),
    Column("unit", String),
    Column("sealed", Text, comment="mobile and one-time code of a message about no case; emptied when it is sent"),
    Column("mobile_hash", String(64)),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("urgent", Boolean, nullable=False),
    Column("waits_for_case", Boolean, nullable=False),
    Column("stages", ARRAY(String)),
    Column("asks_reply", Boolean, nullable=False),
    Column("reply_until", Date),
    Column("reply", String),
    Column("at", DateTime(timezone=True), nullable=False, comment="when what it tells of happened"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("tried_first_at", DateTime(timezone=True)),
    Column("lease", UUID(as_uuid=True)),
    Column("leased_until", DateTime(timezone=True)),
    Column("provider", String),
    Column("provider_message_id", String),
    Column("sent_at", DateTime(timezone=True)),
    Column("delivered_at", DateTime(timezone=True)),
    Column("looks", SmallInteger, nullable=False, server_default=text("0")),
    Column("next_look_at", DateTime(timezone=True)),
    Index("messages_due", "next_attempt_at", postgresql_where=text("state = 'due'")),
    Index("messages_in_order", text("urgent DESC"), "next_attempt_at", postgresql_where=text("state = 'due'")),
    Index(
        "messages_soon_worthless",
        "expires_at",
        postgresql_where=text("state = 'due' AND expires_at IS NOT NULL"),
    ),
    Index("messages_leased", "leased_until", postgresql_where=text("state = 'sending'")),
    Index("messages_followed", "next_look_at", postgresql_where=text("next_look_at IS NOT NULL")),
    Index(
        "messages_at_provider",
        "provider_message_id",
        postgresql_where=text("provider_message_id IS NOT NULL"),
    ),
    Index("messages_of_handset", "mobile_hash", "created_at", postgresql_where=text("mobile_hash IS NOT NULL")),
    Index("messages_of_case", "case_id", "at", postgresql_where=text("case_id IS NOT NULL")),
    Index("messages_of_staff", "staff_id", "at", postgresql_where=text("staff_id IS NOT NULL")),
    Index("messages_of_role", "role", "at", postgresql_where=text("role IS NOT NULL")),
    Index("messages_of_unit", "unit", "at", postgresql_where=text("unit IS NOT NULL")),
)

readings = Table(
    "readings",
    metadata,
    Column("message_id", UUID(as_uuid=True), primary_key=True),
    Column("reader", String, primary_key=True),
    Column("read_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

inbound = Table(
    "inbound",
    metadata,
    Column("provider", String, primary_key=True),
    Column("provider_message_id", String, primary_key=True),
    Column("mobile_hash", String(64)),
    Column("meaning", String, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
)

helped = Table(
    "helped",
    metadata,
    Column("mobile_hash", String(64), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("mobile_hash", String(64), primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("told_by", String, nullable=False, comment="citizen, by SMS; or provider, when it blocks the number"),
)

units = Table(
    "units",
    metadata,
    Column("code", String, primary_key=True),
    Column("parent", String),
    Column("version", Integer, nullable=False),
)

refusal_reasons = Table(  # the administrator's names of them, for the length of an SMS
    "refusal_reasons",
    metadata,
    Column("code", String, primary_key=True),
    Column("fa", String, nullable=False),
    Column("en", String, nullable=False),
)

staff = Table(
    "staff",
    metadata,
    Column("staff_id", UUID(as_uuid=True), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("roles", ARRAY(String), nullable=False),
    Column("unit", String),
    Column("active", Boolean, nullable=False),
)

# --- the administrator's texts ---

texts = Table(  # in place of those in texts/messages.toml; fa and en NULL: as shipped again
    "texts",
    metadata,
    Column("channel", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("fa", Text),
    Column("en", Text),
    Column("version", Integer, nullable=False),
)

text_history = Table(  # only grows, by a trigger
    "text_history",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("by", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("name", String, nullable=False),
    Column("before_fa", Text),
    Column("before_en", Text),
    Column("after_fa", Text),
    Column("after_en", Text),
)

text_commands = idempotency.commands_table("text_commands", metadata)
