"""What changed rules would do to the open cases there are: whose day moves, by how much, who is late at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from contracts.rule_previews import MovedDays, MovedStep
from contracts.vocabulary import Kind
from services.tracking.case.deadlines import changed_days, due_date
from services.tracking.reference.workdays import Deadlines, Workdays


@dataclass(frozen=True)
class Alike:
    """`cases` open cases whose days are computed alike: the decision's from `due_from`, `due_days` and `pauses`, the first
    reading's, of those that wait for it, from `filed_on`. `due_on` None: the clock is paused."""

    kind: Kind
    ground: str
    urgent: bool
    due_from: date
    due_days: int
    due_on: date | None
    pauses: tuple[tuple[str, str], ...]
    filed_on: date | None
    first_due_on: date | None
    cases: int


@dataclass(frozen=True)
class Moved:
    """What moves of cases that are alike: of one step, by so many working days."""

    step: MovedStep
    working_days: int
    late_at_once: bool


def moves(alike: Alike, deadlines: Deadlines, workdays: Workdays, today: date) -> Iterator[Moved]:
    """What these rules move of such cases; nothing where the days stay."""
    about = (alike.kind, alike.ground, alike.urgent)
    days = changed_days(deadlines, *about, alike.due_days)
    if days != alike.due_days:
        after = due_date(workdays, alike.due_from, days, alike.pauses)
        late = alike.due_on is not None and alike.due_on >= today > after
        yield Moved("decision", days - alike.due_days, late)
    if alike.first_due_on is not None and alike.filed_on is not None:
        after = workdays.after(alike.filed_on, deadlines.days("first_reading", *about))
        shift = workdays.between(alike.first_due_on, after) - workdays.between(after, alike.first_due_on)
        if shift:
            yield Moved("first_reading", shift, alike.first_due_on >= today > after)


@dataclass(frozen=True)
class Totals:
    """Of all open cases: how many have another day, how many are late at once, and by how much their days move."""

    moved: int
    late_at_once: int
    by: list[MovedDays]


def totals(groups: Iterable[Alike], deadlines: Deadlines, workdays: Workdays, today: date) -> Totals:
    moved = late_at_once = 0
    by: dict[tuple[MovedStep, int], list[int]] = {}
    for group in groups:
        steps = list(moves(group, deadlines, workdays, today))
        moved += group.cases if steps else 0
        late_at_once += group.cases if any(step.late_at_once for step in steps) else 0
        for step in steps:
            counts = by.setdefault((step.step, step.working_days), [0, 0])
            counts[0] += group.cases
            counts[1] += group.cases if step.late_at_once else 0
    return Totals(
        moved,
        late_at_once,
        [
            MovedDays(step=step, working_days=days, cases=counts[0], late_at_once=counts[1])
            for (step, days), counts in sorted(by.items())
        ],
    )


def new_days(groups: Iterable[Alike], deadlines: Deadlines) -> dict[tuple[Kind, str, bool], int]:
    """The working days for a decision, of the sorts of cases of which some have another number now."""
    return {
        (group.kind, group.ground, group.urgent): days
        for group in groups
        if (days := changed_days(deadlines, group.kind, group.ground, group.urgent, group.due_days)) != group.due_days
    }
