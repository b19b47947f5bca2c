"""The tables of kept searches: a part of tracking's (services/tracking/models.py)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID


def search_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """The searches that staff keep, and those that each has pinned."""
    searches = sa.Table(
        "searches",
        metadata,
        sa.Column("search_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("owner", UUID(as_uuid=True), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("filters", JSONB, nullable=False),
        sa.Column("sort", sa.String, nullable=False),
        sa.Column("columns", JSONB, nullable=False, server_default="[]"),
        sa.Column("shared_with", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Index("searches_owner", "owner", "made_at", "search_id"),
        sa.Index("searches_shared", "shared_with", "made_at", postgresql_where=sa.text("shared_with <> 'nobody'")),
    )
    pins = sa.Table(
        "search_pins",
        metadata,
        sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
        sa.Column(
            "search_id",
            UUID(as_uuid=True),
            sa.ForeignKey("searches.search_id", ondelete="CASCADE"),
            primary_key=True,
            index=True,
        ),
        sa.Column("position", sa.SmallInteger, nullable=False),
    )
    return searches, pins
