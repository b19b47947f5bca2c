"""What inspectors are skilled in."""

from alembic import op

from services.tracking.models import metadata

revision = "0004_skills"
down_revision = "0003_decisions"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS cases_in_hand ON cases (handler) WHERE handler IS NOT NULL "
            "AND stage NOT IN ('closed', 'merged', 'withdrawn', 'decided', 'refused')"
        )
    metadata.create_all(op.get_bind(), tables=[metadata.tables["skills"]])
