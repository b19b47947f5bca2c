"""What inspectors are skilled in."""

from alembic import op

from services.tracking.models import metadata

revision = "0004_skills"
down_revision = "0003_decisions"


def upgrade() -> None:
    metadata.create_all(op.get_bind(), tables=[metadata.tables["skills"]])
