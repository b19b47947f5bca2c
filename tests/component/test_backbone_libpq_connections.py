"""Connections of a green process that are lost, silent, killed or shared: nobody gets the answer to another's statement."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import eventlet
import psycopg
import pytest
from eventlet.hubs import get_hub
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from backbone.storage import database as database_module
from backbone.storage import hub_listener
from backbone.storage.database import Database, is_outage
from deploy.local.parts import PostgreSQL
from tests.resilience.proxy import Proxy
from tests.support.processes import ROOT, create_database, eventually

Act = Callable[[Connection], Any]


@pytest.fixture(scope="module")
def url(postgres: PostgreSQL) -> str:
    return create_database(postgres.url, "libpq_connections")


@pytest.fixture
def plain(url: str) -> Iterator[Database]:
    """psycopg's own connections."""
    database = Database(url, pool_size=2)
    yield database
    database.close()


@pytest.fixture
def green(url: str) -> Iterator[Database]:
    listeners = set(get_hub().listeners[get_hub().READ])
    database = Database(url, pool_size=2, green=True)
    yield database
    database.close()
    assert set(get_hub().listeners[get_hub().READ]) == listeners, "a listener stays on the hub without its socket"


def test_a_serialization_failure_is_told_and_the_next_try_goes_through(green: Database, plain: Database) -> None:
    with plain.transaction() as connection:
        connection.execute(text("CREATE TABLE amounts (amount int)"))
    total, add = text("SELECT sum(amount) FROM amounts"), text("INSERT INTO amounts VALUES (1)")
    serializable = green.engine.execution_options(isolation_level="SERIALIZABLE")
    with serializable.connect() as first, serializable.connect() as second:
        for statement in (total, add):
            for connection in (first, second):
                connection.execute(statement)
        first.commit()
        with pytest.raises(OperationalError) as caught:
            second.commit()
        assert isinstance(caught.value.orig, psycopg.errors.SerializationFailure)
        second.rollback()
        assert second.execute(total).scalar() == 1
        second.execute(add)
        second.commit()
        assert first.execute(total).scalar() == 2


def active(plain: Database, pid: int) -> Callable[[], bool]:
    query = text("SELECT state = 'active' AND query LIKE '%pg_sleep%' FROM pg_stat_activity WHERE pid = :pid")

    def look() -> bool:
        eventlet.sleep(0)  # lets the green thread go on; it waits for nothing
        with plain.read() as connection:
            return bool(connection.execute(query, {"pid": pid}).scalar())

    return look


# pg_sleep stands for a statement that does not end by itself: these tests end it, and none waits for its minute.
WAITS: dict[str, Act] = {
    "the first statement of a transaction": lambda c: c.execute(text("SELECT pg_sleep(60)")),
    "many rows": lambda c: c.exec_driver_sql("SELECT pg_sleep(%(s)s)", [{"s": 0}, {"s": 60}]),
    "what psycopg runs": lambda c: c.execute(text("EXPLAIN ANALYZE SELECT pg_sleep(60)")),
}


def sleeper(database: Database, act: Act) -> tuple[int, Any]:
    """The backend and the green thread of a transaction that waits in `act`."""
    pid = eventlet.event.Event()

    def work() -> None:
        with database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            connection.rollback()
            connection.execution_options(isolation_level="READ COMMITTED")
            pid.send(backend)
            act(connection)

    thread = eventlet.spawn(work)
    return pid.wait(), thread


@pytest.mark.parametrize("name", WAITS)
def test_nobody_gets_the_answer_to_a_killed_thread(green: Database, plain: Database, name: str) -> None:
    pid, thread = sleeper(green, WAITS[name])
    eventually(active(plain, pid), why="the statement does not run")
    thread.kill()
    with green.transaction() as connection:
        assert connection.execute(text("SELECT pg_backend_pid(), 'mine'")).one() != (pid, "mine")
    assert green.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_nobody_gets_the_answer_to_a_thread_that_was_out_of_time(green: Database) -> None:
    with green.engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with pytest.raises(eventlet.Timeout), eventlet.Timeout(0.1):
            connection.execute(text("SELECT pg_sleep(60)"))
    with green.transaction() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar() != pid


def test_a_thread_that_is_killed_while_it_commits_leaves_no_connection(green: Database, plain: Database) -> None:
    with plain.transaction() as connection:
        connection.execute(text("CREATE TABLE slow (a int)"))
        connection.execute(
            text(
                "CREATE FUNCTION slow_down() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE CONSTRAINT TRIGGER slowly AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION slow_down()"
            )
        )
    with green.engine.connect() as connection:
        pid = connection.execute(text("INSERT INTO slow VALUES (1) RETURNING pg_backend_pid()")).scalar()
        with pytest.raises(eventlet.Timeout), eventlet.Timeout(0.1):
            connection.commit()
    with green.transaction() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar() != pid
    with plain.transaction() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        connection.execute(text("DROP TABLE slow"))


def test_a_backend_that_ends_between_two_statements_of_a_transaction(green: Database, plain: Database) -> None:
    with green.engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with plain.read() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(OperationalError) as caught:
            connection.execute(text("SELECT 1"))
    assert caught.value.connection_invalidated
    assert is_outage(caught.value)
    assert isinstance(caught.value.orig, psycopg.errors.AdminShutdown)
    with green.transaction() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


@pytest.mark.parametrize("name", WAITS)
def test_a_backend_that_ends_within_a_statement(green: Database, plain: Database, name: str) -> None:
    pid, thread = sleeper(green, WAITS[name])
    eventually(active(plain, pid), why="the statement does not run")
    with plain.read() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    with pytest.raises(OperationalError) as caught:
        thread.wait()
    assert caught.value.connection_invalidated
    assert green.ping()


def test_a_connection_that_ended_at_rest_is_not_given_out(
    green: Database, plain: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with green.transaction() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    with plain.read() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    eventlet.sleep(0)
    monkeypatch.setattr(database_module, "PING_AFTER", -1)
    with green.transaction() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar() != pid


def test_a_server_that_is_killed_within_statements_and_comes_back(
    green: Database, plain: Database, postgres: PostgreSQL
) -> None:
    sleepers = [sleeper(green, WAITS["the first statement of a transaction"]) for _ in range(2)]
    for pid, _ in sleepers:
        eventually(active(plain, pid), why="the statement does not run")
    os.kill(sleepers[0][0], signal.SIGKILL)  # the server ends all its sessions then, and recovers
    for _, thread in sleepers:
        with pytest.raises(OperationalError) as caught:
            thread.wait()
        assert is_outage(caught.value)
    eventually(green.ping, why="it does not come back")
    postgres.kill()
    assert not green.ping()
    postgres.start()
    eventually(green.ping, why="it does not come back")


def test_a_server_that_falls_silent_is_given_up(
    postgres: PostgreSQL, url: str, plain: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_listener, "SILENCE", 0.5)
    with Proxy(postgres.port) as proxy:
        database = Database(url.replace(f":{postgres.port}/", f":{proxy.port}/"), pool_size=2, green=True)
        for name, act in WAITS.items():
            pid, thread = sleeper(database, act)
            eventually(active(plain, pid), why=f"{name} does not run")
            proxy.swallow()
            with pytest.raises(OperationalError) as caught:
                thread.wait()
            assert caught.value.connection_invalidated, name
            proxy.heal()
        with database.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            proxy.swallow()
            with pytest.raises(OperationalError):
                connection.exec_driver_sql("SELECT %(a)s", [{"a": 1}, {"a": 2}])
        proxy.heal()
        with database.transaction() as connection:
            connection.execute(text("SELECT 1"))
        proxy.swallow()
        proxy.heal()
        monkeypatch.setattr(database_module, "PING_AFTER", -1)
        with database.transaction() as connection:  # a connection that fell silent at rest is found by its ping
            assert connection.execute(text("SELECT 1")).scalar() == 1
        database.close()


@contextmanager
def in_a_long_statement(green: Database, plain: Database) -> Iterator[tuple[int, Any, Any]]:
    """A connection that another green thread uses: the process id of its server, the thread, and the driver's connection."""
    with green.engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        thread = eventlet.spawn(connection.execute, text("SELECT pg_sleep(60)"))
        eventually(active(plain, pid), why="the statement does not run")
        yield pid, thread, connection.connection.driver_connection


def test_two_threads_cannot_use_one_connection(green: Database, plain: Database) -> None:
    with in_a_long_statement(green, plain) as (pid, thread, driver):
        for use in (lambda: driver.execute("SELECT 1"), lambda: driver.execute("SHOW all"), driver.rollback):
            with pytest.raises(psycopg.InterfaceError, match="another green thread"):
                use()
        assert active(plain, pid)()
        thread.kill()


def test_a_connection_that_another_thread_closes_ends_its_statement(green: Database, plain: Database) -> None:
    with in_a_long_statement(green, plain) as (_, thread, driver):
        driver.close()
        with pytest.raises(OperationalError):
            thread.wait()


def test_a_crowd_on_few_connections_gets_its_own_answers(url: str) -> None:
    """In a process of its own, patched as a service's: threads wait for a connection, and some are killed meanwhile."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.crowd", url], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert done.stdout == "every answer was its own; 3 connections\n"
