"""Changes of accounts that take two administrators."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0008_staff_changes"
down_revision = "0007_ended_sessions"


def upgrade() -> None:
    op.execute("ALTER TABLE staff_history ADD COLUMN IF NOT EXISTS confirmed_by uuid")
    op.create_table(
        "staff_changes",
        sa.Column("change_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False, unique=True),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("staff_id", UUID(as_uuid=True), nullable=False),
        sa.Column("username", sa.String, nullable=False),
        sa.Column("expected_version", sa.Integer, nullable=False),
        sa.Column("before", JSONB),
        sa.Column("after", JSONB, nullable=False),
        sa.Column("new_credentials", sa.Boolean, nullable=False),
        sa.Column("password_hash", sa.String),
        sa.Column("asked_by", UUID(as_uuid=True), nullable=False),
        sa.Column("asked_under", sa.String, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", UUID(as_uuid=True)),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("asked_by", "asked_under", name="staff_changes_key"),
        if_not_exists=True,
    )
    op.create_index(
        "staff_changes_pending",
        "staff_changes",
        ["expires_at"],
        postgresql_where=sa.text("state = 'pending'"),
        if_not_exists=True,
    )
