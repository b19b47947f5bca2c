"""What citizens agreed to whom an operator filed for; who belongs to a group, sealed."""

from alembic import op

from services.intake.models import consents, group_members

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for table in (consents, group_members):
        # A database made from today's models has them already.
        table.create(op.get_bind(), checkfirst=True)
