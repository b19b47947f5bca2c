"""One command for many cases, and macros: named sequences of commands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0023_bulk_and_macros"
down_revision = "0022_citizen_looks"


def upgrade() -> None:
    op.create_table(
        "macros",
        sa.Column("macro_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("owner", UUID(as_uuid=True), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("steps", JSONB, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("audience", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("macros_owner", "macros", ["owner", "made_at", "macro_id"])
    op.create_index(
        "macros_shared", "macros", ["audience", "made_at"], postgresql_where=sa.text("audience <> 'nobody'")
    )
    op.create_table(
        "bulks",
        sa.Column("bulk_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("owner", UUID(as_uuid=True), nullable=False),
        sa.Column("roles", JSONB, nullable=False),
        sa.Column("unit", sa.String),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("command", sa.String),
        sa.Column("macro_id", UUID(as_uuid=True)),
        sa.Column("macro_name", sa.String),
        sa.Column("macro_language", sa.String),
        sa.Column("steps", JSONB),
        sa.Column("preview", sa.Boolean, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("worked_at", sa.DateTime(timezone=True)),
        sa.Column("told_at", sa.DateTime(timezone=True)),
    )
    op.create_index("bulks_owner", "bulks", ["owner", "asked_at", "bulk_id"])
    op.create_index("bulks_open", "bulks", ["asked_at"], postgresql_where=sa.text("state IN ('waiting', 'running')"))
    op.create_index("bulks_expire", "bulks", ["expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL"))
    op.create_table(
        "bulk_cases",
        sa.Column("bulk_id", UUID(as_uuid=True), sa.ForeignKey("bulks.bulk_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("case_id", UUID(as_uuid=True), nullable=False),
        sa.Column("expected_version", sa.Integer),
        sa.Column("result", sa.String),
        sa.Column("version", sa.Integer),
        sa.Column("refusal", JSONB),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("worker", UUID(as_uuid=True)),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    )
    op.create_index("bulk_cases_undone", "bulk_cases", ["bulk_id", "place"], postgresql_where=sa.text("result IS NULL"))
