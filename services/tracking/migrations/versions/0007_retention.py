"""When cases ended, what of them is kept no longer, and a timeline of which texts may go and nothing else."""

from alembic import op

revision = "0007_retention"
down_revision = "0006_visits"

_COLUMNS = ("ended_at", "identity_erased_at", "evidence_erased_at", "texts_erased_at")
_INDEXES = (
    "cases_end ON cases (case_id) WHERE ended_at IS NULL AND stage IN ('closed', 'merged', 'withdrawn')",
    *(
        f"cases_{part}_kept ON cases (kind, ended_at) WHERE {part}_erased_at IS NULL"
        for part in ("identity", "evidence", "texts")
    ),
)


def upgrade() -> None:
    # The first migration makes a new database of the newest tables: there the columns are there already.
    for column in _COLUMNS:
        op.execute(f"ALTER TABLE cases ADD COLUMN IF NOT EXISTS {column} timestamptz")
    op.execute(
        """
        CREATE OR REPLACE FUNCTION timeline_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND current_setting('peygir.erasing', true) = 'on' THEN
                RETURN NULL;
            END IF;
            RAISE EXCEPTION 'the timeline only grows' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    # What is erased leaves fields out and puts none in.
    op.execute(
        """
        CREATE OR REPLACE FUNCTION timeline_only_loses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF to_jsonb(NEW) - 'details' - 'actor_id' = to_jsonb(OLD) - 'details' - 'actor_id'
                AND NEW.details <@ OLD.details
                AND (NEW.actor_id IS NULL OR NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a line of the timeline is never written anew' USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    op.execute(
        """
        CREATE OR REPLACE TRIGGER timeline_is_never_written_anew BEFORE UPDATE ON timeline
        FOR EACH ROW EXECUTE FUNCTION timeline_only_loses()
        """
    )
    with op.get_context().autocommit_block():
        for index in _INDEXES:
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index}")
