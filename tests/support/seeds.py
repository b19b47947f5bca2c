"""The seed of a world made by chance."""

from __future__ import annotations

import os
import random

USUAL = 20_261_127
"""A run on a change is to fail for the change alone, not for a world that nobody has seen before."""


def chosen_seed() -> int:
    """`PEYGIR_SEED`: a number that was printed, or `random` for a new world; else the usual one."""
    chosen = os.environ.get("PEYGIR_SEED", str(USUAL))
    return random.SystemRandom().randrange(1_000_000) if chosen == "random" else int(chosen)
