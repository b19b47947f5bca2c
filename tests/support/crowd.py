"""`python -m tests.support.crowd URL`: forty green threads on a pool of three connections. Each asks for values of its own, in
transactions and without; every now and then one is killed or times out wherever it is. Ends with an error when one reads
what is not its own, or when the pool has lost a connection."""

from __future__ import annotations

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import warnings

warnings.filterwarnings("ignore", message="(?s).*Eventlet is deprecated.*")

import eventlet

eventlet.monkey_patch()

import random
import sys
from typing import Any

from sqlalchemy import text

from backbone.storage.database import Database

THREADS, ROUNDS = 40, 20


def ask(database: Database, number: int, random_: random.Random) -> None:
    for round_ in range(ROUNDS):
        mine = f"{number}-{round_}"
        way = random_.choice((database.read, database.transaction))
        with eventlet.Timeout(random_.choice((0.002, 0.02, 30, 30)), False), way() as connection:
            for part in ("a", "b"):
                answer = connection.execute(text("SELECT :mine, :part, pg_sleep(:s)"), _values(mine, part, random_))
                assert answer.one()[:2] == (mine, part), "an answer was somebody else's"
            statement = "SELECT %(mine)s::text, %(part)s::text, pg_sleep(%(s)s)"
            rows = [_values(mine, part, random_) for part in ("a", "b", "c")]
            assert connection.exec_driver_sql(statement, rows).rowcount == len(rows)
        eventlet.sleep(0)  # whoever waits for the connection comes first


def _values(mine: str, part: str, random_: random.Random) -> dict[str, Any]:
    return {"mine": mine, "part": part, "s": random_.choice((0.0, 0.0, 0.005))}


def main(url: str) -> int:
    database = Database(url, pool_size=3, green=True)
    database.engine.pool._max_overflow = 0  # type: ignore[attr-defined]
    random_ = random.Random(7)
    threads = [eventlet.spawn(ask, database, number, random.Random(number)) for number in range(THREADS)]
    for thread in random_.sample(threads, 10):
        eventlet.sleep(0.05)
        thread.kill()
    for thread in threads:
        try:
            thread.wait()
        except eventlet.greenlet.GreenletExit:
            continue
    connections = [database.engine.connect() for _ in range(3)]  # as many as ever
    backends = {connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() for connection in connections}
    for connection in connections:
        connection.close()
    print(f"every answer was its own; {len(backends)} connections")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
