"""Kills, stops and freezes processes, and restarts them as a supervisor does."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from deploy.local.part import Part
from deploy.local.parts import RabbitMQ
from deploy.local.processes import Process, System
from deploy.local.supervision import watch
from tests.resilience.randomness import pass_time
from tests.support.processes import eventually

Member = Part | Process
READY_WITHIN = 150.0


class FaultInjector:
    """Injects faults into one system, from the thread that started it (see deploy.local.child_process.Child)."""

    def __init__(self, system: System, random_: random.Random, report: Callable[[str], None]) -> None:
        self.system, self.random, self.report = system, random_, report
        self._supervisor = watch(system)

    # --- the supervisor ---

    def supervise(self) -> None:
        """One round of the supervisor: restarts what has died."""
        next(self._supervisor)

    def pass_random_time(self, shortest: float, longest: float) -> None:
        """Lets a random time pass, supervised."""
        pass_time(self.random.uniform(shortest, longest), self.supervise)

    def await_ready(self) -> None:
        """Waits until everything is ready; the supervisor's pauses start over then."""

        def ready() -> bool:
            self.supervise()
            missing = [member.name for member in self.system.members() if not _ready(member)]
            assert not missing, f"not ready: {', '.join(missing)}"
            return True

        eventually(ready, timeout=READY_WITHIN, why="the system does not recover")
        self._supervisor = watch(self.system)

    # --- faults ---

    def kill(self, members: Sequence[Member]) -> None:
        """SIGKILL, one right after the other, with all their children."""
        for member in members:
            member.kill()

    def terminate(self, members: Sequence[Member]) -> None:
        """SIGTERM (SIGINT for PostgreSQL), as a deployment does it; each stops by itself within its time."""
        for member in members:
            member.ask_to_stop()

    def freeze(self, members: Sequence[Member], seconds: float) -> None:
        """Frozen for so long, supervised."""
        with frozen(members):
            pass_time(seconds, self.supervise)


@contextmanager
def alarm(broker: RabbitMQ) -> Iterator[None]:
    """The broker's memory alarm: whoever publishes is blocked, whoever consumes is not."""
    broker.control("set_vm_memory_high_watermark", "0.00001")
    try:
        yield
    finally:
        broker.control("set_vm_memory_high_watermark", "0.3")


@contextmanager
def frozen(members: Sequence[Member]) -> Iterator[None]:
    """SIGSTOP, and SIGCONT after: connections stay open, nothing answers, and to the supervisor all are alive."""
    stopped = [process for member in members for process in _tree(member)]
    for process in stopped:
        _signal(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            _signal(process, signal.SIGCONT)


def schedule(members: Sequence[Member], rounds: int, random_: random.Random) -> list[list[Member]]:
    """The members that each round affects: each in turn, several together, all at once, in a random order."""
    singles = [[member] for member in random_.sample(members, len(members))]
    together = [random_.sample(members, random_.randint(2, 4)) for _ in range(-(-rounds // 3))]
    everyone = [random_.sample(members, len(members)) for _ in range(-(-rounds // 8))]
    alone = max(rounds - len(together) - len(everyone), 0)
    affected = (singles * (1 + alone // len(singles)))[:alone] + together + everyone
    random_.shuffle(affected)
    return affected[:rounds]


def names(members: Sequence[Member], all_of: Sequence[Member]) -> str:
    """Their names, for reports."""
    return "everything" if len(members) == len(all_of) else ", ".join(member.name for member in members)


def _ready(member: Member) -> bool:
    return member.alive and (member._answers() if isinstance(member, Part) else member.ready())


def _tree(member: Member) -> list[psutil.Process]:
    if member.pid is None:
        return []
    root = psutil.Process(member.pid)
    return [root, *root.children(recursive=True)]


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)
