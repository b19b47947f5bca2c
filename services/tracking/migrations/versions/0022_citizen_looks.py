"""Up to which version of its view the citizen of a case has seen it, signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0022_citizen_looks"
down_revision = "0021_withdrawn_evidence"


def upgrade() -> None:
    op.create_table(
        "citizen_looks",
        sa.Column("case_id", UUID(as_uuid=True), sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("seen", sa.Integer, nullable=False),
    )
