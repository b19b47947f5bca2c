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
class Rule:
    """One row of the administrator's table of deadlines. What is None fits every case."""

    step: str
    days: int
    kind: str | None = None
    ground: str | None = None
    urgent: bool | None = None

    def fits(self, step: str, kind: str, ground: str, urgent: bool) -> bool:
        wanted = ((self.kind, kind), (self.ground, ground), (self.urgent, urgent))
        return self.step == step and all(own is None or own == value for own, value in wanted)

    @property
    def rank(self) -> tuple[int, bool, bool]:
        """How particular it is: the more it names the more; of two that name as many, first the urgency, then the ground."""
        named = [self.urgent is not None, self.ground is not None, self.kind is not None]
        return sum(named), named[0], named[1]


@dataclass(frozen=True)
class Deadlines:
    """In working days: a first reading; a decision by kind, or when urgent; a unit's and a citizen's answer; the time to
    object. These hold where no row of `rules` is more particular. `mayor`: from the head of inspection to the mayor's
    office; `auto_close`: from a refusal or a final decision to the closing. A citizen who does not answer is reminded after
    `citizen_reminder`, and the case closed after `citizen_close`. `rating`: days of the calendar, from the closing.
    `earlier_auto_close`: that of cases filed before a moment, the earliest first."""

    decision: Mapping[Kind, int] = field(
        default_factory=lambda: {Kind.COMPLAINT: 15, Kind.CRITICISM: 15, Kind.INFORMATION: 30}
    )
    urgent: int = 1
    unit: int = 5
    citizen: int = 10
    citizen_reminder: int = 5
    citizen_close: int = 30
    objection: int = 10
    first_reading: int = 2
    mayor: int = 5
    auto_close: int = 10
    rating: int = 30
    rules: tuple[Rule, ...] = ()
    earlier_auto_close: tuple[tuple[datetime, int], ...] = ()

    def days(self, step: str, kind: Kind, ground: str, urgent: bool) -> int:
        """Working days for a step: decision, first_reading, unit, citizen, citizen_reminder, citizen_close or objection. The most
        particular row wins."""
        return self.rule(step, kind, ground, urgent).days

    def rule(self, step: str, kind: Kind, ground: str, urgent: bool) -> Rule:
        """The row that says so."""
        fitting = [rule for rule in (*self._defaults(), *self.rules) if rule.fits(step, kind, ground, urgent)]
        return max(enumerate(fitting), key=lambda place_and_rule: (place_and_rule[1].rank, place_and_rule[0]))[1]

    def closing(self, filed_at: datetime) -> int:
        """Working days from the end of a case that was filed then to its closing."""
        return next((days for before, days in self.earlier_auto_close if filed_at < before), self.auto_close)

    def _defaults(self) -> list[Rule]:
        steps = ("first_reading", "unit", "citizen", "citizen_reminder", "citizen_close", "objection")
        return [
            Rule("decision", self.urgent, urgent=True),
            *(Rule("decision", days, kind=kind) for kind, days in self.decision.items()),
            *(Rule(step, getattr(self, step)) for step in steps),
        ]
