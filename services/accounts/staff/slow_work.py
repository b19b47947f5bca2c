"""Slow arithmetic, run where it does not hold up other requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class RunSlow(Protocol):
    """Runs it, and gives what it gave. Unavailable when too much of it waits already."""

    def __call__(self, work: Callable[[], Result], /) -> Result: ...


def run_here(work: Callable[[], Result], /) -> Result:
    """In the caller's own thread: for commands and tests."""
    return work()
