"""Citizens of whom nothing is kept any more, since when and by which rule."""

from alembic import op

from services.notify.models import erasures

revision = "0003_erasures"
down_revision = "0002"


def upgrade() -> None:
    # A database made from today's models has it already.
    erasures.create(op.get_bind(), checkfirst=True)
