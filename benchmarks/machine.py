"""The machine that is measured on: what it is, how busy other processes keep it, and the memory of a process."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.environment import ROOT

TICK = os.sysconf("SC_CLK_TCK")
QUIET, DISTURBED = 0.08, 0.10
"""Shares of the machine: below the first it counts as idle; above the second a figure is doubtful."""
BUSY_LOAD = 0.7
"""A load average at the start above which other processes are busy."""


def describe() -> dict[str, str]:
    """What a reader needs to judge the figures."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "cores": str(os.cpu_count()),
        "cpu": model[1] if model else platform.machine(),
        "memory": f"{int(memory[1]) / 2**20:.0f} GiB" if memory else "unknown",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load average at the start": f"{os.getloadavg()[0]:.2f}",
    }


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    return git("rev-parse", "--short", "HEAD") + (" and changes" if git("status", "--porcelain", "-uno") else "")


def await_idle(patience: float) -> float:
    """Waits until the machine is idle; the share of it that was busy in the last half second."""
    deadline = time.monotonic() + patience
    while True:
        before = _busy()
        time.sleep(0.5)
        share = (_busy() - before) / 0.5 / (os.cpu_count() or 1)
        if share < QUIET or time.monotonic() > deadline:
            return share


@dataclass
class OtherLoad:
    """`others`: the share of the machine that other processes used; set at the end."""

    others: float = 0.0


@contextmanager
def measuring_others() -> Iterator[OtherLoad]:
    """Measures what other processes use: all but this one and its descendants."""
    other_load, began, root = OtherLoad(), time.monotonic(), os.getpid()
    busy, own = _busy(), _used_below(root)
    yield other_load
    seconds = (time.monotonic() - began) * (os.cpu_count() or 1)
    other_load.others = max(0.0, (_busy() - busy) - (_used_below(root) - own)) / seconds


def _busy() -> float:
    """CPU seconds that the machine was busy since it started."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICK  # without idle and waiting for disks


def _used_below(root: int) -> float:
    """CPU seconds of a process, all below it, and their children that have ended."""
    parents, used = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
            used[int(folder.name)] = sum(int(word) for word in fields[11:15]) / TICK
    return sum(seconds for pid, seconds in used.items() if _is_below(pid, root, parents))


def _is_below(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid not in (root, 0, 1):
        pid = parents.get(pid, 0)
    return pid == root


def resident(pid: int) -> float:
    """MiB in memory now."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> float:
    """MiB in memory at most, since `reset_peak`."""
    return _status(pid, "VmHWM")


def reset_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> float:
    match = re.search(rf"^{name}:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert match, f"{name} of process {pid} is unknown"
    return int(match[1]) / 1024
