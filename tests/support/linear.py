"""Asserts that parsing takes linear time, by comparing two sizes of input.

The work of one call is the least CPU time of several. Four times the input takes about four times as long where parsing is
linear, and sixteen times where it is quadratic; the assertion is between the two.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

Read = Callable[[Any], object]
Build = Callable[[int], Any]

_BETWEEN = 9
_CLOCK_RESOLUTION = 2e-4
"""Seconds; shorter times cannot be measured reliably."""


def assert_linear(read: Read, build: Build, size: int) -> None:
    """Fails when `read` takes far more than four times as long for `build(size)` as for a quarter of it."""
    small, large = build(size // 4), build(size)
    ratios: list[float] = []
    while len(ratios) < 3 and (not ratios or ratios[-1] >= _BETWEEN):
        ratios.append(_seconds(read, large) / max(_seconds(read, small), _CLOCK_RESOLUTION))
    assert min(ratios) < _BETWEEN, f"four times the input was {min(ratios):.0f} times the work"


def _seconds(read: Read, value: object) -> float:
    """The least CPU time of some calls; an exception counts like an answer."""
    least = float("inf")
    for _ in range(3):
        began = time.thread_time()
        with contextlib.suppress(Exception):
            read(value)
        least = min(least, time.thread_time() - began)
    return least
