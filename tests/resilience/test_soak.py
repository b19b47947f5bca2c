"""Long enough: nothing grows but what is stored. PEYGIR_MINUTES says how long (30 of itself; 2 are enough to try it)."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from deploy.local.environment import SERVICES
from deploy.local.processes import System
from tests.e2e.people import Town
from tests.resilience.conftest import Report
from tests.resilience.fault_injection import Member
from tests.resilience.filing_client import Client, FiledReport, renew, signed_in
from tests.resilience.final_checks import Databases, check_everything, check_nothing_waits
from tests.resilience.randomness import pass_time, random_stream

MINUTES = float(os.environ.get("PEYGIR_MINUTES") or 30)
HALF = 0.5  # of what the machine has
MEMORY_MAY_GROW = 24 * 2**20  # bytes, for each process, from the second quarter to the end
Reading = dict[str, dict[str, int]]


def measured(town: Town) -> Reading:
    """What each process holds, and what lies about."""
    system, reading = town.system, {}
    for member in system.members():
        held = [usage for usage in map(_held, _tree(member)) if usage is not None]
        memory, files = (sum(column) for column in zip(*held, strict=True))
        reading[member.name] = {"memory": memory, "files": files, "processes": len(held)}
    work = system.state / "media-work"
    connections = _rabbitmqctl(system, "list_connections", "pid")
    sessions = Databases(system).value(
        "tracking", "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    )
    queues = _rabbitmqctl(system, "list_queues", "name")
    reading["all"] = {
        "connections to the broker": len(connections),
        "sessions of the database": int(sessions),
        "queues": len(queues),
        "files of media's work": sum(1 for _ in work.rglob("*")) if work.exists() else 0,
        "temporary files": sum(1 for _ in Path("/tmp").glob("peygir-*")),  # noqa: S108  # looked at, not written
    }
    return reading


def _held(process: psutil.Process) -> tuple[int, int] | None:
    """Bytes that are this process's alone (PostgreSQL's shared memory would be counted once for each session), and its open
    files; None for a session or a worker that has just ended."""
    try:
        return process.memory_full_info().uss, process.num_fds()
    except psutil.NoSuchProcess:
        return None


@pytest.mark.long
@pytest.mark.timeout(int(MINUTES * 60 + 900))
def test_under_steady_load_only_stored_data_grows(town: Town, seed: int, report: Report) -> None:
    before = Databases(town.system).cases()
    citizens = signed_in(town, 3)
    client = Client(town.system.gateway_url, citizens, seed, threads=6, pause=0.2, evidence=0.03).start()
    readers = Readers(town.system.gateway_url, lambda: client.entries, seed)
    readings: list[Reading] = []
    busy = Busy(town.system)
    began = renewed = time.monotonic()
    try:
        while (passed := time.monotonic() - began) < MINUTES * 60:
            pass_time(min(30, MINUTES * 60 / 12))
            readings.append(measured(town))
            used = busy.since_last()
            client.pause *= min(1.5, max(0.7, used / HALF))
            report(f"{passed / 60:5.1f} min  {used:.0%} busy  {len(client.entries)} filed  {_short(readings[-1])}")
            if time.monotonic() - renewed > 420:
                renew(town, citizens)
                renewed = time.monotonic()
        entries = client.finish()
    finally:
        client.abandon()
        readers.stop()
    check_nothing_waits(town.system)
    readings.append(measured(town))
    check_everything(town, entries, before)
    assert not readers.wrong, readers.wrong[:5]
    report(f"{len(entries)} filed, {readers.read} read in {MINUTES:g} min; at the end {_short(readings[-1])}")
    _nothing_grew(readings)
    _tables_hold_no_more_than_stored(town)


class Busy:
    """How much of the machine the processes of the system use, whatever else runs on it: capacity is where that is all."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._before = self._used()
        self._at = time.monotonic()

    def since_last(self) -> float:
        """The part of all cores, 0 to 1."""
        used, at = self._used(), time.monotonic()
        part = sum(used[pid] - self._before.get(pid, 0.0) for pid in used) / (at - self._at) / (os.cpu_count() or 1)
        self._before, self._at = used, at
        return part

    def _used(self) -> dict[int, float]:
        seconds = {}
        for process in (process_of_member for member in self._system.members() for process_of_member in _tree(member)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                seconds[process.pid] = times.user + times.system
        return seconds


class Readers:
    """Citizens who look where their cases are."""

    def __init__(self, url: str, entries: Callable[[], list[FiledReport]], seed: int, number: int = 2) -> None:
        self.read = 0
        self.wrong: list[str] = []
        self._entries, self._url = entries, url
        self._stopping = threading.Event()
        for place in range(number):
            threading.Thread(target=self._look, args=(random_stream(seed, 50 + place),), daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _look(self, random_: Any) -> None:
        with httpx.Client(base_url=self._url, timeout=20, trust_env=False) as http:
            while not self._stopping.is_set():
                answered = [entry for entry in list(self._entries()) if entry.answers]
                if answered:
                    shown = http.get("/v1/tracking", headers={"Tracking-Code": random_.choice(answered).code})
                    if shown.status_code == 200:
                        self.read += 1
                    else:
                        self.wrong.append(f"{shown.status_code} {shown.text[:200]}")
                pass_time(random_.uniform(0, 0.05))


def _nothing_grew(readings: list[Reading]) -> None:
    """From the end of warming up to the end: the smallest of some readings each, since garbage comes and goes."""
    quarter = max(1, len(readings) // 4)
    early, late = readings[quarter : 2 * quarter] or readings[:1], readings[-quarter:]
    grown = []
    for name in early[0]:
        for what in early[0][name]:
            first, last = (min(sample[name][what] for sample in some if name in sample) for some in (early, late))
            allowed = max(MEMORY_MAY_GROW, first // 5) if what == "memory" else max(12, first // 4)
            if last - first > allowed:
                grown.append(f"{name}: {what} {first} → {last}")
    assert not grown, grown


def _tables_hold_no_more_than_stored(town: Town) -> None:
    """The outbox is empty; the inbox holds one line for each message handled and nothing that is past its time."""
    databases = Databases(town.system)
    for service in SERVICES:
        assert databases.value(service, "SELECT count(*) FROM outbox") == 0
        stale = "SELECT count(*) FROM inbox WHERE handled_at < now() - interval '31 days'"
        assert databases.value(service, stale) == 0


def _rabbitmqctl(system: System, *question: str) -> list[str]:
    """What the broker says. Its tool starts an Erlang machine of its own each time, and gives up on a busy computer."""
    for _ in range(4):
        with suppress(subprocess.SubprocessError):
            return system.broker.control(*question).splitlines()
    raise AssertionError(f"the broker does not say {question}")


def _tree(member: Member) -> list[psutil.Process]:
    assert member.pid is not None
    root = psutil.Process(member.pid)
    return [root, *root.children(recursive=True)]


def _short(reading: Reading) -> str:
    megabytes = {name: held["memory"] // 2**20 for name, held in reading.items() if "memory" in held}
    return f"{sum(megabytes.values())} MiB {megabytes} {reading['all']}"
