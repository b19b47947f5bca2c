"""The table of requests to open an identity: a part of tracking's (services/tracking/models.py)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID


def identity_tables(metadata: sa.MetaData) -> sa.Table:
    """Who asked to open which identity, and who consented."""
    return sa.Table(  # to open a sealed identity
        "identity_requests",
        metadata,
        sa.Column("request_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("case_id", UUID(as_uuid=True), nullable=False),
        sa.Column("asked_by", UUID(as_uuid=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("decided_by", UUID(as_uuid=True)),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("answer", sa.Text),
        sa.Column("open_until", sa.DateTime(timezone=True)),
        sa.Column("for_head", sa.Boolean, nullable=False, server_default=sa.false()),  # an inspector's: a head opens it
        sa.Index("identity_requests_newest", "asked_at", "request_id"),
        sa.Index("identity_requests_waiting", "asked_at", "request_id", postgresql_where=sa.text("state = 'waiting'")),
        sa.Index("identity_requests_case", "case_id", "asked_by"),
    )
