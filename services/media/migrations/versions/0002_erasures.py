"""Cases whose evidence was erased, when and by which rule."""

from alembic import op

from services.media.models import erasures

revision = "0002_erasures"
down_revision = "0001"


def upgrade() -> None:
    # A database made from today's models has it already.
    erasures.create(op.get_bind(), checkfirst=True)
