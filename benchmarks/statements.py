"""`./peygir bench statements`: the processor time of a statement through SQLAlchemy in a green process, by psycopg's own
cursor and by backbone.storage.libpq_cursor, on a PostgreSQL server of its own, in alternation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psycopg.waiting
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, Uuid, func, insert, select, update

from backbone.storage.database import Database
from benchmarks.machine import TICK
from deploy.local.environment import ROOT, state_folder
from deploy.local.parts import PostgreSQL
from deploy.local.processes import remove

DRIVERS = ("psycopg", "libpq")
REPETITIONS = {"select by key": 1_000, "transaction: select, update": 500, "executemany of 100 rows": 30}
ROWS = 100

_PATCHED = (
    "import os, warnings; os.environ['PSYCOPG_WAIT_FUNC'] = 'wait_selector'; warnings.simplefilter('ignore'); "
    "import eventlet; eventlet.monkey_patch(); from benchmarks import statements; statements.print_figures()"
)
"""A process that is measured: like a service's, patched before anything else is imported."""

_metadata = MetaData()
_TABLE = Table(
    "statements",
    _metadata,
    Column("id", Uuid, primary_key=True),
    *(Column(f"text_{number}", String) for number in range(4)),
    *(Column(f"number_{number}", Integer) for number in range(3)),
    *(Column(f"moment_{number}", DateTime(timezone=True), server_default=func.now()) for number in range(2)),
)


def main(arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """0. Figures are the least of the runs, since other processes only add to them: microseconds, of client and backend."""
    parser = argparse.ArgumentParser(prog="./peygir bench statements", description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="of each driver (7)")
    runs = parser.parse_args(arguments).runs
    folder = state_folder() / "bench" / "statements"
    server = PostgreSQL(folder)
    server.start()
    try:
        measured: dict[str, list[dict[str, list[float]]]] = {driver: [] for driver in DRIVERS}
        for run in range(1, runs + 1):
            say(f"run {run} of {runs}")
            for driver in DRIVERS:
                command = [sys.executable, "-c", _PATCHED, driver, server.url]
                done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
                measured[driver].append(json.loads(done.stdout))
    finally:
        server.stop()
        remove(folder)
    print(f"{'µs of CPU: client / PostgreSQL':32}" + "".join(f"{driver:>20}" for driver in DRIVERS))
    for name in REPETITIONS:
        cells = [[min(figures[name][side] for figures in measured[driver]) for side in (0, 1)] for driver in DRIVERS]
        print(f"{name:32}" + "".join(f"{f'{client:.0f} / {backend:.0f}':>20}" for client, backend in cells))
    return 0


def print_figures() -> None:
    """Of the driver and the server that the command line names, as JSON."""
    driver, url = sys.argv[1:]
    if driver == "psycopg":
        psycopg.waiting.wait = wait_by_trampoline
    print(json.dumps(measure(driver, url)))


def measure(driver: str, url: str) -> dict[str, tuple[float, float]]:
    """Microseconds of CPU of this process and of its backend, each time that something is done."""
    database = Database(url, pool_size=1, green=driver == "libpq")
    with database.transaction() as connection:
        _metadata.drop_all(connection)
        _metadata.create_all(connection)
        keys = _insert(connection)
    actions = (partial(_read, database, keys), partial(_change, database, keys), partial(_write, database))
    return {
        name: _cpu_of(database, action, REPETITIONS[name]) for name, action in zip(REPETITIONS, actions, strict=True)
    }


def _cpu_of(database: Database, action: Callable[[int], object], times: int) -> tuple[float, float]:
    for number in range(20):  # both drivers have prepared the statements then
        action(number)
    with database.read() as connection:
        backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    own, other = time.process_time(), _cpu_of_process(backend)
    for number in range(times):
        action(number)
    return (time.process_time() - own) / times * 1e6, (_cpu_of_process(backend) - other) / times * 1e6


def _cpu_of_process(pid: int) -> float:
    """Seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _read(database: Database, keys: Sequence[uuid.UUID], number: int) -> None:
    with database.read() as connection:
        connection.execute(select(_TABLE).where(_TABLE.c.id == keys[number % ROWS])).one()


def _change(database: Database, keys: Sequence[uuid.UUID], number: int) -> None:
    with database.transaction() as connection:
        mine = _TABLE.c.id == keys[number % ROWS]
        connection.execute(select(_TABLE).where(mine).with_for_update()).one()
        connection.execute(update(_TABLE).where(mine).values(text_1="changed", number_1=number % 1_000))


def _write(database: Database, _: int) -> None:
    with database.transaction() as connection:
        _insert(connection)


def _insert(connection: Any) -> list[uuid.UUID]:
    keys = [uuid.uuid4() for _ in range(ROWS)]
    row = {"text_0": "a few words", "text_1": None, "number_0": 1, "number_1": 2}
    connection.execute(insert(_TABLE), [{"id": key, **row} for key in keys])
    return keys


def wait_by_trampoline(gen: Any, fileno: int, interval: float = 0.0, timeout: float | None = None) -> Any:
    """The least that psycopg's own cursor needs to wait on eventlet's hub."""
    from eventlet.hubs import trampoline
    from psycopg.waiting import Ready, Wait

    try:
        wanted = next(gen)
        while True:
            reads = wanted == Wait.R  # for both: whatever is sent here is small, and the socket can be written
            trampoline(fileno, read=reads, write=not reads, timeout=40)
            wanted = gen.send(Ready.R if reads else Ready.W)
    except StopIteration as end:
        return end.value
