"""Intake's tables. Texts are as typed; who complained is only in `identities`, encrypted."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from backbone.storage.idempotency import commands_table

metadata = sa.MetaData()

units = sa.Table(
    "units",
    metadata,
    sa.Column("code", sa.String, primary_key=True),
    sa.Column("parent", sa.String),
    sa.Column("level", sa.String, nullable=False),
    sa.Column("name_fa", sa.String, nullable=False),
    sa.Column("name_en", sa.String, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
)

grounds = sa.Table(
    "grounds",
    metadata,
    sa.Column("code", sa.String, primary_key=True),
    sa.Column("kinds", ARRAY(sa.String), nullable=False),
    sa.Column("name_fa", sa.String, nullable=False),
    sa.Column("name_en", sa.String, nullable=False),
    sa.Column("hint_fa", sa.Text, nullable=False),
    sa.Column("hint_en", sa.Text, nullable=False),
    sa.Column("questions", JSONB, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
)

holidays = sa.Table("holidays", metadata, sa.Column("day", sa.Date, primary_key=True))

settings = sa.Table(  # what the administrator set, by its name in the catalogue: weekend, deadlines, …
    "settings",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", JSONB, nullable=False),
)

configuration_history = sa.Table(  # only grows, by a trigger
    "configuration_history",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("what", sa.String, nullable=False),
    sa.Column("code", sa.String),
    sa.Column("before", JSONB(none_as_null=True)),
    sa.Column("after", JSONB(none_as_null=True)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("configuration_history_of_one", "what", "code", "id"),
)

configuration_commands = commands_table("configuration_commands", metadata)

catalogue_versions = sa.Table(
    "catalogue_versions",
    metadata,
    sa.Column("version", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("content_hash", sa.String, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

submissions = sa.Table(
    "submissions",
    metadata,
    sa.Column("submission_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("code_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("code_attempt", sa.SmallInteger, nullable=False),
    sa.Column("code_hash_asked", sa.String(64)),  # of the code on the receipt, where a new one replaced it
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("unit", sa.String),
    sa.Column("unit_asked", sa.String, nullable=False),
    sa.Column("ground", sa.String, nullable=False),
    sa.Column("body", JSONB, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("language", sa.String, nullable=False),
    sa.Column("citizen_id", UUID(as_uuid=True), index=True),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("submission_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("mobile_hash", sa.String(64), index=True),
    sa.Column("digits_hash", sa.String(64), index=True),  # of its last digits, for the operator who typed them
    sa.Column("master_key", sa.String, nullable=False, index=True),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
    sa.Column("nonce", sa.LargeBinary, nullable=False),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
)

group_members = sa.Table(  # those of a group who were named besides its representative, sealed together
    "group_members",
    metadata,
    sa.Column("submission_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("master_key", sa.String, nullable=False, index=True),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
    sa.Column("nonce", sa.LargeBinary, nullable=False),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
)

consents = sa.Table(  # of whom an operator filed for
    "consents",
    metadata,
    sa.Column("submission_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("form", sa.String, nullable=False),
    sa.Column("agreed_to", ARRAY(sa.String), nullable=False),
    sa.Column("recorded_by", UUID(as_uuid=True), nullable=False),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
)

desk_claims = sa.Table(  # what whoever has the mobile says of what an operator filed with it
    "desk_claims",
    metadata,
    sa.Column("submission_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("citizen_id", UUID(as_uuid=True), nullable=False),
    sa.Column("mine", sa.Boolean, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

disowned_mobiles = sa.Table(  # whose owner said that it is not theirs; also after the mobile was corrected
    "disowned_mobiles",
    metadata,
    sa.Column("submission_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("mobile_hash", sa.String(64), primary_key=True),
)

desk_tries = sa.Table(  # who tried to get a new code for a lost one; wrong until confirmed
    "desk_tries",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True)),
    sa.Column("staff_id", UUID(as_uuid=True), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("desk_tries_of_case", "case_id", "at"),
    sa.Index("desk_tries_of_person", "staff_id", "at"),
)

desk_commands = commands_table("desk_commands", metadata, sa.Column("attempt", sa.SmallInteger, nullable=False))

identity_openings = sa.Table(
    "identity_openings",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("submission_id", UUID(as_uuid=True), nullable=False, index=True),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("consented_by", UUID(as_uuid=True)),
)

erasures = sa.Table(  # only grows: what was erased does not come back, and why it went
    "erasures",
    metadata,
    sa.Column("submission_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("part", sa.String, primary_key=True),  # identity, texts
    sa.Column("rule", sa.String, nullable=False),
    sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)
