"""What the administrator calls the reasons for refusing."""

from alembic import op

from services.notify.models import refusal_reasons

revision = "0005_refusal_reasons"
down_revision = "0004_in_order"


def upgrade() -> None:
    # A database made from today's models has it already.
    refusal_reasons.create(op.get_bind(), checkfirst=True)
