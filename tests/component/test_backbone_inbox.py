"""The inbox forgets what no message can come back for, and nothing younger."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

from sqlalchemy import create_engine, insert, select

from backbone.messaging import inbox
from contracts.base import now
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.processes import ServiceProcess, create_database, eventually, prepared


def test_only_ids_older_than_any_message_are_deleted(postgres: PostgreSQL) -> None:
    engine = create_engine(create_database(postgres.url, "old_inbox"))
    with engine.begin() as connection:
        inbox.TABLE.create(connection)
        ages = (timedelta(), inbox.KEPT - timedelta(hours=1), inbox.KEPT + timedelta(hours=1), 2 * inbox.KEPT)
        ids = [uuid.uuid4() for _ in ages]
        rows = [{"consumer": "c", "event_id": i, "handled_at": now() - age} for i, age in zip(ids, ages, strict=True)]
        connection.execute(insert(inbox.TABLE), rows)
        assert inbox.prune(connection) == 2
        assert set(connection.execute(select(inbox.TABLE.c.event_id)).scalars()) == set(ids[:2])
        assert not inbox.first_time(connection, "c", ids[1]), "a message that may still come is forgotten"
    engine.dispose()


def test_a_service_deletes_old_ids_soon_after_its_start(broker: RabbitMQ, postgres: PostgreSQL, tmp_path: Path) -> None:
    environment = prepared("tracking", broker.url, postgres.url, "pruned_inbox")
    engine = create_engine(environment["DATABASE_URL"])
    old, young = uuid.uuid4(), uuid.uuid4()
    with engine.begin() as connection:
        rows = [(old, now() - 2 * inbox.KEPT), (young, now())]
        connection.execute(
            insert(inbox.TABLE), [{"consumer": "c", "event_id": event_id, "handled_at": at} for event_id, at in rows]
        )

    def left() -> set[uuid.UUID]:
        with engine.connect() as connection:
            return set(connection.execute(select(inbox.TABLE.c.event_id)).scalars())

    service = ServiceProcess("tracking", environment, tmp_path / "log").start()
    try:
        eventually(lambda: left() == {young}, timeout=30)
    finally:
        service.stop()
        engine.dispose()
