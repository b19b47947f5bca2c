"""Sessions on PostgreSQL: SQLAlchemy Core on psycopg 3, made for green threads.

psycopg waits in C by default, which would stop every green thread of the process while one query runs; the variable
PSYCOPG_WAIT_FUNC=wait_selector makes it wait through eventlet's selectors. It must be set before psycopg is first
imported, and nothing tells when it is not: so it is asserted here (reference: nameko.md, 5). A service then waits on
eventlet's hub itself (`wait_on_hub`), since a query waits a dozen times and each selector costs more than the query.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg.waiting
from psycopg.waiting import Ready, Wait
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

DIRTY = "outbox_dirty"
"""Set in Connection.info when an outbox row was written: the relay is kicked at commit."""


PING_AFTER = 2.0
"""Seconds unused after which a connection is tried before it is given out."""

SILENCE = 40.0
"""Seconds without a word after which a server is given up: more than any statement may take. The kernel notices a machine
that is gone (tcp_user_timeout), but not a process that hangs on it, nor a proxy between that has lost its other end."""

Result = TypeVar("Result")


def make_green() -> None:
    """Queries let other green threads run. Ends the process at start when they would block them."""
    if psycopg.waiting.wait not in (psycopg.waiting.wait_selector, wait_on_hub):
        raise SystemExit("PSYCOPG_WAIT_FUNC=wait_selector must be set before psycopg is imported")
    psycopg.waiting.wait = wait_on_hub


def wait_on_hub(
    gen: Generator[Any, Any, Result], fileno: int, interval: float = 0.0, timeout: float | None = None
) -> Result:
    """psycopg's wait_selector, on eventlet's hub: runs `gen` to its end; other green threads run while it would block."""
    from eventlet.green.select import select

    if timeout is not None:
        return psycopg.waiting.wait_selector(gen, fileno, interval, timeout)
    try:
        wanted = next(gen)
        while True:
            if wanted == Wait.R:
                _await(fileno, read=True)
                ready = Ready.R
            elif wanted == Wait.W:
                _await(fileno, write=True)
                ready = Ready.W
            else:
                readable, writable, _ = select([fileno], [fileno], [], SILENCE)
                if not (readable or writable):
                    _hang_up(fileno)
                    readable = True
                ready = Ready((Ready.R if readable else 0) | (Ready.W if writable else 0))
            wanted = gen.send(ready)
    except StopIteration as end:
        result: Result = end.value
        return result


class _Silent(Exception):
    pass


def _await(fileno: int, *, read: bool = False, write: bool = False) -> None:
    from eventlet.hubs import trampoline

    try:
        trampoline(fileno, read=read, write=write, timeout=SILENCE, timeout_exc=_Silent)
    except _Silent:
        _hang_up(fileno)


def _hang_up(fileno: int) -> None:
    """Ends the connection under libpq, which then says that it is lost."""
    with socket.socket(fileno=os.dup(fileno)) as line, suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


class Database:
    """One pool. `transaction()` commits or rolls back whole; `read()` is for queries that need no transaction."""

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
            hide_parameters=True,  # an error's text may be logged; what a citizen wrote may not
            connect_args={
                "options": options,
                "connect_timeout": 5,
                "keepalives_idle": 30,
                "tcp_user_timeout": 30_000,
                "prepare_threshold": 5,
            },
        )
        # One query is no transaction: the trips to begin and to end one would take longer than itself.
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        event.listen(self.engine, "checkin", _note_use)
        event.listen(self.engine, "checkout", _ping_unused)
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
        with self._reading.connect() as connection:
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
