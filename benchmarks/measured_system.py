"""The system under measurement: all of Peygir as in production, except without limits, and with the demo's staff signed in."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from backbone.messaging import topology
from benchmarks import machine
from benchmarks.api_user import ApiUser
from deploy.local.processes import System, remove
from tests.support.processes import eventually, open_broker_client

SETTINGS = {
    "LOG_LEVEL": "warning",
    **{
        f"LIMIT_{name}": "off"
        for name in (
            *("SUBMISSIONS", "CODES", "ONE_CODE", "BAD_CODES", "SIGN_IN", "REFRESH", "SESSION", "ANONYMOUS"),
            "UPLOAD_MEGABYTES",
        )
    },
    # All uploads come from one address here, and most of them belong to no case.
    "MEDIA_ADDRESS_BYTES": str(64 * 1024**3),
    "MEDIA_QUARANTINE_BYTES": str(64 * 1024**3),
    "MEDIA_ADDRESS_FILES": "100000",
    "MEDIA_OPEN_UPLOADS": "100000",
}
SERVER_VARIABLES = ("AMQP_URL", "DATABASE_URL", "S3_ENDPOINT")
"""Removed from the environment: everything is measured on this machine, with private servers."""


class MeasuredSystem:
    """A system in this process' hands. `users`: who use it over HTTP."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.url = system.gateway_url
        self.users = ApiUser(self.url, system.state / "credentials.json")
        self._before, self._since = 0, None

    def pid(self, process: str) -> int:
        pid = self.system.process(process).pid
        assert pid is not None, f"{process} does not run"
        return pid

    def fresh_codes(self, number: int) -> list[str]:
        """Codes of registered cases whose status has not been requested; files more when there are too few."""
        if len(self.users.codes) < number:
            self.users.file_until(number)
            self.settle()
        return self.users.take_codes(number)

    # --- the databases and queues ---

    @cached_property
    def _tracking(self) -> psycopg.Connection[Any]:
        url = self.system.database_url("tracking").replace("+psycopg", "")
        return psycopg.connect(url, autocommit=True)

    def cases(self) -> int:
        """How many cases there are, open or closed."""
        query, since = "SELECT count(*) FROM cases", self._since
        row = self._tracking.execute(f"{query} WHERE filed_at > %s" if since else query, [since] if since else None)
        [(count,)] = row.fetchall()
        return self._before + int(count)

    def count_from_here(self) -> None:
        """From now on counts only new cases: counting a million again and again would be a load itself."""
        self._before, self._since = 0, None
        self.users.filed = self._before = self.cases()
        [(self._since,)] = self._tracking.execute("SELECT max(filed_at) FROM cases").fetchall()

    def settle(self, patience: float = 300.0) -> None:
        """Waits until every case exists, all queues are empty and the machine is idle."""
        eventually(lambda: self.cases() >= self.users.filed, timeout=patience, why="not every submission became a case")
        with open_broker_client(self.system.amqp_url) as client:
            eventually(lambda: not any(map(client.queue_depth, topology.SUBSCRIPTIONS)), timeout=patience, why="queues")
        machine.await_idle(20)


def await_rest(state: Path) -> None:
    """Waits until the gateway has signed its first checkpoint, one to two minutes after its start: for that it reads every
    chain, once a day."""
    eventually(lambda: any((state / "checkpoints").iterdir()), timeout=240, why="no checkpoint was signed")


def start(folder: Path, say: Any, *, fresh: bool = True) -> System:
    """Starts the system; the caller stops it. `fresh`: `folder` is emptied before."""
    if fresh:
        remove(folder)
    for variable in SERVER_VARIABLES:
        with suppress(KeyError):
            del os.environ[variable]
    return System(folder, environment=SETTINGS, report=say).start()
