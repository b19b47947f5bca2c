"""Initial schema of accounts: citizens, staff and sessions. Frozen: a change is a new revision."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from backbone.storage import common_tables_v1
from backbone.storage.common_tables_v1 import TIMESTAMP

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    _create_citizens()
    _create_staff()
    _create_sessions()
    common_tables_v1.create_outbox_and_inbox()
    common_tables_v1.create_audit()
    common_tables_v1.protect_history("staff_history")


def _create_citizens() -> None:
    op.create_table(
        "citizens",
        sa.Column("citizen_id", sa.Uuid(), primary_key=True),
        sa.Column("mobile_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "one_time_codes",
        sa.Column("mobile_hash", sa.String(64), primary_key=True),
        sa.Column("sent", ARRAY(TIMESTAMP), nullable=False, server_default="{}"),
        sa.Column("touched_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_index("ix_one_time_codes_touched_at", "one_time_codes", ["touched_at"])
    op.create_table(
        "otp_sessions",
        sa.Column("session_hash", sa.String(64), primary_key=True),
        sa.Column("mobile_hash", sa.String(64), nullable=False),
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", TIMESTAMP, nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("used", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("requested", ARRAY(TIMESTAMP), nullable=False),
        sa.Column("sent", ARRAY(TIMESTAMP), nullable=False, server_default="{}"),
        sa.Column("requested_at", TIMESTAMP, nullable=False),
    )
    op.create_index("ix_otp_sessions_requested_at", "otp_sessions", ["requested_at"])
    op.create_index("ix_otp_sessions_mobile_hash", "otp_sessions", ["mobile_hash"])
    op.create_table(
        "otp_tries",
        sa.Column("mobile_hash", sa.String(64), primary_key=True),
        sa.Column("address_hash", sa.String(64), primary_key=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since", TIMESTAMP, nullable=False),
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
        sa.Column("changed_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
    )
    op.create_table(
        "staff_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
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
        sa.Column("asked_at", TIMESTAMP, nullable=False),
        sa.Column("expires_at", TIMESTAMP, nullable=False),
        sa.Column("decided_by", sa.Uuid()),
        sa.Column("decided_at", TIMESTAMP),
        sa.UniqueConstraint("asked_by", "asked_under", name="staff_changes_key"),
    )
    op.create_index(
        "staff_changes_pending", "staff_changes", ["expires_at"], postgresql_where=sa.text("state = 'pending'")
    )
    common_tables_v1.create_commands("staff_commands", sa.Column("staff_id", sa.Uuid(), nullable=False))


def _create_sessions() -> None:
    op.create_table(
        "sign_in_attempts",
        sa.Column("username_hash", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", TIMESTAMP, nullable=False),
        sa.Column("last_at", TIMESTAMP, nullable=False),
    )
    op.create_index("ix_sign_in_attempts_last_at", "sign_in_attempts", ["last_at"])
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Uuid(), primary_key=True),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("expires_at", TIMESTAMP, nullable=False),
        sa.Column("revoked_at", TIMESTAMP),
        sa.Column("revoked_because", sa.String()),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_index("ix_sessions_revoked_at", "sessions", ["revoked_at"])
    op.create_index("ix_sessions_subject_id", "sessions", ["subject_id"])
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("session_id", sa.Uuid(), sa.ForeignKey("sessions.session_id", ondelete="CASCADE"), nullable=False),
        sa.Column("issued_at", TIMESTAMP, nullable=False, server_default=sa.text("now()")),
        sa.Column("used_at", TIMESTAMP),
        sa.Column("locked_mobile", sa.Text()),
        sa.Column("locked_successor", sa.Text()),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])
