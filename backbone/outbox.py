"""The outbox: what a service has decided leaves with the transaction that decided it, at least once.

`add` writes a row in the caller's transaction. The relay takes rows FOR UPDATE SKIP LOCKED (any number of relays may
run), publishes them confirmed and mandatory, and deletes the confirmed ones. Killed in between, it publishes again;
the inbox of each consumer makes the second one nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from backbone import amqp, logs
from backbone.database import DIRTY, Database
from contracts.base import Event

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from backbone.broker import Broker

log = logs.get("outbox")

RELAYED = Counter("peygir_outbox_relayed_total", "Messages that the relay published and the broker confirmed")
WAITING = Gauge("peygir_outbox_waiting", "Rows in the outbox at the last sweep")

MOST = 500
"""Rows that the relay takes at once."""

_metadata = MetaData()
TABLE = Table(
    "outbox",
    _metadata,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("message_id", UUID(as_uuid=True), nullable=False),
    Column("exchange", String, nullable=False),
    Column("routing_key", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


def add(connection: Connection, *events: Event) -> None:
    """These events have happened, if this transaction commits."""
    if not events:
        return
    messages = [amqp.event(event) for event in events]
    connection.execute(
        TABLE.insert(),
        [
            {
                "message_id": message.message_id,
                "exchange": message.exchange,
                "routing_key": message.routing_key,
                "body": message.body,
                "headers": message.headers,
            }
            for message in messages
        ],
    )
    connection.info[DIRTY] = True


def relay_once(database: Database, broker: Broker, limit: int = MOST) -> tuple[int, int]:
    """Publishes up to `limit` waiting rows; (taken, confirmed). What was not confirmed stays for the next sweep.

    The deletion does not wait for the disk: rows that a crash brings back are published again, like those of a kill.
    """
    with database.engine.begin() as connection:
        unhurried = func.set_config(
            "synchronous_commit", "off", True
        )  # for this transaction; in the query, to save a trip
        rows = connection.execute(
            select(TABLE, unhurried).order_by(TABLE.c.seq).limit(limit).with_for_update(skip_locked=True)
        ).all()
        if not rows:
            return 0, 0
        results = broker.publish(
            [
                amqp.Outgoing(
                    row.exchange, row.routing_key, bytes(row.body), str(row.message_id), row.routing_key, row.headers
                )
                for row in rows
            ]
        )
        confirmed: Sequence[int] = [row.seq for row, error in zip(rows, results, strict=True) if error is None]
        for row, error in zip(rows, results, strict=True):
            if error is not None:
                log.warning("an event could not be published yet", event_name=row.routing_key, why=str(error))
                break
        if confirmed:
            connection.execute(delete(TABLE).where(TABLE.c.seq.in_(confirmed)))
    RELAYED.inc(len(confirmed))
    return len(rows), len(confirmed)
