"""RPC of insight: figures."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Answer, Contract, Request, UnitCode
from contracts.gateway import Actor
from contracts.vocabulary import Kind, Outcome, Stage

PRODUCER = "insight"

Dimension = Literal["day", "month", "unit", "ground", "kind", "stage"]
VisitDimension = Literal["month", "unit", "ground"]


class CaseFilters(Contract):
    """Which cases a figure counts. `since`, `until`: Tehran's calendar days, both included; `unit` takes all below it."""

    since: date | None = None
    until: date | None = None
    kind: Kind | None = None
    unit: UnitCode | None = None
    stage: Stage | None = None


class CountCases(CaseFilters, Request):
    """RPC insight.count_cases → Counts. Days are Tehran's calendar days of filing, both ends included.

    `unit` takes the unit and all below it. Anybody but the staff whose work it is gets public figures (docs/adr/0012): of
    the newest weekly release, blurred, in fives, without small cells, of whole Jalali months between `since` and `until`,
    by month and one of unit, ground, kind and stage. InvalidField `too_fine` for anything finer.
    """

    actor: Actor | None = None
    by: Annotated[list[Dimension], Field(min_length=1, max_length=3)]


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


class CountDecisions(CaseFilters, Request):
    """RPC insight.count_decisions → DecisionCounts. Cases that are decided, on the day of their last decision; `since`, `until`:
    Tehran's calendar days of it. `unit` as in CountCases. NotAllowed for all but the staff whose work it is: it is not
    published."""

    actor: Actor | None = None
    by: Annotated[list[Dimension], Field(min_length=1, max_length=3)]


class DecisionFigures(Answer):
    """`settled`: of the decided those that were settled (سازش); `settled_early`: of these those at first reading, without an
    investigation."""

    decided: int
    settled: int
    settled_early: int


class DecisionCell(DecisionFigures):
    """`key`: one value for each dimension of `by`, in order; a month is Jalali, such as 1405-09."""

    key: list[str | None]


class DecisionCounts(Answer):
    by: list[Dimension]
    cells: list[DecisionCell]
    totals: DecisionFigures


class CountRatings(CaseFilters, Request):
    """RPC insight.count_ratings → RatingCounts. Ratings of citizens, on the day they were given; one that a later decision has
    outdated counts no more. `since`, `until`, `unit`, NotAllowed as in CountDecisions."""

    actor: Actor | None = None
    by: Annotated[list[Dimension], Field(min_length=1, max_length=3)]


class RatingFigures(Answer):
    """`unasked`: ratings that citizens gave by themselves; `by_phone`: to an operator who called them (contracts/call_backs.py).
    Never added up: who is asked by phone answers otherwise. Averages of 1 to 5, to two places; None without a rating."""

    unasked: int
    unasked_average: float | None = None
    by_phone: int
    by_phone_average: float | None = None


class RatingCell(RatingFigures):
    """`key`: one value for each dimension of `by`, in order; a month is Jalali, such as 1405-09."""

    key: list[str | None]


class RatingCounts(Answer):
    by: list[Dimension]
    cells: list[RatingCell]
    totals: RatingFigures


class GetPublishedFigures(Request):
    """RPC insight.get_published_figures → PublishedFigures: what everybody may read of the newest weekly release, in one answer
    (docs/adr/0012)."""


class OutcomeCount(Answer):
    outcome: Outcome
    count: int


class ScoreCount(Answer):
    """`score`: 1 to 5."""

    score: int
    count: int


class PublishedMonth(Answer):
    """`month`: Jalali, 1405-09. `cases`: filed in it. `outcomes`: of the decisions of the month that were the last of their case;
    `ratings`: given in it by citizens by themselves, with their average to one place. What is too small to be published is None
    or left out."""

    month: str
    cases: int | None
    outcomes: list[OutcomeCount]
    ratings: int | None
    average_rating: float | None
    scores: list[ScoreCount]


class PublishedDuration(Answer):
    """Of a Jalali season, whose first and last day `since` and `until` are: how many cases of a kind were decided, and within how
    many days of their filing, awaited answers included, half and four fifths of them were. None: more than a year."""

    since: date
    until: date
    kind: Kind
    decided: int
    half_within_days: int | None
    most_within_days: int | None


class PublishedFigures(Answer):
    """The newest first. `until`: the last day that the release counts; None before the first one."""

    until: date | None
    months: list[PublishedMonth]
    durations: list[PublishedDuration]


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
