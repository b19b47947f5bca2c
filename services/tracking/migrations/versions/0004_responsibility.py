"""Who takes over from whom: a successor with each change of staff, and questions that wait for a unit without a liaison."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0004_responsibility"
down_revision = "0003_answered_questions"


def upgrade() -> None:
    op.add_column("staff", sa.Column("successor", UUID(as_uuid=True)))
    # Whoever is there already is looked at once: they may have left before this release.
    op.add_column(
        "staff",
        sa.Column("unsettled_until", sa.DateTime(timezone=True), server_default=sa.text("now()")),
    )
    op.add_column(
        "questions", sa.Column("liaison_missing", sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
    with op.get_context().autocommit_block():
        op.create_index(
            "questions_waiting",
            "questions",
            ["unit"],
            postgresql_where=sa.text("unit IS NOT NULL AND answered_at IS NULL AND lapsed_at IS NULL"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )
