"""The register of what was referred to competent bodies outside, and of what they answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0016_referrals"
down_revision = "0015_call_backs"


def upgrade() -> None:
    op.create_table(
        "referrals",
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
    )
    op.create_index("referrals_newest", "referrals", ["made_at", "referral_id"])
    op.create_index("referrals_case", "referrals", ["case_id", "made_at"])
    op.create_table(
        "referral_answers",
        sa.Column("answer_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("referral_id", UUID(as_uuid=True), sa.ForeignKey("referrals.referral_id"), nullable=False),
        sa.Column("answered_on", sa.Date, nullable=False),
        sa.Column("number", sa.String),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("recorded_by", UUID(as_uuid=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_referral_answers_referral_id", "referral_answers", ["referral_id"])
