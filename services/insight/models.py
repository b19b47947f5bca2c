"""Insight's tables: facts about cases, without texts and without anybody's name, mobile or code."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

metadata = sa.MetaData()

facts = sa.Table(  # a case as of its newest event
    "facts",
    metadata,
    sa.Column("case_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("number", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("unit", sa.String),
    sa.Column("ground", sa.String, nullable=False),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("outcome", sa.String),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("anonymous", sa.Boolean, nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("score", sa.SmallInteger),
    sa.Column("handler", UUID(as_uuid=True)),
    sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("day", sa.Date, nullable=False),  # of filing, in Tehran
    sa.Column("expected_on", sa.Date),
    sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),  # when that newest event occurred
    sa.Column("decided_at", sa.DateTime(timezone=True)),  # the last decision
    sa.Column("decided_on", sa.Date),  # in Tehran
    sa.Column("decided_sequence", sa.Integer),
    sa.Column("settled_early", sa.Boolean),  # by that decision, at first reading; none before one
    sa.Column("rated_on", sa.Date),  # the last rating, in Tehran; `score` has it while no later decision outdates it
    sa.Column("rated_sequence", sa.Integer),
    sa.Column("rated_by_phone", sa.Boolean),
    # The dimensions and what is counted, nothing else, so that counting reads the index alone.
    sa.Index("facts_dimensions", "day", "unit", "ground", "kind", "stage"),
    sa.Index(
        "facts_decided",
        *("decided_on", "unit", "ground", "kind", "stage", "outcome", "settled_early"),
        postgresql_where=sa.text("decided_on IS NOT NULL"),
    ),
    sa.Index(
        "facts_rated",
        *("rated_on", "unit", "ground", "kind", "stage", "score", "rated_by_phone"),
        postgresql_where=sa.text("rated_on IS NOT NULL"),
    ),
)

transitions = sa.Table(  # every event of every case
    "transitions",
    metadata,
    sa.Column("event_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("previous_stage", sa.String),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("transitions_of_case", "case_id", "sequence"),
)

visits = sa.Table(  # a visit: when it was asked for, and how it ended as of its newest event; its unit and ground are its case's
    "visits",
    metadata,
    sa.Column("visit_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True), nullable=False),
    sa.Column("asked_on", sa.Date),  # in Tehran; none before that event arrived
    sa.Column("asked_month", sa.String),  # Jalali
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("ended", sa.String),  # held, avoided, cancelled or no_show; none while it is open
    sa.Column("ended_on", sa.Date),
    sa.Column("ended_month", sa.String),
    sa.Index("visits_asked", "asked_on"),
    sa.Index("visits_ended", "ended_on"),
)

notifications = sa.Table(  # what became of messages to people
    "notifications",
    metadata,
    sa.Column("event_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", UUID(as_uuid=True)),
    sa.Column("template", sa.String, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("delivered", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

units = sa.Table(  # the tree; a unit that left the catalogue keeps the parent it had last
    "units",
    metadata,
    sa.Column("code", sa.String, primary_key=True),
    sa.Column("parent", sa.String),
    sa.Column("version", sa.Integer, nullable=False),
)

grounds = sa.Table(  # every ground that was ever in the catalogue: a published table has a row for each, used or not
    "grounds",
    metadata,
    sa.Column("code", sa.String, primary_key=True),
)

releases = sa.Table(  # what was published when: figures up to and including a day
    "releases",
    metadata,
    sa.Column("until", sa.Date, primary_key=True),  # a Friday in Tehran
    sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
)

public_figures = sa.Table(  # the published cells, blurred; written once and never changed
    "public_figures",
    metadata,
    sa.Column("measure", sa.String, primary_key=True),  # cases, or a figure of visits
    sa.Column("dimension", sa.String, primary_key=True),  # all, unit, ground, kind, stage
    sa.Column("key", sa.String, primary_key=True),  # a unit, a ground, …; empty for all, and for cases without a unit
    sa.Column("since", sa.Date, primary_key=True),
    sa.Column("until", sa.Date, nullable=False),
    sa.Column("month", sa.String, nullable=False),  # Jalali
    sa.Column("value", sa.Integer, nullable=False),
)

figures_key = sa.Table(  # what the blur is made with: one row, made by the migration
    "figures_key",
    metadata,
    sa.Column("key", sa.LargeBinary, nullable=False),
)
