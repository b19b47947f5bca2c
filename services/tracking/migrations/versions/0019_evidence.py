"""What a case cannot have of its attachments, and whether its citizen was told which are refused."""

from alembic import op

revision = "0019_evidence"
down_revision = "0018_letters"


def upgrade() -> None:
    # A database made from a later release's models has these already.
    op.execute("ALTER TABLE attachments ADD COLUMN IF NOT EXISTS refusal_told boolean NOT NULL DEFAULT false")
    op.execute(
        "CREATE TABLE IF NOT EXISTS withheld ("
        " case_id uuid NOT NULL,"
        " media_id varchar NOT NULL,"
        " reason varchar NOT NULL,"
        " PRIMARY KEY (case_id, media_id))"
    )
