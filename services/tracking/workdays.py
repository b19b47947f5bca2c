"""Working days and what is owed in how many of them (DOMAIN: The life of a case). Days are Tehran's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.vocabulary import Kind

TEHRAN = ZoneInfo("Asia/Tehran")
ONE_DAY = timedelta(days=1)


def day_of(moment: datetime) -> date:
    """The day it is in Tehran at `moment`."""
    return moment.astimezone(TEHRAN).date()


@dataclass(frozen=True)
class Workdays:
    """The city's calendar. `weekend`: days of the week, Monday 0; never all seven."""

    weekend: frozenset[int]
    holidays: frozenset[date] = frozenset()

    def works(self, day: date) -> bool:
        return day.weekday() not in self.weekend and day not in self.holidays

    def after(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`, which itself is not counted; `day` when `count` is 0."""
        while count > 0:
            day += ONE_DAY
            count -= self.works(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Working days after `start`, up to and with `end`; 0 when `end` is not after `start`."""
        days = (start + ONE_DAY * step for step in range(1, (end - start).days + 1))
        return sum(self.works(day) for day in days)


@dataclass(frozen=True)
class Deadlines:
    """In working days: a decision by kind, or when urgent; a unit's and a citizen's answer; the time to object."""

    decision: Mapping[Kind, int] = field(
        default_factory=lambda: {Kind.COMPLAINT: 15, Kind.CRITICISM: 15, Kind.INFORMATION: 30}
    )
    urgent: int = 1
    unit: int = 5
    citizen: int = 10
    objection: int = 10

    def owed(self, kind: Kind, urgent: bool) -> int:
        """Working days in which a decision is owed."""
        return self.urgent if urgent else self.decision[kind]
