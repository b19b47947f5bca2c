"""Several cases may refer to one upload; what each address has on the way is counted."""

from alembic import op

revision = "0004_claims"
down_revision = "0003_notes"


def upgrade() -> None:
    # A database made from a later release's models has these already.
    op.execute("ALTER TABLE uploads ADD COLUMN IF NOT EXISTS address_key VARCHAR(64)")
    op.execute(
        "CREATE TABLE IF NOT EXISTS claims ("
        " upload_id VARCHAR NOT NULL REFERENCES uploads (upload_id) ON DELETE CASCADE,"
        " case_id UUID NOT NULL,"
        " from_office BOOLEAN NOT NULL,"
        " owner VARCHAR(64),"
        " named BOOLEAN NOT NULL,"
        " claimed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,"
        " PRIMARY KEY (upload_id, case_id))"
    )
    op.execute("CREATE INDEX IF NOT EXISTS ix_claims_case_id ON claims (case_id)")
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS uploads_reserved ON uploads (address_key)"
            " INCLUDE (size, received, state, expires_at)"
            " WHERE state IN ('open', 'processing') OR state = 'accepted' AND case_id IS NULL"
        )
