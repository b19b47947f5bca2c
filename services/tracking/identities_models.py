"""Requests to open a sealed identity. A metadata of their own: a later migration makes them, not the first one."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, String, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

metadata = MetaData()

identity_requests = Table(
    "identity_requests",
    metadata,
    Column("request_id", UUID(as_uuid=True), primary_key=True),
    Column("case_id", UUID(as_uuid=True), nullable=False),
    Column("asked_by", UUID(as_uuid=True), nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("reason", Text, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("decided_by", UUID(as_uuid=True)),
    Column("decided_at", DateTime(timezone=True)),
    Column("answer", Text),
    Column("open_until", DateTime(timezone=True)),
    Index("identity_requests_newest", "asked_at", "request_id"),
    Index("identity_requests_waiting", "asked_at", "request_id", postgresql_where=text("state = 'waiting'")),
    Index("identity_requests_case", "case_id", "asked_by"),
)
