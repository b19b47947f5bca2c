"""Restarts what has died, with growing pauses."""

import time
from collections.abc import Iterator

from deploy.local.child_process import CannotStart
from deploy.local.part import Part
from deploy.local.processes import System

MAX_PAUSE = 30.0
RESET_AFTER = 60.0  # seconds alive, after which the next failure counts as the first


def watch(system: System) -> Iterator[str]:
    """Supervises for ever: yields a line for each failure and each restart, "" when there was none."""
    failures: dict[str, int] = {}
    due: dict[str, float] = {}
    started: dict[str, float] = {}
    while True:
        lines = []
        for member in system.members():
            now, name = time.monotonic(), member.name
            if member.alive:
                if now - started.get(name, now) > RESET_AFTER:
                    failures.pop(name, None)
            elif name not in due:
                failures[name] = failures.get(name, 0) + 1
                pause = min(2.0 ** (failures[name] - 1), MAX_PAUSE)
                due[name] = now + pause
                lines.append(f"{name} died ({member.last_end}), starts again in {pause:.0f} s; log: {member.log}")
            elif now >= due[name]:
                del due[name]
                started[name] = now
                try:
                    # A part's own start would wait for its answer, and nothing would be supervised meanwhile.
                    (member.launch if isinstance(member, Part) else member.start)()
                except CannotStart as problem:
                    lines.append(str(problem))
                else:
                    lines.append(f"{name} started again")
        yield from lines or [""]
