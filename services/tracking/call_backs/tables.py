"""The tables of the call-back list: a part of tracking's (services/tracking/models.py)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID


def call_back_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """The samples, and the cases that were drawn for them."""
    draws = sa.Table(  # samples of closed cases whose citizens did not rate, to be called
        "call_back_draws",
        metadata,
        sa.Column("week", sa.Date, primary_key=True, comment="its Saturday, in Tehran"),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("share", sa.Integer, nullable=False, comment="percent"),
        sa.Column("eligible", sa.Integer, nullable=False),
        sa.Column("drawn", sa.Integer, nullable=False),
    )

    drawn = sa.Table(  # the cases of these samples, each drawn once
        "call_backs",
        metadata,
        sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("week", sa.Date, sa.ForeignKey("call_back_draws.week"), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.Column("next_on", sa.Date),
        sa.Column("taken_by", UUID(as_uuid=True)),
        sa.Column("taken_at", sa.DateTime(timezone=True)),
        sa.Index("call_backs_of_week", "week", "place"),
        sa.Index("call_backs_open", "week", "place", postgresql_where=sa.text("state IN ('waiting', 'taken')")),
    )
    return draws, drawn
