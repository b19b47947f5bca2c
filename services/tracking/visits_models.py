"""The tables of visits. They have a metadata of their own: their constraints need an extension that the first migration
does not bring, so migration 0003_visits makes them, in SQL."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, String, Table
from sqlalchemy.dialects.postgresql import ARRAY, UUID

metadata = MetaData()

rooms = Table(
    "rooms",
    metadata,
    Column("room_id", UUID(as_uuid=True), primary_key=True),
    Column("name_fa", String, nullable=False),
    Column("name_en", String, nullable=False),
    Column("active", Boolean, nullable=False),
)

visit_slots = Table(  # no two of one room, nor of one inspector, at the same time
    "visit_slots",
    metadata,
    Column("slot_id", UUID(as_uuid=True), primary_key=True),
    Column("room_id", UUID(as_uuid=True), nullable=False),
    Column("inspector", UUID(as_uuid=True), nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("closed", Boolean, nullable=False),
)

visits = Table(  # one of a case at most is asked for or booked
    "visits",
    metadata,
    Column("visit_id", UUID(as_uuid=True), primary_key=True),
    Column("case_id", UUID(as_uuid=True), nullable=False),
    Column("state", String, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("slot_id", UUID(as_uuid=True)),
    Column("offered", ARRAY(UUID(as_uuid=True)), nullable=False),
    # When to remind; None: not, or done.
    Column("remind_day_at", DateTime(timezone=True)),
    Column("remind_hours_at", DateTime(timezone=True)),
)
