"""The inbox: an effect and its record are one transaction, so an event that comes again has no effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Column, Connection, DateTime, MetaData, String, Table, delete, func
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from backbone.storage import bulk
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


def unseen(connection: Connection, consumer: str, events: Sequence[AnyEvent]) -> list[AnyEvent]:
    """Those of `events` whose effect is not there yet, each once, in order; records them."""
    if not events:
        return []
    values = sorted({event.id for event in events})  # sorted: two replicas never lock the same ids in opposite order
    rows = [{"consumer": consumer, "event_id": event_id} for event_id in values]
    new = set(bulk.insert(connection, TABLE, rows, "ON CONFLICT DO NOTHING RETURNING event_id").scalars())
    chosen: list[AnyEvent] = []
    for event in events:
        if event.id in new:
            new.discard(event.id)
            chosen.append(event)
    return chosen


def prune(connection: Connection) -> int:
    """Deletes records older than `KEPT`; how many."""
    return connection.execute(delete(TABLE).where(TABLE.c.handled_at < now() - KEPT)).rowcount
