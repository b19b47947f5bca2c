"""The rules of figures: what can be counted, and who sees which of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Kind, Role, Stage

SEE_EXACT_FIGURES = frozenset({Role.HEAD, Role.ANALYST, Role.ADMINISTRATOR, Role.SCREENER, Role.INSPECTOR})


@dataclass(frozen=True)
class Viewer:
    """`roles`: of staff, none for anybody else. `unit`: whose cases, and those of the units above, are hidden from them."""

    roles: frozenset[Role]
    unit: str | None

    def sees_exactly(self, roles: frozenset[Role]) -> bool:
        """Whether the figures that these roles see exactly are exact for this viewer."""
        return bool(self.roles & roles)


def viewer(actor: Actor | None) -> Viewer:
    """Staff whose work it is see exact figures; anybody else, of the staff or not, sees what the public sees.

    The conflict of interest holds for all staff (DOMAIN: The people).
    """
    if actor is None or actor.kind is not ActorKind.STAFF:
        return Viewer(roles=frozenset(), unit=None)
    return Viewer(roles=actor.roles, unit=actor.unit)


@dataclass(frozen=True)
class Question:
    """What of a figure is counted. `by`: dimensions, one value of each in the key of a cell; days are Tehran's, both ends
    included; `unit` takes the unit and all below it."""

    by: tuple[str, ...]
    since: date | None = None
    until: date | None = None
    kind: Kind | None = None
    unit: str | None = None
    stage: Stage | None = None

    def filters(self) -> dict[str, str]:
        """Those that were given, but for the days."""
        given = {"kind": self.kind, "unit": self.unit, "stage": self.stage}
        return {name: str(value) for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class UnitScope:
    """Which units count. `within`: those that were asked for, None for all; `hidden`: those that the viewer must not see."""

    within: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FigureCell:
    """`key`: one value for each dimension; `values`: by measure, None when it is too small to be published."""

    key: list[str | None]
    values: Mapping[str, int | None]


@dataclass(frozen=True)
class FigureTable:
    """The answer to a question. `until`: the last day that counts, of public figures alone."""

    cells: list[FigureCell]
    totals: Mapping[str, int | None]
    until: date | None = None


def wrong_with_question(question: Question, dimensions: Sequence[str], filters: Sequence[str]) -> list[dict[str, str]]:
    """What is wrong with a question about a figure that has these dimensions and filters, as the `fields` of an error."""
    wrong = []
    if len(set(question.by)) != len(question.by):
        wrong.append({"field": "by", "reason": "twice"})
    if not set(question.by) <= set(dimensions):
        wrong.append({"field": "by", "reason": "enum"})
    wrong += [{"field": name, "reason": "extra_forbidden"} for name in question.filters() if name not in filters]
    return wrong
