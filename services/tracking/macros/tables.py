"""The table of macros: a part of tracking's (services/tracking/models.py)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID


def macro_table(metadata: sa.MetaData) -> sa.Table:
    """Macros, of persons and for roles."""
    return sa.Table(
        "macros",
        metadata,
        sa.Column("macro_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("owner", UUID(as_uuid=True), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("steps", JSONB, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("audience", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Index("macros_owner", "owner", "made_at", "macro_id"),
        sa.Index("macros_shared", "audience", "made_at", postgresql_where=sa.text("audience <> 'nobody'")),
    )
