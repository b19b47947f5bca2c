"""Indexes by which the auditor reads: what a person did, what was done to a case."""

from alembic import op

revision = "0004_audit_reading"
down_revision = "0003_leaves"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_of_person ON audit (actor_id, position)")
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_of_subject ON audit ((subjects[1]), position)")
