"""The database of the probe service (tests/support/probe.py)."""

from __future__ import annotations

from sqlalchemy import create_engine

from backbone.messaging import inbox, outbox
from tests.support.processes import create_database

_TABLES = """
CREATE TABLE effects (seq serial, event_id uuid, pid int);
CREATE TABLE attempts (event_id uuid PRIMARY KEY, times int);
"""


def create_probe_database(server_url: str, name: str = "probe") -> str:
    """A database on the test server with outbox, inbox and the probe's tables; its SQLAlchemy URL."""
    url = create_database(server_url, name)
    engine = create_engine(url)
    with engine.begin() as connection:
        outbox.TABLE.create(connection)
        inbox.TABLE.create(connection)
        connection.exec_driver_sql(_TABLES)
    engine.dispose()
    return url
