"""Exports in the making, and what is made of them, in pieces: rows first, then the file. A metadata of their own: a
later migration makes them, not the first one."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, Index, Integer, MetaData, String, Table, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

metadata = MetaData()

OPEN = text("state IN ('waiting', 'running')")

exports = Table(
    "exports",
    metadata,
    Column("export_id", UUID(as_uuid=True), primary_key=True),
    # What was asked for, by whom.
    Column("owner", UUID(as_uuid=True), nullable=False),
    Column("roles", JSONB, nullable=False),  # as the token said; what accounts told last narrows them
    Column("unit", String),
    Column("filters", JSONB, nullable=False),
    Column("search", UUID(as_uuid=True)),
    Column("kept", JSONB(none_as_null=True)),  # the filters of that search on the day
    Column("format", String, nullable=False),
    Column("language", String, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    # How far it is.
    Column("state", String, nullable=False),
    Column("rights", JSONB(none_as_null=True)),  # what the owner might see when the rows were read
    Column("rows_total", Integer),
    Column("rows_done", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("place", String),  # the cursor behind the last row
    Column("read", Boolean, nullable=False),  # all rows are there; the file is to be made
    Column("size", BigInteger),
    Column("pieces", Integer),
    Column("error", String),
    Column("finished_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    # Who is at it: whoever finds the lease over takes it up.
    Column("worker", UUID(as_uuid=True)),
    Column("leased_until", DateTime(timezone=True)),
    Column("tries", Integer, nullable=False),
    Index("exports_owner", "owner", "asked_at"),
    Index("exports_open", "asked_at", postgresql_where=OPEN),
    Index("exports_expire", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

export_pieces = Table(
    "export_pieces",
    metadata,
    Column("export_id", UUID(as_uuid=True), ForeignKey("exports.export_id", ondelete="CASCADE"), primary_key=True),
    Column("part", String, primary_key=True),  # rows, file
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("content", BYTEA, nullable=False),
)
