"""Insight's tables: facts about cases, without texts and without anybody's name, mobile or code."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)
from sqlalchemy.dialects.postgresql import UUID

metadata = MetaData()

facts = Table(  # a case as of its newest event
    "facts",
    metadata,
    Column("case_id", UUID(as_uuid=True), primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("number", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("unit", String),
    Column("ground", String, nullable=False),
    Column("stage", String, nullable=False),
    Column("outcome", String),
    Column("channel", String, nullable=False),
    Column("anonymous", Boolean, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("score", SmallInteger),
    Column("handler", UUID(as_uuid=True)),
    Column("filed_at", DateTime(timezone=True), nullable=False),
    Column("day", Date, nullable=False),  # of filing, in Tehran
    Column("expected_on", Date),
    Column("told_at", DateTime(timezone=True), nullable=False),  # when that newest event occurred
    Column("decided_at", DateTime(timezone=True)),  # the last decision
    Column("decided_sequence", Integer),
    # The dimensions and nothing else, so that counting reads the index alone.
    Index("facts_dimensions", "day", "unit", "ground", "kind", "stage"),
)

transitions = Table(  # every event of every case
    "transitions",
    metadata,
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("case_id", UUID(as_uuid=True), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("event", String, nullable=False),
    Column("stage", String, nullable=False),
    Column("previous_stage", String),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("transitions_of_case", "case_id", "sequence"),
)

visits = Table(  # a visit: when it was asked for, and how it ended as of its newest event; its unit and ground are its case's
    "visits",
    metadata,
    Column("visit_id", UUID(as_uuid=True), primary_key=True),
    Column("case_id", UUID(as_uuid=True), nullable=False),
    Column("asked_on", Date),  # in Tehran; none before that event arrived
    Column("asked_month", String),  # Jalali
    Column("sequence", Integer, nullable=False),
    Column("ended", String),  # held, avoided, cancelled or no_show; none while it is open
    Column("ended_on", Date),
    Column("ended_month", String),
    Index("visits_asked", "asked_on"),
    Index("visits_ended", "ended_on"),
)

notifications = Table(  # what became of messages to people
    "notifications",
    metadata,
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("case_id", UUID(as_uuid=True)),
    Column("template", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("delivered", Boolean, nullable=False),
    Column("reason", String),
    Column("at", DateTime(timezone=True), nullable=False),
)

units = Table(  # the tree; a unit that left the catalogue keeps the parent it had last
    "units",
    metadata,
    Column("code", String, primary_key=True),
    Column("parent", String),
    Column("version", Integer, nullable=False),
)

grounds = Table(  # every ground that was ever in the catalogue: a published table has a row for each, used or not
    "grounds",
    metadata,
    Column("code", String, primary_key=True),
)

releases = Table(  # what was published when: figures up to and including a day
    "releases",
    metadata,
    Column("until", Date, primary_key=True),  # a Friday in Tehran
    Column("released_at", DateTime(timezone=True), nullable=False),
)

public_figures = Table(  # the published cells, blurred; written once and never changed
    "public_figures",
    metadata,
    Column("measure", String, primary_key=True),  # cases, or a figure of visits
    Column("dimension", String, primary_key=True),  # all, unit, ground, kind, stage
    Column("key", String, primary_key=True),  # a unit, a ground, …; empty for all, and for cases without a unit
    Column("since", Date, primary_key=True),
    Column("until", Date, nullable=False),
    Column("month", String, nullable=False),  # Jalali
    Column("value", Integer, nullable=False),
)

figures_key = Table(  # what the blur is made with: one row, made by the migration
    "figures_key",
    metadata,
    Column("key", LargeBinary, nullable=False),
)
