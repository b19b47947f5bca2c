"""What a figure is: the type of each entry of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, FromClause

from contracts.insight import Dimension
from contracts.vocabulary import Role
from services.insight.figures.rules import SEE_EXACT_FIGURES

CASE_DIMENSIONS: tuple[Dimension, ...] = ("day", "month", "unit", "ground", "kind", "stage")


@dataclass(frozen=True)
class Counted:
    """What is counted. `source`: `facts`, alone or joined to a table of what happened to its cases; `day`: the day, in
    Tehran, on which it counts; `measures`: an aggregate for each number of a cell; `month`: the Jalali month of the day,
    where a column has it (None: made of the day); `where`: which rows of the source count."""

    source: FromClause
    day: ColumnElement[date]
    measures: Mapping[str, ColumnElement[int]]
    month: ColumnElement[str] | None = None
    where: tuple[ColumnElement[bool], ...] = ()


PublicCount = Callable[[Connection, str, date, date], Mapping[str | None, Mapping[str, int]]]
"""(connection, table, since, until) → key → measure → count. The key of the table "all" is None, and so is that of a case without
a unit."""


@dataclass(frozen=True)
class Publication:
    """How a figure is published: in tables by nothing ("all"), kind, stage, ground, unit, outcome, score, or kind and duration,
    released at the end of each week, Jalali month or season (docs/adr/0012-public-figures.md)."""

    count: PublicCount
    weekly: tuple[str, ...] = ()
    monthly: tuple[str, ...] = ()
    quarterly: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """One entry of the catalogue. `exact_for`: the roles that see it exactly, but for cases about their own unit or one above it;
    `publication`: what everybody else sees; None: nothing."""

    name: str
    counted: Counted
    dimensions: tuple[Dimension, ...] = CASE_DIMENSIONS
    filters: tuple[str, ...] = ("kind", "unit", "stage")
    exact_for: frozenset[Role] = SEE_EXACT_FIGURES
    publication: Publication | None = None

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of a cell's numbers, in the order of the answer."""
        return tuple(self.counted.measures)
