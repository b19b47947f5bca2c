"""The seed of what is made by chance: `PEYGIR_SEED`, a number that was printed, or `random` for a new one."""

from __future__ import annotations

import os
import random

USUAL = 20_261_127
"""A run on a change is to fail for the change alone, not for a world that nobody has seen before."""


def chosen_seed(usual: int | None = USUAL) -> int:
    """The one that was chosen, else the usual one; `usual` None: a new one. The caller prints it."""
    chosen = os.environ.get("PEYGIR_SEED") or ("random" if usual is None else str(usual))
    return random.SystemRandom().randrange(1_000_000) if chosen == "random" else int(chosen)
