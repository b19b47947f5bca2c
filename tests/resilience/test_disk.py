"""A database whose disk is full: everything waits, nothing is lost, and it goes on when there is room again."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.parts import PostgreSQL
from deploy.local.processes import System
from tests.e2e.people import people_of
from tests.resilience.conftest import SETTINGS, Report
from tests.resilience.filing_client import Client, signed_in
from tests.resilience.final_checks import Databases, check_everything
from tests.resilience.randomness import pass_time
from tests.support.processes import eventually

SIZE_MB = 260  # a fresh server with six databases takes some 110


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, in memory."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(disk)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_system_recovers_from_a_full_disk(small_disk: Path, tmp_path: Path, seed: int, report: Report) -> None:
    database = PostgreSQL(small_disk / "postgresql", tmp_path / "postgresql.log")
    database.start()
    try:
        with System(tmp_path / "system", environment={**SETTINGS, "DATABASE_URL": database.url}) as system:
            with people_of(system) as town:
                before = Databases(system).cases()
                client = Client(system.gateway_url, signed_in(town, 2), seed, pause=0.1, evidence=0).start()
                eventually(lambda: Databases(system).cases() > before + 20)
                ballast = small_disk / "ballast"
                _fill(ballast)
                report("the disk is full")
                until = time.monotonic() + 30
                while time.monotonic() < until:
                    pass_time(1)
                    if not database.alive:
                        database.launch()  # as a supervisor does; it may not come up before there is room
                stored = sum(bool(entry.answers) for entry in client.entries)
                ballast.unlink()
                report(f"{stored} codes given by the time there is room again")
                if not database.alive:
                    database.start()
                pass_time(2)
                entries = client.finish()
                for process in system.processes():
                    process.await_ready()
                check_everything(town, entries, before)
                report(f"{len(entries)} submissions over a full disk: each one case, told once")
    finally:
        database.stop()


def _fill(file: Path) -> None:
    """Until not a byte more goes in, and whatever is given back meanwhile too."""
    with file.open("ab", buffering=0) as out:
        full = 0
        while full < 20:
            try:
                out.write(b"\0" * 65_536)
            except OSError:
                full += 1
                pass_time(0.1)
