"""The system that a city is filled into: all of Peygir in a folder that is kept, so that a million cases have to be written
only once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid5

import psycopg
from psycopg import sql

from backbone.storage.database import Database
from benchmarks import measured_system
from benchmarks.city.context import NAMESPACE
from benchmarks.city.fill import fill
from contracts.vocabulary import Role
from deploy.local.environment import state_folder
from deploy.local.processes import System
from services.accounts.seed import OFFICE
from services.accounts.staff.credentials import fresh_credentials
from services.accounts.staff.rules import Member
from services.accounts.staff.staff_accounts import StaffAccounts
from tests.support.processes import eventually

INSPECTORS = 40
"""Besides the two of the demo: a million cases in two years are more than two could read."""

Say = Callable[[str], None]


def folder() -> Path:
    return state_folder() / "bench" / "city"


def start(say: Say) -> System:
    """Starts the system with the data of the folder; the caller stops it."""
    system = measured_system.start(folder(), say, fresh=False)
    try:
        _staff(system)
    except BaseException:
        system.stop()
        raise
    return system


def is_filled(system: System, cases: int) -> bool:
    """Whether a complete city of so many cases is there."""
    with tracking(system) as connection:
        if connection.execute("SELECT to_regclass('city')").fetchone() == (None,):
            return False
        written = connection.execute("SELECT sum(cases) FROM city_days").fetchone()
        waiting = connection.execute("SELECT count(*) FROM city_indexes").fetchone()
    return written == (cases,) and waiting == (0,)


def fill_system(system: System, cases: int, say: Say) -> float:
    """Fills it while the services are stopped; cases a second, 0 when it was full already."""
    processes = system.processes()
    say(f"filling with {cases:,} cases")
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.await_stop(30)
    with _without_power_safety(system.database.url):
        rate = fill(system.values, cases, say)
    for process in processes:
        process.start()
    for process in processes:
        process.await_ready()
    return rate


@contextmanager
def _without_power_safety(url: str) -> Iterator[None]:
    """While it is filled the server need not survive a power cut; a killed process loses nothing by this."""
    settings = {"full_page_writes": "off", "max_wal_size": "16GB", "checkpoint_timeout": "1h"}
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for name, value in settings.items():
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        connection.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            connection.execute("ALTER SYSTEM RESET ALL")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CHECKPOINT")


def tracking(system: System) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(system.database_url("tracking").replace("+psycopg", ""), autocommit=True)


def _staff(system: System) -> None:
    """Adds the inspectors by accounts' own function where they are missing; the other services learn of them by events."""
    accounts = StaffAccounts(bytes.fromhex(system.values["STAFF_SECRET_KEY"]))
    names = [f"city.inspector{number}" for number in range(1, INSPECTORS + 1)]
    database = Database(system.database_url("accounts"), pool_size=1)
    for number, name in enumerate(names, start=1):
        member = Member(f"بازرس شهر {number}", (Role.INSPECTOR,), OFFICE)
        with database.transaction() as connection:
            if not accounts.add(connection, uuid5(NAMESPACE, name), name, member, fresh_credentials().hashed()):
                break  # all of them were added in an earlier run
    database.close()
    count_inspectors = "SELECT count(*) FROM staff WHERE roles ? 'inspector'"
    with tracking(system) as connection:
        eventually(lambda: (connection.execute(count_inspectors).fetchone() or (0,))[0] >= INSPECTORS, timeout=60)  # type: ignore[operator]  # a count
