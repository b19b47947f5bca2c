"""Sessions on PostgreSQL: SQLAlchemy Core on psycopg 3, made for green threads.

A process without green threads (commands, migrations, tests) uses psycopg's own connections, which wait in C. In a service that
would stop every green thread while one query runs: there `Database` is given `green=True`, and its connections wait on
eventlet's hub (backbone.storage.libpq_cursor). The variable PSYCOPG_WAIT_FUNC=wait_selector makes any other connection wait
through eventlet's selectors. It must be set before psycopg is first imported, and nothing tells when it is not: so it is
asserted here (reference: nameko.md, 5).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg.waiting
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

OUTBOX_ROWS = "outbox_rows"
"""Where Connection.info lists the outbox rows of the transaction, which the relay is given at its commit."""


PING_AFTER = 2.0
"""Seconds unused after which a connection is tried before it is given out."""


class Database:
    """One pool. `transaction()` commits or rolls back whole; `read()` is for queries that need no transaction;
    `statements()` for such that write, each whole by itself.

    green: whether the process runs green threads; then they go on while a statement runs.
    """

    def __init__(
        self, url: str, pool_size: int = 10, statement_timeout_ms: int = 15_000, *, green: bool = False
    ) -> None:
        options = (
            f"-c timezone=UTC -c statement_timeout={statement_timeout_ms} "
            "-c idle_in_transaction_session_timeout=60000 -c jit=off"
        )
        parameters = {
            "options": options,
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "tcp_user_timeout": 30_000,
            "prepare_threshold": 5,
        }
        self.engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=2,
            pool_timeout=10,
            hide_parameters=True,  # an error's text may be logged; what a citizen wrote may not
            **({"creator": _green_creator(lambda: self.engine, parameters)} if green else {"connect_args": parameters}),
        )
        event.listen(self.engine, "checkin", _note_use)
        event.listen(self.engine, "checkout", _ping_unused)
        self._on_outbox_rows: Callable[[list[Any]], None] = lambda _: None

    def on_outbox_rows(self, listener: Callable[[list[Any]], None]) -> None:
        """`listener(rows)` is called after each commit that wrote to the outbox."""
        self._on_outbox_rows = listener

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self.engine.connect() as connection, self._relaying(connection), connection.begin():
            yield connection

    @contextmanager
    def statements(self) -> Iterator[Connection]:
        with self.read() as connection, self._relaying(connection):
            yield connection

    @contextmanager
    def _relaying(self, connection: Connection) -> Iterator[None]:
        connection.info.pop(OUTBOX_ROWS, None)
        yield
        rows = connection.info.pop(OUTBOX_ROWS, None)
        if rows:
            self._on_outbox_rows(rows)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            # One query is no transaction: the trips to begin and to end one would take longer than itself. Said of the
            # connection, not of an engine, for which SQLAlchemy would look for events at each statement.
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def ping(self) -> bool:
        """Whether a query can be answered now."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    def close(self) -> None:
        self.engine.dispose()


def _green_creator(engine: Callable[[], Engine], given: Mapping[str, Any]) -> Callable[[], Any]:
    """What makes a connection of the pool. Ends the process at start when psycopg would block the green threads.

    Not SQLAlchemy's event "do_connect": with any event of a dialect, each statement looks for others.
    """
    if psycopg.waiting.wait is not psycopg.waiting.wait_selector:
        raise SystemExit("PSYCOPG_WAIT_FUNC=wait_selector must be set before psycopg is imported")
    from backbone.storage.libpq_cursor import open_connection  # eventlet is loaded where there are green threads alone

    def connect() -> Any:
        arguments, parameters = engine().dialect.create_connect_args(engine().url)
        return open_connection(*arguments, **parameters, **given)

    return connect


def _note_use(_: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _ping_unused(connection: Any, record: Any, _: Any) -> None:
    """A connection that was good a moment ago is taken for good: to try it takes as long as a query."""
    if time.monotonic() - record.info.get("used", time.monotonic()) > PING_AFTER:
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except psycopg.Error:
            raise DisconnectionError from None


def is_outage(error: BaseException) -> bool:
    """Whether this is the database's trouble and will pass: gone, restarting, full, out of connections.

    Not so a cancelled statement (57014), a deadlock or a lock timeout: those may be this message's own doing.
    """
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        # SQLSTATE classes: 08 connection, 53 resources, 57 operator intervention, 58 system error; none: no answer.
        return error.connection_invalidated or (state[:2] in {"", "08", "53", "57", "58"} and state != "57014")
    return isinstance(error, PoolTimeout)
