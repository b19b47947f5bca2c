"""The outbox: events are published, at least once, if the transaction that wrote them commits.

`add` writes a row in the caller's transaction. The relay takes rows FOR UPDATE SKIP LOCKED (any number of relays may
run), publishes them confirmed and mandatory, and deletes the confirmed ones. Killed in between, it publishes again;
the inbox of each consumer ignores the second one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import Counter, Gauge
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    LargeBinary,
    MetaData,
    String,
    Table,
    any_,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from backbone.messaging import amqp
from backbone.process import logs
from backbone.storage.database import DIRTY, Database
from contracts.base import Event

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from backbone.messaging.broker import Broker

log = logs.get("outbox")

RELAYED = Counter("peygir_outbox_relayed_total", "Messages that the relay published and the broker confirmed")
WAITING = Gauge("peygir_outbox_waiting", "Rows in the outbox of this service, counted up to 10000")
OLDEST = Gauge(
    "peygir_outbox_oldest_seconds", "Age of the oldest row in the outbox of this service; 0 when it is empty"
)

BATCH_SIZE = 500
"""Rows that the relay takes at once."""
MEASURED_EVERY = 5.0
"""Seconds between two measurements of what waits, published or not."""
_MAX_COUNTED = 10_000

_metadata = MetaData()
TABLE = Table(
    "outbox",
    _metadata,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("message_id", UUID(as_uuid=True), nullable=False),
    Column("exchange", String, nullable=False),
    Column("name", String, nullable=False),  # of the event
    Column("routing_key", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
# Written once, with the values apart: SQLAlchemy would read through each statement anew.
_ADD = TABLE.insert()
_DELETE = delete(TABLE).where(TABLE.c.seq == any_(bindparam("done", type_=ARRAY(BigInteger))))


def add(connection: Connection, *events: Event) -> None:
    """These events have happened, if this transaction commits."""
    if not events:
        return
    messages = [amqp.event(event) for event in events]
    connection.execute(
        _ADD,
        [
            {
                "message_id": message.message_id,
                "exchange": message.exchange,
                "name": message.name,
                "routing_key": message.routing_key,
                "body": message.body,
                "headers": message.headers,
            }
            for message in messages
        ],
    )
    connection.info[DIRTY] = True


def relay_once(database: Database, broker: Broker, limit: int = BATCH_SIZE) -> tuple[int, int]:
    """Publishes up to `limit` waiting rows; (taken, confirmed). What was not confirmed stays for the next sweep.

    The deletion does not wait for the disk: rows that a crash brings back are published again, like those of a kill.
    """
    with database.engine.begin() as connection:
        # For this transaction; in the query, to save a round trip.
        asynchronous = func.set_config("synchronous_commit", "off", True)
        rows = connection.execute(
            select(TABLE, asynchronous).order_by(TABLE.c.seq).limit(limit).with_for_update(skip_locked=True)
        ).all()
        if not rows:
            return 0, 0
        results = broker.publish([_message(row) for row in rows])
        confirmed = [row.seq for row, error in zip(rows, results, strict=True) if error is None]
        for row, error in zip(rows, results, strict=True):
            if error is not None:
                log.warning("an event could not be published yet", event_name=row.name, why=str(error))
                break
        if confirmed:
            connection.execute(_DELETE, {"done": confirmed})
    RELAYED.inc(len(confirmed))
    return len(rows), len(confirmed)


def _message(row: Any) -> amqp.Outgoing:
    return amqp.Outgoing(row.exchange, row.routing_key, bytes(row.body), str(row.message_id), row.name, row.headers)


def measure(connection: Connection) -> None:
    """Sets the gauges from the first rows of the table's index, locked ones included."""
    first = select(TABLE.c.created_at).order_by(TABLE.c.seq).limit(_MAX_COUNTED).subquery()
    age = func.extract("epoch", func.clock_timestamp() - func.min(first.c.created_at))
    count, oldest = connection.execute(select(func.count(), age).select_from(first)).one()
    WAITING.set(count)
    OLDEST.set(max(0.0, float(oldest or 0)))
