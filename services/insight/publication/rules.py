"""What may be published, and how a figure is blurred (docs/adr/0012-public-figures.md).

A published cell is the true count plus a random whole number that has no bounds, drawn once and kept for ever. Whatever is
published is computed from such cells alone. So nothing that anybody computes from public answers, with any number of filings
of their own among them, is certain about anybody else's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from math import ceil, sqrt
from zoneinfo import ZoneInfo

TEHRAN = ZoneInfo("Asia/Tehran")
STEP = 5
"""Public figures are multiples of it."""
CASES_A_YEAR = 20
"""A unit with fewer within twelve months is published only as a part of the unit above it (DOMAIN: Analysis)."""
RELEASED_AT = time(4)
"""On Saturdays, in Tehran: events of Friday night have arrived by then."""
_SATURDAY = 5


TABLES = ("all", "kind", "ground", "stage", "unit")
"""What the cells of a published table of cases are counted by. A case is in one cell of each."""
DURATIONS = (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365)
"""Days from the filing to the last decision, up to which a cell counts; one more has the rest."""
SCORES = range(1, 6)

_DRAW = 2
"""Bits of one draw: a blur grows by one with a chance of 3/4. So no published cell becomes more than 4/3 as likely, or less
than 3/4, by one case more or less."""
_SMALLEST = 35
"""A blurred figure below this is not published. So one of 4 cases is with a chance of 1 in 13,000, one of none 1 in 40,000."""


def blurred(key: bytes, cell: str, count: int) -> int:
    """The count as it is published: always the same for the same cell and count, unforeseeable without the key.

    The difference of two geometric numbers, drawn from whole bits: no rounding of floats reveals anything.
    """
    draws = _draws(key, f"{cell}|{count}")
    return count + _geometric(draws) - _geometric(draws)


def _geometric(draws: Iterator[int]) -> int:
    """How many draws come before the first zero."""
    number = 0
    while next(draws) != 0:
        number += 1
    return number


def _draws(key: bytes, cell: str) -> Iterator[int]:
    """Random numbers of `_DRAW` bits, without end. `key`: at most 64 octets."""
    block = 0
    while True:
        digest = hashlib.blake2b(f"{block}|{cell}".encode(), key=key).digest()
        for byte in digest:
            for shift in range(0, 8, _DRAW):
                yield (byte >> shift) & ((1 << _DRAW) - 1)
        block += 1


def smallest(cells: int) -> int:
    """The smallest sum of so many blurred cells that is published: their blurs add up as the root of their number."""
    return STEP * ceil(_SMALLEST * sqrt(cells) / STEP)


def public(total: int, cells: int) -> int | None:
    """A sum of blurred cells as it is published; None when it is too small."""
    return total - total % STEP if cells and total >= smallest(cells) else None


def enough(total: int, cells: int) -> bool:
    """Whether this sum of a unit's blurred cells of twelve months is a unit of `CASES_A_YEAR`."""
    return cells > 0 and total >= CASES_A_YEAR


def last_day(moment: datetime) -> date:
    """The last day that figures released by this moment count: the Friday before the newest Saturday."""
    local = moment.astimezone(TEHRAN)
    since_saturday = (local.weekday() - _SATURDAY) % 7
    if since_saturday == 0 and local.time() < RELEASED_AT:
        since_saturday = 7
    return local.date() - timedelta(days=since_saturday + 1)


def duration_key(kind: str, limit: int | None) -> str:
    """The cell of decisions about a kind within so many days, and more than of the limit before; None: after all limits."""
    return f"{kind}:{'more' if limit is None else limit}"


def duration_limit(days: int) -> int | None:
    """The smallest limit within which so many days are."""
    return next((limit for limit in DURATIONS if days <= limit), None)


def within(blurred_cells: Sequence[tuple[int | None, int]], share: float) -> int | None:
    """The smallest limit of days within which this share was decided; None: too few were, or not within any limit.

    `blurred_cells`: limit and blurred count, by growing limits. Made of the blurred cells alone, so it tells no more than they.
    """
    counts = [max(0, count) for _, count in blurred_cells]
    total = sum(counts)
    if public(total, len(counts)) is None:
        return None
    reached = 0
    for (limit, _), count in zip(blurred_cells, counts, strict=True):
        reached += count
        if reached >= share * total:
            return limit
    return None


def average_score(blurred_cells: Mapping[int, int]) -> float | None:
    """The mean of scores with their blurred counts, to one place; None where there are too few. Of blurred cells alone."""
    counts = {score: max(0, count) for score, count in blurred_cells.items()}
    total = sum(counts.values())
    if public(total, len(counts)) is None:
        return None
    return round(sum(score * count for score, count in counts.items()) / total, 1)


def table_of(by: Collection[str], filtered: Collection[str]) -> str | None:
    """The published table that answers for these dimensions and filters: all, unit, ground, kind or stage; None when none
    does. Months may go with each; two others never go together, so stage and ground do not either."""
    others = {*by, *filtered} - {"month"}
    if not others:
        return "all"
    return next(iter(others & set(TABLES)), None) if len(others) == 1 else None
