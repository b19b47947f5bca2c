"""Sessions on PostgreSQL: SQLAlchemy Core on psycopg 3, made for green threads.

psycopg waits in C by default, which would stop every green thread of the process while one query runs; the variable
PSYCOPG_WAIT_FUNC=wait_selector makes it wait through eventlet's selectors. It must be set before psycopg is first
imported, and nothing tells when it is not: so it is asserted here (reference: nameko.md, 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg.waiting
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

DIRTY = "outbox_dirty"
"""Set in Connection.info when an outbox row was written: the relay is kicked at commit."""


def assert_green() -> None:
    """Ends the process at start when queries would block every green thread."""
    if psycopg.waiting.wait is not psycopg.waiting.wait_selector:
        raise SystemExit("PSYCOPG_WAIT_FUNC=wait_selector must be set before psycopg is imported")


class Database:
    """One pool. `transaction()` commits or rolls back whole; `read()` never commits."""

    def __init__(self, url: str, pool_size: int = 10, statement_timeout_ms: int = 15_000) -> None:
        options = (
            f"-c timezone=UTC -c statement_timeout={statement_timeout_ms} "
            "-c idle_in_transaction_session_timeout=60000 -c jit=off"
        )
        self.engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=2,
            pool_timeout=10,
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text may be logged; what a citizen wrote may not
            connect_args={
                "options": options,
                "connect_timeout": 5,
                "keepalives_idle": 30,
                "tcp_user_timeout": 30_000,
                "prepare_threshold": 5,
            },
        )
        self._on_outbox: Callable[[], None] = lambda: None

    def kick_on_outbox(self, kick: Callable[[], None]) -> None:
        """`kick` is called after each commit that wrote to the outbox."""
        self._on_outbox = kick

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            connection.info.pop(DIRTY, None)
            with connection.begin():
                yield connection
            dirty = connection.info.pop(DIRTY, False)
        if dirty:
            self._on_outbox()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            yield connection

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


def is_outage(error: BaseException) -> bool:
    """Whether this is the database's trouble and will pass: gone, restarting, full, out of connections.

    Not so a cancelled statement (57014), a deadlock or a lock timeout: those may be this message's own doing.
    """
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        # SQLSTATE classes: 08 connection, 53 resources, 57 operator intervention, 58 system error; none: no answer.
        return error.connection_invalidated or (state[:2] in {"", "08", "53", "57", "58"} and state != "57014")
    return isinstance(error, PoolTimeout)
