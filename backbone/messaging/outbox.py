"""The outbox: events are published, at least once, if the transaction that wrote them commits.

`add` writes rows in the caller's transaction, `write` as a part of a larger statement. After the commit the relay of the process
publishes them from memory (backbone/messaging/outbox_relay.py), confirmed and mandatory, and deletes them. `relay_once` publishes
rows from the table, FOR UPDATE SKIP LOCKED, so that any number of relays may run. Killed in between, a row is published again;
the inbox of each consumer ignores the second one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import Counter, Gauge
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Interval,
    LargeBinary,
    MetaData,
    String,
    Table,
    any_,
    bindparam,
    delete,
    exists,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from backbone.messaging import amqp
from backbone.process import logs
from backbone.storage import writes
from backbone.storage.database import OUTBOX_ROWS, Database
from backbone.storage.writes import Write
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
_NAMES = ("message_id", "exchange", "name", "routing_key", "body", "headers")
_COLUMNS = ", ".join(_NAMES)
_ADD = f"""
INSERT INTO outbox ({_COLUMNS})
SELECT {_COLUMNS.replace("body", "convert_to(body, 'UTF8')")} FROM json_to_recordset({{rows}}) AS given(
    message_id uuid, exchange text, name text, routing_key text, body text, headers jsonb
)
"""  # no bytes can be given as JSON; they are JSON themselves
_DELETE = delete(TABLE).where(TABLE.c.seq == any_(bindparam("done", type_=ARRAY(BigInteger))))
# A statement of its own, which does not wait for the disk: rows that a crash brings back are published again.
_DELETE_AT_ONCE = text(
    "WITH asynchronous AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)) "
    "DELETE FROM outbox WHERE seq = ANY(:done) AND EXISTS (SELECT FROM asynchronous)"
).bindparams(bindparam("done", type_=ARRAY(BigInteger)))

_HAS_OLD = select(exists().where(TABLE.c.created_at <= func.clock_timestamp() - bindparam("age", type_=Interval)))


@dataclass(frozen=True, slots=True)
class Written:
    """A row of the outbox, by its key, and the message that it holds."""

    seq: int
    message: amqp.Outgoing


def add(connection: Connection, *events: Event) -> None:
    """These events have happened, if this transaction commits."""
    writes.execute_all(connection, write(events))


def write(events: Sequence[Event]) -> list[Write]:
    """The same as a part of a larger statement (backbone/storage/writes.py); nothing for no events."""
    messages = [amqp.event(event) for event in events]
    rows = [{name: getattr(message, name) for name in _NAMES} | {"body": message.body.decode()} for message in messages]

    def note_written(connection: Connection, seqs: list[int]) -> None:
        written = [Written(seq, message) for seq, message in zip(seqs, messages, strict=True)]
        connection.info.setdefault(OUTBOX_ROWS, []).extend(written)

    return [Write(_ADD, rows, returning="seq", written=note_written)] if rows else []


def has_rows(database: Database, older_than: float) -> bool:
    """Whether a row is older than so many seconds. One query without a lock, cheaper than `relay_once` for none."""
    with database.read() as connection:
        return bool(connection.execute(_HAS_OLD, {"age": timedelta(seconds=older_than)}).scalar())


def delete_rows(database: Database, seqs: Sequence[int]) -> None:
    """Deletes rows that were published."""
    with database.read() as connection:
        connection.execute(_DELETE_AT_ONCE, {"done": list(seqs)})


def relay_once(database: Database, broker: Broker, limit: int = BATCH_SIZE, older_than: float = 0.0) -> tuple[int, int]:
    """Publishes up to `limit` rows that are older than so many seconds; (taken, confirmed). What was not confirmed stays for
    the next sweep.

    The deletion does not wait for the disk: rows that a crash brings back are published again, like those of a kill.
    """
    with database.engine.begin() as connection:
        # For this transaction; in the query, to save a round trip.
        asynchronous = func.set_config("synchronous_commit", "off", True)
        rows = connection.execute(
            select(TABLE, asynchronous)
            .where(TABLE.c.created_at <= func.clock_timestamp() - timedelta(seconds=older_than))
            .order_by(TABLE.c.seq)
            .limit(limit)
            .with_for_update(skip_locked=True)
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
