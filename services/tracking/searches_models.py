"""The searches that staff keep. A metadata of their own: a later migration makes them, not the first one."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, String, Table, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData()

searches = Table(
    "searches",
    metadata,
    Column("search_id", UUID(as_uuid=True), primary_key=True),
    Column("owner", UUID(as_uuid=True), nullable=False),
    Column("name", String, nullable=False),
    Column("filters", JSONB, nullable=False),
    Column("sort", String, nullable=False),
    Column("shared_with", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Index("searches_owner", "owner", "made_at", "search_id"),
    Index("searches_shared", "shared_with", "made_at", postgresql_where=text("shared_with <> 'nobody'")),
)
