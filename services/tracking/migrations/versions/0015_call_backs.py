"""The call-back list: weekly samples of closed cases whose citizens did not rate."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_call_backs"
down_revision = "0014_transfers"


def upgrade() -> None:
    """Adds two tables; old processes know nothing of them."""
    op.create_table(
        "call_back_draws",
        sa.Column("week", sa.Date(), primary_key=True, comment="its Saturday, in Tehran"),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False, comment="percent"),
        sa.Column("eligible", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "call_backs",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("week", sa.Date(), sa.ForeignKey("call_back_draws.week"), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("next_on", sa.Date()),
        sa.Column("taken_by", sa.Uuid()),
        sa.Column("taken_at", sa.DateTime(timezone=True)),
        if_not_exists=True,
    )
    op.create_index("call_backs_of_week", "call_backs", ["week", "place"], if_not_exists=True)
    op.create_index(
        "call_backs_open",
        "call_backs",
        ["week", "place"],
        postgresql_where=sa.text("state IN ('waiting', 'taken')"),
        if_not_exists=True,
    )
