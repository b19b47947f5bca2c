"""Mobiles whose owner said that what was filed with them is not theirs: no code is sent there any more."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0005_disowned_mobiles"
down_revision = "0004_audit_reading"


def upgrade() -> None:
    op.create_table(
        "disowned_mobiles",
        sa.Column("submission_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("mobile_hash", sa.String(64), primary_key=True),
    )
    # A correction of the mobile deletes the claim, so the mobile of one that is there is the one that was disowned.
    op.execute(
        "INSERT INTO disowned_mobiles (submission_id, mobile_hash) SELECT identities.submission_id, identities.mobile_hash"
        " FROM desk_claims JOIN identities USING (submission_id)"
        " WHERE NOT desk_claims.mine AND identities.mobile_hash IS NOT NULL"
    )
