"""The inbox: an effect and its record are one transaction, so an event that comes again has no effect."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Column, Connection, DateTime, MetaData, String, Table, delete, func
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from backbone.storage import bulk, writes
from backbone.storage.writes import Write
from contracts.base import Event, now

_metadata = MetaData()
TABLE = Table(
    "inbox",
    _metadata,
    Column("consumer", String, primary_key=True),
    Column("event_id", PG_UUID(as_uuid=True), primary_key=True),
    Column("handled_at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True),
)

KEPT = timedelta(days=30)
"""Longer than a message waits in its queue or in the delays (two days). A dead letter waits for its operator: replayed later
than this, it has its effect again where nothing but the inbox stands in the way (docs/runbook.md, Dead letters, has where)."""

AnyEvent = TypeVar("AnyEvent", bound=Event)


def first_time(connection: Connection, consumer: str, event_id: UUID) -> bool:
    """True once for each consumer and event; False when its effect is already there."""
    row = {"consumer": consumer, "event_id": event_id}
    return bulk.insert(connection, TABLE, [row], "ON CONFLICT DO NOTHING RETURNING event_id").first() is not None


def write(consumer: str, event_id: UUID) -> Write:
    """The record as the write that decides on the event's effect, in one statement with it."""
    [recording] = writes.insert(TABLE, [{"consumer": consumer, "event_id": event_id}], "ON CONFLICT DO NOTHING")
    return recording


def recording(consumer: str, events: Iterable[Event]) -> list[Write]:
    """The records of several events as a part of one statement with their effects, which raises IntegrityError when one of
    them is there already: what is there is read before, by `HANDLED`, and the statement repeated
    (writes.repeated_when_outrun)."""
    # Sorted: two replicas never lock the same ids in opposite order.
    ids = sorted({event.id for event in events})
    return writes.insert(TABLE, [{"consumer": consumer, "event_id": event_id} for event_id in ids])


HANDLED = (
    "ARRAY(SELECT event_id FROM inbox WHERE consumer = %(consumer)s AND event_id = ANY(CAST(%(events)s AS uuid[])))"
)
"""The ids of those of these events whose effect is there, as a part of a larger query."""


def unhandled(events: Iterable[AnyEvent], handled: Collection[UUID]) -> list[AnyEvent]:
    """Those of these events whose effect is not there yet, each once, in order."""
    return list({event.id: event for event in events if event.id not in handled}.values())


def prune(connection: Connection) -> int:
    """Deletes records older than `KEPT`; how many."""
    return connection.execute(delete(TABLE).where(TABLE.c.handled_at < now() - KEPT)).rowcount
