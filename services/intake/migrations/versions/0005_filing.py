"""What citizens agreed to whom an operator filed for; who belongs to a group, sealed."""

from alembic import op

from services.intake.models import consents, group_members

revision = "0005_filing"
down_revision = "0004_erasures"


def upgrade() -> None:
    for table in (consents, group_members):
        # A database made from today's models has them already.
        table.create(op.get_bind(), checkfirst=True)
