"""Who asked for a one-time code, and how often it was tried by whom."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0006_otp_sessions"
down_revision = "0003_audit"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "otp_sessions",
        sa.Column("session_hash", sa.String(64), primary_key=True),
        sa.Column("mobile_hash", sa.String(64), nullable=False),
        sa.Column("asker_hash", sa.String(64)),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("used", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("asked", ARRAY(_MOMENT), nullable=False),
        sa.Column("sent", ARRAY(_MOMENT), nullable=False, server_default="{}"),
        sa.Column("asked_at", _MOMENT, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_otp_sessions_mobile_hash", "otp_sessions", ["mobile_hash"], if_not_exists=True)
    op.create_index("ix_otp_sessions_asked_at", "otp_sessions", ["asked_at"], if_not_exists=True)
    op.create_table(
        "otp_tries",
        sa.Column("mobile_hash", sa.String(64), primary_key=True),
        sa.Column("asker_hash", sa.String(64), primary_key=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_otp_tries_since", "otp_tries", ["since"], if_not_exists=True)
