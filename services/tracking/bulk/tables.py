"""The tables of bulk commands: a part of tracking's (services/tracking/models.py)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

UNFINISHED = sa.text("state IN ('waiting', 'running')")
"""Bulks that are not over; written out, so that the index of just these is found."""
UNDONE = sa.text("result IS NULL")
"""Cases whose turn has not come."""


def bulk_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """The bulks, and a row for each of their cases."""
    bulks = sa.Table(
        "bulks",
        metadata,
        sa.Column("bulk_id", UUID(as_uuid=True), primary_key=True),
        # What was asked for, by whom.
        sa.Column("owner", UUID(as_uuid=True), nullable=False),
        sa.Column("roles", JSONB, nullable=False),  # of the token; what accounts published last narrows them
        sa.Column("unit", sa.String),
        sa.Column("language", sa.String, nullable=False),  # of the owner
        sa.Column("command", sa.String),  # its type; NULL: a macro
        sa.Column("macro_id", UUID(as_uuid=True)),
        sa.Column("macro_name", sa.String),
        sa.Column("macro_language", sa.String),
        sa.Column("steps", JSONB(none_as_null=True)),  # with their texts; NULL once it is over
        sa.Column("preview", sa.Boolean, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        # How far it is.
        sa.Column("state", sa.String, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("worked_at", sa.DateTime(timezone=True)),  # who waited longest has the next turn
        sa.Column("told_at", sa.DateTime(timezone=True)),  # when its owner's stream was told last
        sa.Index("bulks_owner", "owner", "asked_at", "bulk_id"),
        sa.Index("bulks_open", "asked_at", postgresql_where=UNFINISHED),
        sa.Index("bulks_expire", "expires_at", postgresql_where=sa.text("expires_at IS NOT NULL")),
    )
    bulk_cases = sa.Table(
        "bulk_cases",
        metadata,
        sa.Column("bulk_id", UUID(as_uuid=True), sa.ForeignKey("bulks.bulk_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("case_id", UUID(as_uuid=True), nullable=False),
        sa.Column("expected_version", sa.Integer),
        sa.Column("result", sa.String),  # NULL: its turn has not come
        sa.Column("version", sa.Integer),  # of the case after the command
        sa.Column("refusal", JSONB(none_as_null=True)),  # code, params
        sa.Column("at", sa.DateTime(timezone=True)),
        # Who is at it: whoever finds the lease over takes it up.
        sa.Column("worker", UUID(as_uuid=True)),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Index("bulk_cases_undone", "bulk_id", "place", postgresql_where=UNDONE),
    )
    return bulks, bulk_cases
