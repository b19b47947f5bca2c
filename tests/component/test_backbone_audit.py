"""The audit log on a real database: written with its command, chained in order, never rewritten unseen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from backbone.storage import audit, migrate
from backbone.storage.database import Database
from contracts.accounts import ResetStaffCredentials, StaffCredentials, StaffMember
from contracts.errors import NotFound
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from deploy.local.parts import PostgreSQL
from tests.support.processes import create_database
from tests.support.tracing import continued

ADMINISTRATOR = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.ADMINISTRATOR}))


@pytest.fixture(scope="module")
def url(postgres: PostgreSQL) -> str:
    url = create_database(postgres.url, "audit")
    migrate.upgrade("accounts", url)
    return url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """With an empty log."""
    database = Database(url)
    tamper(database, "DELETE FROM audit")
    tamper(database, "DELETE FROM audit_waiting")
    yield database
    database.close()


def reset_request(actor: Actor = ADMINISTRATOR, staff_id: UUID | None = None) -> ResetStaffCredentials:
    return ResetStaffCredentials(actor=actor, idempotency_key=uuid4().hex, staff_id=staff_id or uuid4())


def done(connection: Connection, request: ResetStaffCredentials) -> StaffCredentials:
    return StaffCredentials(
        member=StaffMember(staff_id=request.staff_id, display_name="کارمند", roles=[], unit=None, active=True)
    )


def refused(connection: Connection, request: ResetStaffCredentials) -> StaffCredentials:
    raise NotFound


def dead(connection: Connection, request: ResetStaffCredentials) -> StaffCredentials:
    raise RuntimeError


def tamper(database: Database, *statements: str) -> None:
    """As somebody who has the database, and so can switch its triggers off."""
    with database.transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))


def chained(database: Database, many: int) -> None:
    for _ in range(many):
        audit.command(database, done, reset_request())
    assert audit.link(database) == many


def broken(database: Database) -> str | None:
    with database.read() as connection:
        return audit.verify(connection).problem


def entries(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [(row.subjects[0], row.result) for row in connection.execute(audit.CHAIN.select().order_by("position"))]


def test_an_entry_records_actor_command_subjects_time_and_result(database: Database) -> None:
    request, other = reset_request(), reset_request()
    with continued("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"):
        audit.command(database, done, request)
        with pytest.raises(NotFound):
            audit.command(database, refused, other)
    assert audit.link(database) == 2
    with database.read() as connection:
        first, second = connection.execute(audit.CHAIN.select().order_by(audit.CHAIN.c.position)).all()
    assert (first.actor_kind, first.actor_id, first.roles) == ("staff", ADMINISTRATOR.id, ["administrator"])
    assert (first.command, first.subjects, first.result) == ("reset_staff_credentials", [str(request.staff_id)], "done")
    assert first.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert (second.subjects, second.result) == ([str(other.staff_id)], "not_found")
    assert timedelta(0) <= second.chained_at - first.at < timedelta(minutes=1)


def test_a_failed_command_is_not_recorded_as_done(database: Database) -> None:
    with pytest.raises(RuntimeError):
        audit.command(database, dead, reset_request())
    assert audit.link(database) == 0


def test_a_citizen_is_not_identified_in_it(database: Database) -> None:
    citizen = Actor(kind=ActorKind.CITIZEN, id=str(uuid4()))
    audit.command(database, done, reset_request(citizen))
    with pytest.raises(NotFound):
        audit.command(database, refused, reset_request(citizen))
    assert audit.link(database) == 1
    with database.read() as connection:
        [row] = connection.execute(audit.CHAIN.select()).all()
    assert (row.actor_kind, row.actor_id) == ("citizen", None)
    assert citizen.id not in str(row)


def test_an_entry_committed_late_is_chained_late_and_never_omitted(database: Database) -> None:
    late, soon = reset_request(), reset_request()
    with database.transaction() as connection:
        audit.append(connection, late, audit.DONE)  # its number is taken first
        audit.command(database, done, soon)
        assert audit.link(database) == 1
        assert entries(database) == [(str(soon.staff_id), "done")]
    assert audit.link(database) == 1
    assert entries(database) == [(str(soon.staff_id), "done"), (str(late.staff_id), "done")]
    assert broken(database) is None


def test_each_of_many_simultaneous_entries_is_chained_once(database: Database) -> None:
    requests = [reset_request() for _ in range(120)]
    start, failed = threading.Barrier(8), list[Exception]()

    def give(mine: list[ResetStaffCredentials]) -> None:
        start.wait()
        for request in mine:
            audit.command(database, done, request)

    def sweep() -> None:
        start.wait()
        for _ in range(40):
            try:
                audit.link(database, limit=7)
            except DBAPIError as error:
                failed.append(error)

    threads = [threading.Thread(target=give, args=(requests[part::4],)) for part in range(4)]
    threads += [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while audit.link(database):
        pass
    assert not failed  # nobody took a position that another has taken
    assert sorted(entries(database)) == sorted((str(request.staff_id), "done") for request in requests)
    assert broken(database) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET result = 'not_found'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "UPDATE audit_waiting SET result = 'not_found'",
        "DELETE FROM audit_waiting",
        "TRUNCATE audit_waiting",
    ],
)
def test_the_log_only_grows(database: Database, url: str, statement: str) -> None:
    chained(database, 1)
    audit.command(database, done, reset_request())
    with pytest.raises(DBAPIError, match="only grows"), database.transaction() as connection:
        connection.execute(text(statement))


def at(position: int, change: str) -> tuple[str, ...]:
    return (f"UPDATE audit SET {change} WHERE position = {position}",)


SWAPPED = (
    "UPDATE audit SET position = 99 WHERE position = 3",
    "UPDATE audit SET position = 3 WHERE position = 4",
    "UPDATE audit SET position = 4 WHERE position = 99",
)


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        *(
            (at(3, change), "entry 3 is not what was written")
            for change in (
                "actor_id = 'somebody else'",
                "actor_kind = 'system'",
                "roles = '{head}'",
                "command = 'assign'",
                "subjects = '{}'",
                "result = 'not_found'",
                "trace_id = 'another'",
                "at = at - interval '1 second'",
                "chained_at = chained_at + interval '1 second'",
                "hash = repeat('a', 64)",
            )
        ),
        (at(3, "previous_hash = repeat('a', 64)"), "entry 3 is not chained to the one before it"),
        (("DELETE FROM audit WHERE position = 3",), "entry 3 is missing"),
        (("DELETE FROM audit WHERE position = 1",), "entry 1 is missing"),
        (SWAPPED, "entry 3 is not chained to the one before it"),
        (
            (
                "DELETE FROM audit WHERE position = 3",
                "UPDATE audit SET position = position - 1 WHERE position = 4",
                "UPDATE audit SET position = position - 1 WHERE position = 5",
            ),
            "entry 3 is not chained to the one before it",
        ),
        (at(1, "position = 0"), "entry 1 is missing"),
    ],
)
def test_a_tampered_entry_is_named(database: Database, statements: tuple[str, ...], named: str) -> None:
    chained(database, 5)
    assert broken(database) is None
    tamper(database, *statements)
    assert broken(database) == named


def test_an_entry_backdated_before_it_is_chained_is_named(database: Database) -> None:
    chained(database, 2)
    audit.command(database, done, reset_request())
    tamper(database, "UPDATE audit_waiting SET at = at - interval '3 days'")
    assert audit.link(database) == 1
    problem = broken(database)
    assert problem is not None
    assert problem.startswith("entry 3 is dated back")


def test_a_service_of_the_previous_release_keeps_working_during_the_migration(url: str) -> None:
    """Run again it changes nothing, and it waits for nobody who holds a lock on what was there before."""
    with psycopg.connect(url.replace("+psycopg", "")) as busy:
        busy.execute("LOCK TABLE staff IN ACCESS EXCLUSIVE MODE")
        assert migrate.upgrade("accounts", url) is None
