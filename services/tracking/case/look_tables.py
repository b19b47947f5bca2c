"""The tables of looks: a part of tracking's (services/tracking/models.py)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID


def looks_table(metadata: sa.MetaData) -> sa.Table:
    """Which version of a case each of its readers has seen last (services/tracking/case/looks.py)."""
    return sa.Table(
        "looks",
        metadata,
        sa.Column("staff_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Index("looks_at", "at"),
    )


def citizen_looks_table(metadata: sa.MetaData) -> sa.Table:
    """Up to which version of its view the citizen of a case has seen it, signed in."""
    return sa.Table(
        "citizen_looks",
        metadata,
        sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("seen", sa.Integer, nullable=False),
    )
