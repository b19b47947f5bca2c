"""What insight answers: figures."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Answer, Request, UnitCode
from contracts.gateway import Actor
from contracts.vocabulary import Kind, Stage

PRODUCER = "insight"

Dimension = Literal["day", "unit", "ground", "kind", "stage"]
VisitDimension = Literal["month", "unit", "ground"]


class CountCases(Request):
    """RPC insight.count_cases → Counts. Days are Tehran's calendar days of filing, both ends included.

    `actor` None is the public: cells below five are suppressed, and every other figure is rounded down to a multiple of
    five, so that no difference of two answers is a small cell. `unit` takes the unit and all below it.
    """

    actor: Actor | None = None
    by: Annotated[list[Dimension], Field(min_length=1, max_length=3)]
    since: date | None = None
    until: date | None = None
    kind: Kind | None = None
    unit: UnitCode | None = None
    stage: Stage | None = None


class Cell(Answer):
    """`key`: one value for each dimension of `by`, in order. `count` None: suppressed, since it is below five."""

    key: list[str | None]
    count: int | None


class Counts(Answer):
    """`total` None: suppressed, since it would tell what a suppressed cell is."""

    by: list[Dimension]
    cells: list[Cell]
    total: int | None


class CountVisits(Request):
    """RPC insight.count_visits → VisitCounts. Days are Tehran's calendar days, both ends included: the one on which a visit was
    asked for counts for asked, the one on which it ended for the rest.

    `actor`, `unit` as in CountCases; what is suppressed, too.
    """

    actor: Actor | None = None
    by: Annotated[list[VisitDimension], Field(min_length=1, max_length=3)]
    since: date | None = None
    until: date | None = None
    kind: Kind | None = None
    unit: UnitCode | None = None


class VisitFigures(Answer):
    """How many visits were asked for, and what became of visits: held; avoided, since the case ended before a time was
    chosen; cancelled by the citizen or because the case ended; the citizen did not come. None: suppressed."""

    asked: int | None
    held: int | None
    avoided: int | None
    cancelled: int | None
    no_show: int | None


class VisitCell(VisitFigures):
    """`key`: one value for each dimension of `by`, in order; a month is Jalali, such as 1405-09."""

    key: list[str | None]


class VisitCounts(Answer):
    by: list[VisitDimension]
    cells: list[VisitCell]
    totals: VisitFigures
