"""Open cases by the day owed, apart from all that owe nothing any more."""

from alembic import op

from services.tracking.models import EXPECTED, OPEN

revision = "0016_expected_open"
down_revision = "0015_identity_requests"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS cases_expected_open ON cases ({EXPECTED}, case_id) WHERE {OPEN.text}"
        )
