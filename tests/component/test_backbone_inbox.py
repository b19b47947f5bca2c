"""The inbox forgets what no message can come back for, and nothing younger."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import create_engine, insert, select

from backbone import inbox
from backbone.testing import create_database
from contracts.base import now
from deploy.local.parts import PostgreSQL


def test_what_is_older_than_any_message_is_forgotten_and_the_rest_is_not(postgres: PostgreSQL) -> None:
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
