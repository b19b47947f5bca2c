"""Intake's tables. Texts are as typed; who complained is only in `identities`, encrypted."""

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
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from backbone.storage.idempotency import commands_table

metadata = MetaData()

units = Table(
    "units",
    metadata,
    Column("code", String, primary_key=True),
    Column("parent", String),
    Column("level", String, nullable=False),
    Column("name_fa", String, nullable=False),
    Column("name_en", String, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
)

grounds = Table(
    "grounds",
    metadata,
    Column("code", String, primary_key=True),
    Column("kinds", ARRAY(String), nullable=False),
    Column("name_fa", String, nullable=False),
    Column("name_en", String, nullable=False),
    Column("hint_fa", Text, nullable=False),
    Column("hint_en", Text, nullable=False),
    Column("questions", JSONB, nullable=False),
    Column("position", Integer, nullable=False),
)

holidays = Table("holidays", metadata, Column("day", Date, primary_key=True))

settings = Table(  # what the administrator set, by its name in the catalogue: weekend, deadlines, …
    "settings",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", JSONB, nullable=False),
)

configuration_history = Table(  # only grows, by a trigger
    "configuration_history",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("by", String, nullable=False),
    Column("what", String, nullable=False),
    Column("code", String),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("version", Integer, nullable=False),
    Index("configuration_history_of_one", "what", "code", "id"),
)

configuration_commands = commands_table("configuration_commands", metadata)

catalogue_versions = Table(
    "catalogue_versions",
    metadata,
    Column("version", Integer, Identity(), primary_key=True),
    Column("content_hash", String, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

submissions = Table(
    "submissions",
    metadata,
    Column("submission_id", UUID(as_uuid=True), primary_key=True),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("code_attempt", SmallInteger, nullable=False),
    Column("code_hash_asked", String(64)),  # of the code on the receipt, where a new one replaced it
    Column("kind", String, nullable=False),
    Column("unit", String),
    Column("unit_asked", String, nullable=False),
    Column("ground", String, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("channel", String, nullable=False),
    Column("language", String, nullable=False),
    Column("citizen_id", UUID(as_uuid=True), index=True),
    Column("content_hash", String(64), nullable=False),
    Column("filed_at", DateTime(timezone=True), nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

identities = Table(
    "identities",
    metadata,
    Column("submission_id", UUID(as_uuid=True), primary_key=True),
    Column("mobile_hash", String(64), index=True),
    Column("master_key", String, nullable=False, index=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
)

group_members = Table(  # those of a group who were named besides its representative, sealed together
    "group_members",
    metadata,
    Column("submission_id", UUID(as_uuid=True), primary_key=True),
    Column("master_key", String, nullable=False, index=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
)

consents = Table(  # of whom an operator filed for
    "consents",
    metadata,
    Column("submission_id", UUID(as_uuid=True), primary_key=True),
    Column("form", String, nullable=False),
    Column("agreed_to", ARRAY(String), nullable=False),
    Column("recorded_by", UUID(as_uuid=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)

identity_openings = Table(
    "identity_openings",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("submission_id", UUID(as_uuid=True), nullable=False, index=True),
    Column("actor", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("consented_by", UUID(as_uuid=True)),
)

erasures = Table(  # only grows: what was erased does not come back, and why it went
    "erasures",
    metadata,
    Column("submission_id", UUID(as_uuid=True), primary_key=True),
    Column("part", String, primary_key=True),  # identity, texts
    Column("rule", String, nullable=False),
    Column("erased_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
