"""Visits: rooms, slots that do not overlap, and who has asked for one."""

from alembic import op

revision = "0006_visits"
down_revision = "0005_inquiry"

_TABLES = (
    """
    CREATE TABLE rooms (
        room_id uuid PRIMARY KEY, name_fa text NOT NULL, name_en text NOT NULL, active boolean NOT NULL
    )
    """,
    """
    CREATE TABLE visit_slots (
        slot_id uuid PRIMARY KEY,
        room_id uuid NOT NULL REFERENCES rooms,
        inspector uuid NOT NULL,
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        capacity integer NOT NULL CHECK (capacity > 0),
        closed boolean NOT NULL,
        CHECK (starts_at < ends_at),
        CONSTRAINT one_slot_of_a_room EXCLUDE USING gist
            (room_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (NOT closed),
        CONSTRAINT one_slot_of_an_inspector EXCLUDE USING gist
            (inspector WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (NOT closed)
    )
    """,
    "CREATE INDEX visit_slots_inspector ON visit_slots (inspector, starts_at)",
    "CREATE INDEX visit_slots_starts ON visit_slots (starts_at)",
    """
    CREATE TABLE visits (
        visit_id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES cases,
        state text NOT NULL,
        asked_at timestamptz NOT NULL,
        slot_id uuid REFERENCES visit_slots,
        offered uuid[] NOT NULL,
        remind_day_at timestamptz,
        remind_hours_at timestamptz
    )
    """,
    "CREATE INDEX visits_case ON visits (case_id, asked_at)",
    "CREATE UNIQUE INDEX visits_open ON visits (case_id) WHERE state IN ('asked', 'booked', 'moved')",
    "CREATE INDEX visits_slot ON visits (slot_id) WHERE slot_id IS NOT NULL",
    "CREATE INDEX visits_remind_day ON visits (remind_day_at) WHERE remind_day_at IS NOT NULL",
    "CREATE INDEX visits_remind_hours ON visits (remind_hours_at) WHERE remind_hours_at IS NOT NULL",
)


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")  # trusted: the owner of a database may
    for statement in _TABLES:
        op.execute(statement)
