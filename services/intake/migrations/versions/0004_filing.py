"""What citizens agreed to whom an operator filed for."""

from alembic import op

from services.intake.models import consents

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # A database made from today's models has it already.
    consents.create(op.get_bind(), checkfirst=True)
