"""Randomness and time. Everything random is drawn from one printed seed, and this is the only place that lets time pass: the
moment of a kill is a timer, not an event, so there is nothing to wait for. The effects of a kill are waited for by
`eventually`, as everywhere.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable


def rounds(default: int) -> int:
    """PEYGIR_ROUNDS, or the test's own number of rounds."""
    return int(os.environ.get("PEYGIR_ROUNDS") or default)


def pass_time(seconds: float, supervise: Callable[[], object] = lambda: None) -> None:
    """Lets time pass, and calls `supervise` ten times a second."""
    deadline = time.monotonic() + seconds
    while (remaining := deadline - time.monotonic()) > 0:
        supervise()
        time.sleep(min(remaining, 0.1))


def random_stream(seed_value: int, number: int) -> random.Random:
    """The random numbers of one thread under a seed."""
    return random.Random(seed_value * 1_000 + number)
