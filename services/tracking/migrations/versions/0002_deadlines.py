"""The clock of each case: since when a decision is owed, when it stood, what the scheduler has said."""

from alembic import op

revision = "0002_deadlines"
down_revision = "0001"

_COLUMNS = {
    "cases": (
        "due_from date",
        "due_days integer",
        "pauses jsonb NOT NULL DEFAULT '[]'",
        "asking jsonb",
        "first_due_on date",
        "refused_on date",
        "told jsonb NOT NULL DEFAULT '[]'",
        "look_on date",
        "calendar integer NOT NULL DEFAULT 0",
    ),
    "catalogue": ("rules jsonb NOT NULL DEFAULT '{}'", "calendar integer NOT NULL DEFAULT 1"),
}
_INDEXES = (
    "cases_look ON cases (look_on) WHERE look_on IS NOT NULL",
    "cases_calendar ON cases (calendar) WHERE stage NOT IN ('closed', 'merged', 'withdrawn')",
)


def upgrade() -> None:
    # The first migration makes a new database of the newest tables: there all of this is there already.
    for table, columns in _COLUMNS.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column}")
    with op.get_context().autocommit_block():
        for index in _INDEXES:
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index}")
