"""When the city files: two years of days with their weekly and yearly rhythm, the number of cases of each, and their times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from backbone.persian import jalali
from benchmarks.city.context import LEEWAY
from services.tracking.reference.workdays import TEHRAN, Workdays

DAYS = 730
CITIZENS = 0.3
"""Citizens per case: some file more than once."""
_OF_WEEKDAY = (1.1, 1.05, 1.0, 0.55, 0.35, 1.35, 1.2)
"""Monday first; the week begins on Saturday, Thursday is half a day, Friday is free."""
_OF_MONTH = (0.8, 1.0, 1.05, 1.1, 1.1, 1.0, 1.05, 1.1, 1.15, 1.05, 1.0, 0.9)
"""Farvardin first: quiet around Nowruz, busy when it rains."""
_OF_HOUR = (2, 1, 1, 1, 1, 2, 4, 12, 40, 62, 70, 66, 52, 38, 28, 24, 24, 26, 30, 34, 36, 30, 18, 5)


@dataclass(frozen=True)
class Day:
    """`first`: index of the first case of this day; `numbered`: its index within its Jalali year."""

    on: date
    cases: int
    first: int
    numbered: int

    @property
    def year(self) -> int:
        return jalali.year(self.on)


def days(cases: int, last: date, workdays: Workdays) -> list[Day]:
    """Two years of filing days up to `last`, with `cases` in all."""
    all_days = [last - timedelta(days=back) for back in reversed(range(DAYS))]
    weights = [_weight(day, place, workdays) for place, day in enumerate(all_days)]
    whole, seen, before = sum(weights), 0.0, 0
    of_year: dict[int, int] = {}
    planned = []
    for day, weight in zip(all_days, weights, strict=True):
        seen += weight
        until = round(cases * seen / whole)
        year = jalali.year(day)
        planned.append(Day(day, until - before, before, of_year.get(year, 0)))
        of_year[year] = of_year.get(year, 0) + until - before
        before = until
    return planned


def _weight(day: date, place: int, workdays: Workdays) -> float:
    growth = 1 + 0.35 * place / DAYS
    holiday = 0.5 if day in workdays.holidays else 1.0
    return growth * holiday * _OF_WEEKDAY[day.weekday()] * _OF_MONTH[int(jalali.month(day)[-2:]) - 1]


def moments(day: date, rng: Random) -> Iterator[datetime]:
    """When submissions come on a day: mostly in the morning, again in the evening. Without an end."""
    while True:
        [hour] = rng.choices(range(24), _OF_HOUR)
        clocked = time(hour, rng.randrange(60), rng.randrange(60), rng.randrange(1_000_000))
        latest = datetime.combine(day, time(23, 55), TEHRAN) - LEEWAY - timedelta(minutes=5)
        yield min(datetime.combine(day, clocked, TEHRAN), latest).astimezone(UTC)
