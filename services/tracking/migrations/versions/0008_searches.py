"""Search by the day a decision is owed and by the day it was taken; searches that are kept; exports."""

from alembic import op

from services.tracking.exports_models import metadata as exports
from services.tracking.models import EXPECTED
from services.tracking.searches_models import metadata as searches

revision = "0008_searches"
down_revision = "0007_retention"

_INDEXES = (
    f"cases_expected ON cases ({EXPECTED}, case_id)",
    "cases_decided ON cases (decided_at, case_id) WHERE decided_at IS NOT NULL",
)


def upgrade() -> None:
    searches.create_all(op.get_bind())
    exports.create_all(op.get_bind())
    with op.get_context().autocommit_block():
        for index in _INDEXES:
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index}")
