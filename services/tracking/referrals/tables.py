"""The tables of the register of referrals: a part of tracking's (services/tracking/models.py)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID


def referral_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """What was sent, and what was answered."""
    referrals = sa.Table(  # to competent bodies outside: what was sent, but not the package itself
        "referrals",
        metadata,
        sa.Column("referral_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("body_name_fa", sa.String, nullable=False),
        sa.Column("body_name_en", sa.String, nullable=False),
        sa.Column("key_fingerprint", sa.String(64), nullable=False),
        sa.Column("identity", sa.Boolean, nullable=False),
        sa.Column("consented_by", UUID(as_uuid=True)),
        sa.Column("reason", sa.Text),
        sa.Column("contents", JSONB, nullable=False),
        sa.Column("packages", JSONB, nullable=False),
        sa.Column("made_by", UUID(as_uuid=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Index("referrals_newest", "made_at", "referral_id"),
        sa.Index("referrals_case", "case_id", "made_at"),
    )

    referral_answers = sa.Table(
        "referral_answers",
        metadata,
        sa.Column("answer_id", UUID(as_uuid=True), primary_key=True),
        sa.Column(
            "referral_id", UUID(as_uuid=True), sa.ForeignKey("referrals.referral_id"), nullable=False, index=True
        ),
        sa.Column("answered_on", sa.Date, nullable=False),
        sa.Column("number", sa.String),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("recorded_by", UUID(as_uuid=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    )
    return referrals, referral_answers
