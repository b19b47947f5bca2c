"""CPU time by process: what one unit of work costs each process of the system. It hardly depends on what else runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.figures import GENERATOR, CpuCost
from benchmarks.machine import TICK
from benchmarks.reference_loop import loop_milliseconds
from deploy.local.child_process import running

Result = TypeVar("Result")

PARTS = {"rabbitmq": "RabbitMQ", "postgresql": "PostgreSQL", "objects": "S3"}
"""Folder of a private server in the state folder → its name in the figures."""

_QUIET_SHARE = 0.25
"""Of one core: work of the system that goes on after the load uses more than this, its timers less."""
_QUIET_SECONDS = 1.5
"""Longer than any pause in which a consumer collects a batch."""
_SAMPLE = 0.25


@dataclass(frozen=True)
class ProcessTimes:
    """One process of /proc. `parent`: its id; `own`, `ended_children`: CPU seconds of all its threads, and of those of its
    children that have ended and been waited for."""

    parent: int
    own: float
    ended_children: float


def parse_stat(text: str) -> ProcessTimes:
    """The content of /proc/PID/stat (proc(5)): ppid is field 4, utime to cstime are 14 to 17, in clock ticks. The name, field
    2, may contain spaces and parentheses."""
    fields = text.rpartition(")")[2].split()
    user, system, children_user, children_system = (int(word) for word in fields[11:15])
    return ProcessTimes(int(fields[1]), (user + system) / TICK, (children_user + children_system) / TICK)


def process_table() -> dict[int, ProcessTimes]:
    """All processes of the machine, by id."""
    table = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                table[int(folder.name)] = parse_stat((folder / "stat").read_text())
            except OSError:
                continue  # it ended meanwhile
    return table


def seconds_by_group(table: Mapping[int, ProcessTimes], roots: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds of groups of processes since their start: each group is a root process and all below it, except what
    belongs to another root. `roots`: name of the group → id of its root.

    A process that ends is counted on in the times of its parent, once that has waited for it: as PostgreSQL does for its
    backends, and media for the programs that examine files.
    """
    names = {pid: name for name, pid in roots.items()}
    seconds = dict.fromkeys(roots, 0.0)
    for pid, times in table.items():
        ancestor = pid
        while ancestor not in names and ancestor in table:
            ancestor = table[ancestor].parent
        if ancestor in names:
            seconds[names[ancestor]] += times.own + times.ended_children
    return seconds


def system_roots(state: Path) -> dict[str, int]:
    """The roots of a system whose state is in this folder, by the pid files that `./peygir up` writes there: name of a service,
    "gateway", "simulator" or the name of a private server → process id."""
    files = {file.stem: file for file in sorted((state / "run").glob("*.pid"))}
    files |= {name: state / folder / "pid" for folder, name in PARTS.items()}
    pids = {name: running(file) for name, file in files.items()}
    return {name: pid for name, pid in pids.items() if pid is not None}


class ProcessorMeter:
    """Measures what a system's processes use. `find_roots`: as `system_roots`, asked at the start and end of each measurement.
    RuntimeError when a process of the system was replaced by another meanwhile, since its time is lost."""

    def __init__(self, find_roots: Callable[[], Mapping[str, int]]) -> None:
        self._find_roots = find_roots

    def cost_of(
        self, unit: str, work: Callable[[], Result], units: Callable[[Result], float]
    ) -> tuple[Result, CpuCost]:
        """The result of `work`, and the cost of each of its `units`, to the end of what it caused in the system.

        The load generator's is counted until `work` returns.
        """
        loop_before = loop_milliseconds()
        roots = dict(self._find_roots())
        before, generator_before = seconds_by_group(process_table(), roots), time.process_time()
        result = work()
        generator = time.process_time() - generator_before
        after = self._when_quiet(roots)
        self._check(roots)
        used = {name: after[name] - before[name] for name in roots} | {GENERATOR: generator}
        number = units(result)
        by_process = {name: seconds * 1000 / number for name, seconds in used.items()}
        return result, CpuCost(unit, by_process, (loop_before, loop_milliseconds()))

    def at_rest(self, seconds: float) -> CpuCost:
        """Milliseconds of CPU in each second of a time in which nothing is asked of the system; 10 of them are 1 % of a core."""
        loop_before = loop_milliseconds()
        roots = dict(self._find_roots())
        before, began = seconds_by_group(process_table(), roots), time.monotonic()
        time.sleep(seconds)
        after, took = seconds_by_group(process_table(), roots), time.monotonic() - began
        self._check(roots)
        by_process = {name: (after[name] - before[name]) * 1000 / took for name in roots}
        return CpuCost("second at rest", by_process, (loop_before, loop_milliseconds()))

    def await_quiet(self) -> None:
        """Waits until the system has done all that it was given, by what it uses."""
        self._when_quiet(dict(self._find_roots()))

    def _when_quiet(self, roots: Mapping[str, int], patience: float = 120.0) -> dict[str, float]:
        """CPU seconds by group at the beginning of the first time in which the system is quiet."""
        deadline = time.monotonic() + patience
        quiet_since = latest = seconds_by_group(process_table(), roots)
        began = sampled = time.monotonic()
        while time.monotonic() - began < _QUIET_SECONDS:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the system was not quiet {patience:.0f} s after the load")
            time.sleep(_SAMPLE)
            current, moment = seconds_by_group(process_table(), roots), time.monotonic()
            if sum(current.values()) - sum(latest.values()) > _QUIET_SHARE * (moment - sampled):
                quiet_since, began = current, moment
            latest, sampled = current, moment
        return quiet_since

    def _check(self, roots: Mapping[str, int]) -> None:
        replaced = [name for name, pid in self._find_roots().items() if roots.get(name) != pid]
        gone = set(roots) - set(self._find_roots())
        if replaced or gone:
            raise RuntimeError(f"{', '.join(sorted({*replaced, *gone}))} did not live through the measurement")
