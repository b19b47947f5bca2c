"""When a case last changed, when 80 % of the time for its decision is over, and indexes for the orders of the staff's lists.

Cases of before have neither; tracking notes both in the background (services/tracking/search/renewal.py, case/scheduler.py). A
process of the release before writes no `changed_at`: the trigger does."""

import sqlalchemy as sa
from alembic import op

revision = "0019_queue"
down_revision = "0018_identity_for_head"

_OPEN = "stage IN ('registered', 'screening', 'investigating', 'awaiting_citizen', 'awaiting_unit', 'review')"
_UNMARKED = (
    "mark_on IS NULL AND due_from IS NOT NULL AND due_days IS NOT NULL AND due_on IS NOT NULL AND paused_on IS NULL"
    f" AND {_OPEN}"
)
_NUMBER = "(substr(number, 1, 5) || lpad(substr(number, 6), 9, '0'))"
_CHANGED = "(coalesce(changed_at, opened_at))"
_INDEXES = {
    "cases_number_order": f"({_NUMBER}, case_id)",
    "cases_changed": f"({_CHANGED}, case_id)",
    "cases_unchanged": "(case_id) WHERE changed_at IS NULL",
    "cases_nobody": "(filed_at, case_id) WHERE handler IS NULL",
    "cases_channel_unit": "(channel, filed_at, case_id) INCLUDE (unit)",
    "cases_mark": "(mark_on, case_id) WHERE mark_on IS NOT NULL",
    "cases_unmarked": f"(case_id) WHERE {_UNMARKED}",
}


def upgrade() -> None:
    op.add_column("cases", sa.Column("changed_at", sa.DateTime(timezone=True)), if_not_exists=True)
    op.alter_column("cases", "changed_at", server_default=sa.text("now()"))
    op.add_column("cases", sa.Column("mark_on", sa.Date()), if_not_exists=True)
    op.execute(
        """
        CREATE OR REPLACE FUNCTION note_change_of_case() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.changed_at := now();
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        """
        CREATE OR REPLACE TRIGGER cases_note_change BEFORE UPDATE OF version ON cases FOR EACH ROW
        WHEN (NEW.version <> OLD.version AND NEW.changed_at IS NOT DISTINCT FROM OLD.changed_at)
        EXECUTE FUNCTION note_change_of_case()
        """
    )
    with op.get_context().autocommit_block():
        for name, definition in _INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON cases {definition}")
