"""Chance and time. Everything random is drawn from one printed seed, and this is the only place that lets time pass: the
moment of a kill is a timer, not an event, so there is nothing to wait for. What follows a kill is waited for by
`eventually`, as everywhere.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable


def seed() -> int:
    """PEYGIR_SEED, or one of this moment; whoever draws from it prints it."""
    return int(os.environ.get("PEYGIR_SEED") or time.time_ns() % 1_000_000)


def rounds(usually: int) -> int:
    """PEYGIR_ROUNDS, or as many as the test plays of itself."""
    return int(os.environ.get("PEYGIR_ROUNDS") or usually)


def pass_time(seconds: float, look: Callable[[], object] = lambda: None) -> None:
    """Lets time pass, looking ten times a second."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        look()
        time.sleep(min(left, 0.1))


def chance(of: int, number: int) -> random.Random:
    """The `number`-th stream of chance under a seed, for a thread of its own."""
    return random.Random(of * 1_000 + number)
