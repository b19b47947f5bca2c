"""RPC of insight: figures."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Answer, Request, UnitCode
from contracts.gateway import Actor
from contracts.vocabulary import Kind, Stage

PRODUCER = "insight"

Dimension = Literal["day", "month", "unit", "ground", "kind", "stage"]
VisitDimension = Literal["month", "unit", "ground"]


class CountCases(Request):
    """RPC insight.count_cases → Counts. Days are Tehran's calendar days of filing, both ends included.

    `unit` takes the unit and all below it. Anybody but the staff whose work it is gets public figures (docs/adr/0012): of
    the newest weekly release, blurred, in fives, without small cells, of whole Jalali months between `since` and `until`,
    by month and one of unit, ground, kind and stage. InvalidField `too_fine` for anything finer.
    """

    actor: Actor | None = None
    by: Annotated[list[Dimension], Field(min_length=1, max_length=3)]
    since: date | None = None
    until: date | None = None
    kind: Kind | None = None
    unit: UnitCode | None = None
    stage: Stage | None = None


class Cell(Answer):
    """`key`: one value for each dimension of `by`, in order; a month is Jalali, such as 1405-09."""

    key: list[str | None]
    count: int | None


class Counts(Answer):
    """Of public figures `total` is None when it is too small to be published, and cells too small are left out, as those
    without any case are; `until`: the last day that the release counts. Exact figures have no `until`."""

    by: list[Dimension]
    cells: list[Cell]
    total: int | None
    until: date | None = None


class CountVisits(Request):
    """RPC insight.count_visits → VisitCounts. Days are Tehran's calendar days, both ends included: the one on which a visit was
    asked for counts for asked, the one on which it ended for the rest.

    `actor`, `unit` as in CountCases. Public figures are by month alone, of the whole city.
    """

    actor: Actor | None = None
    by: Annotated[list[VisitDimension], Field(min_length=1, max_length=3)]
    since: date | None = None
    until: date | None = None
    kind: Kind | None = None
    unit: UnitCode | None = None


class VisitFigures(Answer):
    """How many visits were asked for, and what became of visits: held; avoided, since the case ended before a time was
    chosen; cancelled by the citizen or because the case ended; the citizen did not come. None: too small to be published."""

    asked: int | None
    held: int | None
    avoided: int | None
    cancelled: int | None
    no_show: int | None


class VisitCell(VisitFigures):
    """`key`: one value for each dimension of `by`, in order; a month is Jalali, such as 1405-09."""

    key: list[str | None]


class VisitCounts(Answer):
    """`until`: as in Counts."""

    by: list[VisitDimension]
    cells: list[VisitCell]
    totals: VisitFigures
    until: date | None = None


# --- any figure of the catalogue ---

FigureName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class ListFigures(Request):
    """RPC insight.list_figures → FigureList: the figures that this actor may ask for."""

    actor: Actor | None = None


class FigureDescription(Answer):
    """`measures`: the numbers of a cell. `exact`: the actor gets it exactly, else as it is published."""

    name: FigureName
    label_fa: str
    label_en: str
    measures: list[str]
    dimensions: list[Dimension]
    filters: list[str]
    exact: bool


class FigureList(Answer):
    items: list[FigureDescription]


class CountFigure(Request):
    """RPC insight.count_figure → FigureCounts, for any figure of the catalogue; days, `unit` and who gets public figures as in
    CountCases. NotFound; NotAllowed: it is not published, and the actor has no role that sees it. InvalidField: a dimension or
    filter that the figure has not."""

    actor: Actor | None = None
    figure: FigureName
    by: Annotated[list[Dimension], Field(min_length=1, max_length=3)]
    since: date | None = None
    until: date | None = None
    kind: Kind | None = None
    unit: UnitCode | None = None
    stage: Stage | None = None


class FigureCount(Answer):
    """`key`: one value for each dimension of `by`, in order; `values`: by measure, None when too small to be published."""

    key: list[str | None]
    values: dict[str, int | None]


class FigureCounts(Answer):
    """`until`: as in Counts."""

    figure: FigureName
    by: list[Dimension]
    cells: list[FigureCount]
    totals: dict[str, int | None]
    until: date | None = None
