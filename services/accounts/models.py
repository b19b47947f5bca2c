"""Accounts' tables. A mobile is only here as a keyed hash, a code, a password or a token only as a hash."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from backbone.storage.idempotency import commands_table

metadata = MetaData()

citizens = Table(
    "citizens",
    metadata,
    Column("citizen_id", UUID(as_uuid=True), primary_key=True),
    Column("mobile_hash", String(64), nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

one_time_codes = (
    Table(  # one row a mobile: when it was sent codes, and the newest; `tries`: of requests without an address
        "one_time_codes",
        metadata,
        Column("mobile_hash", String(64), primary_key=True),
        Column("code_hash", String(64), nullable=False, server_default=""),
        Column("expires_at", DateTime(timezone=True)),
        Column("tries", SmallInteger, nullable=False, server_default="0"),
        Column("used", Boolean, nullable=False, server_default="false"),
        Column("requested", ARRAY(DateTime(timezone=True)), nullable=False, server_default="{}"),
        Column("touched_at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True),
    )
)

otp_sessions = Table(  # who requested codes for a mobile; `asked`: each request, `sent`: those that sent a code
    "otp_sessions",
    metadata,
    Column("session_hash", String(64), primary_key=True),
    Column("mobile_hash", String(64), nullable=False, index=True),
    Column("asker_hash", String(64)),
    Column("code_hash", String(64), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("used", Boolean, nullable=False, server_default="false"),
    Column("asked", ARRAY(DateTime(timezone=True)), nullable=False),
    Column("sent", ARRAY(DateTime(timezone=True)), nullable=False, server_default="{}"),
    Column("asked_at", DateTime(timezone=True), nullable=False, index=True),
)

otp_tries = (
    Table(  # wrong codes entered without a session that requested one: by address, and of all strangers together ('')
        "otp_tries",
        metadata,
        Column("mobile_hash", String(64), primary_key=True),
        Column("asker_hash", String(64), primary_key=True),
        Column("tries", Integer, nullable=False),
        Column("since", DateTime(timezone=True), nullable=False, index=True),
    )
)

staff = Table(
    "staff",
    metadata,
    Column("staff_id", UUID(as_uuid=True), primary_key=True),
    Column("username", String, nullable=False, unique=True),
    Column("password_hash", String, nullable=False),
    Column("locked_totp_secret", Text, nullable=False),
    Column("totp_last_step", BigInteger, nullable=False, server_default="0"),
    Column("display_name", String, nullable=False),
    Column("roles", ARRAY(String), nullable=False),
    Column("unit", String),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

staff_history = Table(  # only grows, by a trigger; no secret is in it
    "staff_history",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("by", String, nullable=False),
    Column("staff_id", UUID(as_uuid=True), nullable=False, index=True),
    Column("action", String, nullable=False),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("confirmed_by", UUID(as_uuid=True)),  # where it took two administrators
)

staff_changes = Table(  # requested by one administrator, to be confirmed by another
    "staff_changes",
    metadata,
    Column("change_id", UUID(as_uuid=True), primary_key=True),
    Column("number", BigInteger, Identity(), nullable=False, unique=True),
    Column("action", String, nullable=False),
    Column("state", String, nullable=False),
    Column("staff_id", UUID(as_uuid=True), nullable=False),
    Column("username", String, nullable=False),
    Column("expected_version", Integer, nullable=False),  # 0: a new account
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB, nullable=False),
    Column("new_credentials", Boolean, nullable=False),
    Column("password_hash", String),  # of the password that the requester got; emptied when it is decided
    Column("asked_by", UUID(as_uuid=True), nullable=False),
    Column("asked_under", String, nullable=False),  # the command's key
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("decided_by", UUID(as_uuid=True)),
    Column("decided_at", DateTime(timezone=True)),
    UniqueConstraint("asked_by", "asked_under", name="staff_changes_key"),
    Index("staff_changes_pending", "expires_at", postgresql_where=text("state = 'pending'")),
)

staff_commands = commands_table("staff_commands", metadata, Column("staff_id", UUID(as_uuid=True), nullable=False))

# By a keyed hash of what is counted (staff/sign_in_attempts.py), whether anybody has the user name or not. The column is named
# for the first of these.
sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("username_hash", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("blocked_until", DateTime(timezone=True), nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False, index=True),
)

sessions = Table(  # a family of refresh tokens
    "sessions",
    metadata,
    Column("session_id", UUID(as_uuid=True), primary_key=True),
    Column("subject_type", String, nullable=False),
    Column("subject_id", UUID(as_uuid=True), nullable=False, index=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    Column("revoked_at", DateTime(timezone=True), index=True),
    Column("revoked_because", String),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column(
        "session_id",
        UUID(as_uuid=True),
        ForeignKey("sessions.session_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("issued_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("used_at", DateTime(timezone=True)),
    # Both can be opened only with the token itself, which is not here, and a key of the process.
    Column("locked_mobile", Text),
    Column("locked_successor", Text),
)
