"""Accounts' tables. A mobile is only here as a keyed hash, a code, a password or a token only as a hash."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from backbone.storage.idempotency import commands_table

metadata = sa.MetaData()

citizens = sa.Table(
    "citizens",
    metadata,
    sa.Column("citizen_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("mobile_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

one_time_codes = (
    sa.Table(  # one row a mobile, locked by whoever requests or enters a code; `sent`: when it was sent codes
        "one_time_codes",
        metadata,
        sa.Column("mobile_hash", sa.String(64), primary_key=True),
        sa.Column("sent", ARRAY(sa.DateTime(timezone=True)), nullable=False, server_default="{}"),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now(), index=True),
    )
)

otp_sessions = sa.Table(  # who requested codes for a mobile; `requested`: each request, `sent`: those that sent a code
    "otp_sessions",
    metadata,
    sa.Column("session_hash", sa.String(64), primary_key=True),
    sa.Column("mobile_hash", sa.String(64), nullable=False, index=True),
    sa.Column("address_hash", sa.String(64), nullable=False),
    sa.Column("code_hash", sa.String(64), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("used", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("requested", ARRAY(sa.DateTime(timezone=True)), nullable=False),
    sa.Column("sent", ARRAY(sa.DateTime(timezone=True)), nullable=False, server_default="{}"),
    sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False, index=True),
)

otp_tries = sa.Table(  # wrong codes entered without a session that requested one: by address, and of all strangers together ('')
    "otp_tries",
    metadata,
    sa.Column("mobile_hash", sa.String(64), primary_key=True),
    sa.Column("address_hash", sa.String(64), primary_key=True),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False, index=True),
)

staff = sa.Table(
    "staff",
    metadata,
    sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("username", sa.String, nullable=False, unique=True),
    sa.Column("password_hash", sa.String, nullable=False),
    sa.Column("locked_totp_secret", sa.Text, nullable=False),  # '': none, the account has passkeys instead
    sa.Column("totp_last_step", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("display_name", sa.String, nullable=False),
    sa.Column("roles", ARRAY(sa.String), nullable=False),
    sa.Column("unit", sa.String),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

staff_history = sa.Table(  # only grows, by a trigger; no secret is in it
    "staff_history",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("staff_id", UUID(as_uuid=True), nullable=False, index=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("before", JSONB(none_as_null=True)),
    sa.Column("after", JSONB(none_as_null=True)),
    sa.Column("confirmed_by", UUID(as_uuid=True)),  # where it took two administrators
)

staff_changes = sa.Table(  # requested by one administrator, to be confirmed by another
    "staff_changes",
    metadata,
    sa.Column("change_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False, unique=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("staff_id", UUID(as_uuid=True), nullable=False),
    sa.Column("username", sa.String, nullable=False),
    sa.Column("expected_version", sa.Integer, nullable=False),  # 0: a new account
    sa.Column("before", JSONB(none_as_null=True)),
    sa.Column("after", JSONB, nullable=False),
    sa.Column("new_credentials", sa.Boolean, nullable=False),
    sa.Column("password_hash", sa.String),  # of the password that the requester got; emptied when it is decided
    sa.Column("asked_by", UUID(as_uuid=True), nullable=False),
    sa.Column("asked_under", sa.String, nullable=False),  # the command's key
    sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("decided_by", UUID(as_uuid=True)),
    sa.Column("decided_at", sa.DateTime(timezone=True)),
    sa.Column("successor", UUID(as_uuid=True)),
    sa.UniqueConstraint("asked_by", "asked_under", name="staff_changes_key"),
    sa.Index("staff_changes_pending", "expires_at", postgresql_where=sa.text("state = 'pending'")),
)

leaves = sa.Table(  # who stands in for whom
    "leaves",
    metadata,
    sa.Column("leave_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("staff_id", UUID(as_uuid=True), nullable=False),
    sa.Column("deputy", UUID(as_uuid=True), nullable=False),
    sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("leaves_end", "ends_at"),
)

operation_commands = commands_table(
    "operation_commands", metadata, sa.Column("queue", sa.String, nullable=False, server_default="")
)
staff_commands = commands_table("staff_commands", metadata, sa.Column("staff_id", UUID(as_uuid=True), nullable=False))

# By a keyed hash of what is counted (staff/sign_in_attempts.py), whether anybody has the user name or not. The column is named
# for the first of these.
sign_in_attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    sa.Column("username_hash", sa.String(64), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("last_at", sa.DateTime(timezone=True), nullable=False, index=True),
)

# `kind`: "tokens", a family of refresh tokens; "browser", by a cookie; "code", by a cookie for whoever holds a tracking code,
# which is not here: its subject is nobody's account.
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("session_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("subject_type", sa.String, nullable=False),
    sa.Column("subject_id", UUID(as_uuid=True), nullable=False, index=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("revoked_at", sa.DateTime(timezone=True), index=True),
    sa.Column("revoked_because", sa.String),
    sa.Column("kind", sa.String, nullable=False, server_default="tokens"),
    sa.Column("cookie_hash", sa.String(64)),
    # Can be opened only with the cookie's secret, which is not here, and a key of the process.
    sa.Column("locked_mobile", sa.Text),
    sa.Column("renewed_at", sa.DateTime(timezone=True)),  # when its short-lived token was made last: that it is in use
    sa.Index("sessions_cookie", "cookie_hash", unique=True),
    sa.Column("agent", sa.String),  # the family of the browser and its system, in words of the gateway's
    sa.Column("network", sa.String),  # of staff: the network of the address, never the address
)

refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column(
        "session_id",
        UUID(as_uuid=True),
        sa.ForeignKey("sessions.session_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("used_at", sa.DateTime(timezone=True)),
    # Both can be opened only with the token itself, which is not here, and a key of the process.
    sa.Column("locked_mobile", sa.Text),
    sa.Column("locked_successor", sa.Text),
)

# --- second factors of staff beside TOTP ---

totp_enrolments = sa.Table(  # begun and not yet confirmed by a code
    "totp_enrolments",
    metadata,
    sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("locked_secret", sa.Text, nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
)

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("code_hash", sa.String(64), primary_key=True),
    sa.Column("used_at", sa.DateTime(timezone=True)),
)

passkeys = sa.Table(  # `synced`: the authenticator copies it to other devices of its owner
    "passkeys",
    metadata,
    sa.Column("passkey_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("staff_id", UUID(as_uuid=True), nullable=False, index=True),
    sa.Column("credential_id", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("synced", sa.Boolean, nullable=False),
    sa.Column("transports", ARRAY(sa.String), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("used_at", sa.DateTime(timezone=True)),
)

passkey_challenges = sa.Table(  # each is deleted by its first use; `staff_id`: whose registration it is for
    "passkey_challenges",
    metadata,
    sa.Column("challenge_hash", sa.String(64), primary_key=True),
    sa.Column("staff_id", UUID(as_uuid=True)),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
)

# Begun at the provider. `browser_hash`: of the secret that the browser keeps; `staff_id`: who the provider said it is, while
# the second factor is waited for; `used`: the provider's code was exchanged, whatever came of it.
oidc_sign_ins = sa.Table(
    "oidc_sign_ins",
    metadata,
    sa.Column("browser_hash", sa.String(64), primary_key=True),
    sa.Column("state_hash", sa.String(64), nullable=False),
    sa.Column("nonce", sa.String, nullable=False),
    sa.Column("locked_verifier", sa.Text, nullable=False),
    sa.Column("staff_id", UUID(as_uuid=True)),
    sa.Column("used", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
)
