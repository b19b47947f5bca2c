"""Initial schema of accounts: citizens, staff and sessions.

Frozen: a later change of the schema is a new revision (CONTRIBUTING.md, Migrations).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001_initial"
down_revision = None

_TIMESTAMP = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_citizens()
    _create_staff()
    _create_sessions()
    _create_messaging()
    _create_audit()
    _protect_history()


def _create_citizens() -> None:
    op.create_table(
        "citizens",
        sa.Column("citizen_id", sa.Uuid(), primary_key=True),
        sa.Column("mobile_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "one_time_codes",
        sa.Column("mobile_hash", sa.String(64), primary_key=True),
        sa.Column("code_hash", sa.String(64), nullable=False, server_default=""),
        sa.Column("expires_at", _TIMESTAMP),
        sa.Column("tries", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("used", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("requested", ARRAY(_TIMESTAMP), nullable=False, server_default="{}"),
        sa.Column("touched_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_index("ix_one_time_codes_touched_at", "one_time_codes", ["touched_at"])
    op.create_table(
        "otp_sessions",
        sa.Column("session_hash", sa.String(64), primary_key=True),
        sa.Column("mobile_hash", sa.String(64), nullable=False),
        sa.Column("asker_hash", sa.String(64)),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", _TIMESTAMP, nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("used", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("asked", ARRAY(_TIMESTAMP), nullable=False),
        sa.Column("sent", ARRAY(_TIMESTAMP), nullable=False, server_default="{}"),
        sa.Column("asked_at", _TIMESTAMP, nullable=False),
    )
    op.create_index("ix_otp_sessions_asked_at", "otp_sessions", ["asked_at"])
    op.create_index("ix_otp_sessions_mobile_hash", "otp_sessions", ["mobile_hash"])
    op.create_table(
        "otp_tries",
        sa.Column("mobile_hash", sa.String(64), primary_key=True),
        sa.Column("asker_hash", sa.String(64), primary_key=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since", _TIMESTAMP, nullable=False),
    )
    op.create_index("ix_otp_tries_since", "otp_tries", ["since"])


def _create_staff() -> None:
    op.create_table(
        "staff",
        sa.Column("staff_id", sa.Uuid(), primary_key=True),
        sa.Column("username", sa.String(), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("locked_totp_secret", sa.Text(), nullable=False),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("roles", ARRAY(sa.String()), nullable=False),
        sa.Column("unit", sa.String()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "staff_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("before", JSONB()),
        sa.Column("after", JSONB()),
        sa.Column("confirmed_by", sa.Uuid()),
    )
    op.create_index("ix_staff_history_staff_id", "staff_history", ["staff_id"])
    op.create_table(
        "staff_changes",
        sa.Column("change_id", sa.Uuid(), primary_key=True),
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False, unique=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("expected_version", sa.Integer(), nullable=False),
        sa.Column("before", JSONB()),
        sa.Column("after", JSONB(), nullable=False),
        sa.Column("new_credentials", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String()),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_under", sa.String(), nullable=False),
        sa.Column("asked_at", _TIMESTAMP, nullable=False),
        sa.Column("expires_at", _TIMESTAMP, nullable=False),
        sa.Column("decided_by", sa.Uuid()),
        sa.Column("decided_at", _TIMESTAMP),
        sa.UniqueConstraint("asked_by", "asked_under", name="staff_changes_key"),
    )
    op.create_index(
        "staff_changes_pending", "staff_changes", ["expires_at"], postgresql_where=sa.text("state = 'pending'")
    )
    op.create_table(
        "staff_commands",
        sa.Column("actor", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("command_hash", sa.String(64), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("done_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )


def _create_sessions() -> None:
    op.create_table(
        "sign_in_attempts",
        sa.Column("username_hash", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", _TIMESTAMP, nullable=False),
        sa.Column("last_at", _TIMESTAMP, nullable=False),
    )
    op.create_index("ix_sign_in_attempts_last_at", "sign_in_attempts", ["last_at"])
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Uuid(), primary_key=True),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("expires_at", _TIMESTAMP, nullable=False),
        sa.Column("revoked_at", _TIMESTAMP),
        sa.Column("revoked_because", sa.String()),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_index("ix_sessions_revoked_at", "sessions", ["revoked_at"])
    op.create_index("ix_sessions_subject_id", "sessions", ["subject_id"])
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("session_id", sa.Uuid(), sa.ForeignKey("sessions.session_id", ondelete="CASCADE"), nullable=False),
        sa.Column("issued_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("used_at", _TIMESTAMP),
        sa.Column("locked_mobile", sa.Text()),
        sa.Column("locked_successor", sa.Text()),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])


def _create_messaging() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("routing_key", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("headers", JSONB(), nullable=False),
        sa.Column("created_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String(), primary_key=True),
        sa.Column("event_id", sa.Uuid(), primary_key=True),
        sa.Column("handled_at", _TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at"])


def _create_audit() -> None:
    op.create_table(
        "audit_waiting",
        sa.Column("seq", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("at", _TIMESTAMP, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String()),
        sa.Column("roles", ARRAY(sa.String()), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("subjects", ARRAY(sa.String()), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("trace_id", sa.String()),
    )
    op.create_table(
        "audit",
        sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", _TIMESTAMP, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String()),
        sa.Column("roles", ARRAY(sa.String()), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("subjects", ARRAY(sa.String()), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("trace_id", sa.String()),
        sa.Column("chained_at", _TIMESTAMP, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.execute(
        """
        CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_waiting' AND current_setting('peygir.chaining', true) = 'on' THEN
                RETURN NULL;
            END IF;
            RAISE EXCEPTION 'the audit only grows' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    _make_append_only("audit_waiting", "audit_waiting", "audit_only_grows")
    _make_append_only("audit", "audit", "audit_only_grows")


def _protect_history() -> None:
    op.execute(
        """
        CREATE FUNCTION history_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the history only grows' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    _make_append_only("staff_history", "history", "history_only_grows")


def _make_append_only(table: str, name: str, function: str) -> None:
    for suffix, operations in (("changed", "UPDATE OR DELETE"), ("emptied", "TRUNCATE")):
        op.execute(
            f"""
            CREATE TRIGGER {name}_is_never_{suffix} BEFORE {operations} ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {function}()
            """
        )
