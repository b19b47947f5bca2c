"""The input is doubled twice, and the work compared.

The work of one reading is taken as the least of several runs in CPU time. Four times the input takes about four times as
long where reading is linear and sixteen times where it is quadratic; what is asserted lies between the two.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

Read = Callable[[Any], object]
Build = Callable[[int], Any]

_BETWEEN = 9
_SHORTEST = 2e-4
"""Seconds; what takes less is not told apart from the clock's own steps."""


def assert_linear(read: Read, build: Build, size: int) -> None:
    """Fails when `read` takes far more than four times as long for `build(size)` as for a quarter of it."""
    small, large = build(size // 4), build(size)
    ratios: list[float] = []
    while len(ratios) < 3 and (not ratios or ratios[-1] >= _BETWEEN):
        ratios.append(_seconds(read, large) / max(_seconds(read, small), _SHORTEST))
    assert min(ratios) < _BETWEEN, f"four times the input was {min(ratios):.0f} times the work"


def _seconds(read: Read, given: object) -> float:
    """The least CPU time of some readings. A refusal costs, too."""
    least = float("inf")
    for _ in range(3):
        began = time.thread_time()
        with contextlib.suppress(Exception):
            read(given)
        least = min(least, time.thread_time() - began)
    return least
