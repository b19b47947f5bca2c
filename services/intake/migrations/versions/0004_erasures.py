"""What was erased of submissions, when and by which rule."""

from alembic import op

from services.intake.models import erasures

revision = "0004_erasures"
down_revision = "0003"


def upgrade() -> None:
    # A database made from today's models has it already.
    erasures.create(op.get_bind(), checkfirst=True)
