"""Initial schema of insight: facts about cases and the figures published from them. Frozen: a change is a new revision."""

import sqlalchemy as sa
from alembic import op

from backbone.storage import common_tables_v1
from backbone.storage.common_tables_v1 import TIMESTAMP

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    _create_facts()
    _create_reference()
    _create_public_figures()
    common_tables_v1.create_outbox_and_inbox()


def _create_facts() -> None:
    op.create_table(
        "facts",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("unit", sa.String()),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("outcome", sa.String()),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("score", sa.SmallInteger()),
        sa.Column("handler", sa.Uuid()),
        sa.Column("filed_at", TIMESTAMP, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("expected_on", sa.Date()),
        sa.Column("reported_at", TIMESTAMP, nullable=False),
        sa.Column("decided_at", TIMESTAMP),
        sa.Column("decided_sequence", sa.Integer()),
    )
    op.create_index("facts_dimensions", "facts", ["day", "unit", "ground", "kind", "stage"])
    op.create_table(
        "transitions",
        sa.Column("event_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("previous_stage", sa.String()),
        sa.Column("at", TIMESTAMP, nullable=False),
    )
    op.create_index("transitions_of_case", "transitions", ["case_id", "sequence"])
    op.create_table(
        "visits",
        sa.Column("visit_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("asked_on", sa.Date()),
        sa.Column("asked_month", sa.String()),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("ended", sa.String()),
        sa.Column("ended_on", sa.Date()),
        sa.Column("ended_month", sa.String()),
    )
    op.create_index("visits_asked", "visits", ["asked_on"])
    op.create_index("visits_ended", "visits", ["ended_on"])
    op.create_table(
        "notifications",
        sa.Column("event_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid()),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("at", TIMESTAMP, nullable=False),
    )


def _create_reference() -> None:
    op.create_table(
        "units",
        sa.Column("code", sa.String(), primary_key=True),
        sa.Column("parent", sa.String()),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_table(
        "grounds",
        sa.Column("code", sa.String(), primary_key=True),
    )


def _create_public_figures() -> None:
    op.create_table(
        "releases",
        sa.Column("until", sa.Date(), primary_key=True),
        sa.Column("released_at", TIMESTAMP, nullable=False),
    )
    op.create_table(
        "public_figures",
        sa.Column("measure", sa.String(), primary_key=True),
        sa.Column("dimension", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("since", sa.Date(), primary_key=True),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
    )
    op.create_table(
        "figures_key",
        sa.Column("key", sa.LargeBinary(), nullable=False),
    )
    # What the published figures are blurred with: made here, once.
    op.execute(
        """
        INSERT INTO figures_key
        SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
        """
    )
