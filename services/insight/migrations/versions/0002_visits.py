"""Visits, and what became of them."""

from alembic import op

from services.insight.models import visits

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # A database made from today's models has it already.
    visits.create(op.get_bind(), checkfirst=True)
