"""Figures: exact for the staff whose work it is, public ones for everybody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection

from contracts.errors import InvalidField, NotAllowed, Unavailable
from contracts.gateway import Actor
from contracts.insight import (
    Cell,
    CountCases,
    CountDecisions,
    CountRatings,
    Counts,
    CountVisits,
    DecisionCell,
    DecisionCounts,
    DecisionFigures,
    RatingCell,
    RatingCounts,
    RatingFigures,
    VisitCell,
    VisitCounts,
    VisitFigures,
)
from services.insight.figures import store
from services.insight.figures.catalogue import cases, decisions, ratings, visits
from services.insight.figures.figure import Figure
from services.insight.figures.rules import (
    FigureCell,
    FigureTable,
    Question,
    UnitScope,
    Viewer,
    viewer,
    wrong_with_question,
)
from services.insight.publication.use_cases import PublicationUseCases
from services.insight.reference import store as reference_store

_Request = CountCases | CountDecisions | CountRatings | CountVisits

MOST_CELLS = 10_000
"""More than anybody reads; an answer beyond it must be requested in parts."""


class FigureUseCases:
    def __init__(self, figures: Iterable[Figure], publication: PublicationUseCases) -> None:
        self._figures = {figure.name: figure for figure in figures}
        self._publication = publication

    def count_cases(self, connection: Connection, request: CountCases) -> Counts:
        """Cases. What `count` raises."""
        table = self._count(connection, cases.NAME, request.actor, request)
        return Counts(
            by=request.by,
            cells=[Cell(key=cell.key, count=cell.values[cases.NAME]) for cell in table.cells],
            total=table.totals[cases.NAME],
            until=table.until,
        )

    def count_decisions(self, connection: Connection, request: CountDecisions) -> DecisionCounts:
        """Decided cases, and settlements among them. What `count` raises."""
        table = self._count(connection, decisions.FIGURE.name, request.actor, request)
        return DecisionCounts(
            by=request.by,
            cells=[DecisionCell(key=cell.key, **cell.values) for cell in table.cells],
            totals=DecisionFigures(**table.totals),
        )

    def count_ratings(self, connection: Connection, request: CountRatings) -> RatingCounts:
        """Ratings, unasked and by phone. What `count` raises."""
        table = self._count(connection, ratings.FIGURE.name, request.actor, request)
        return RatingCounts(
            by=request.by,
            cells=[RatingCell(key=cell.key, **_rated(cell.values)) for cell in table.cells],
            totals=RatingFigures(**_rated(table.totals)),
        )

    def count_visits(self, connection: Connection, request: CountVisits) -> VisitCounts:
        """Visits. What `count` raises."""
        table = self._count(connection, visits.FIGURE.name, request.actor, request)
        return VisitCounts(
            by=request.by,
            cells=[VisitCell(key=cell.key, **cell.values) for cell in table.cells],
            totals=VisitFigures(**table.totals),
            until=table.until,
        )

    def _count(self, connection: Connection, name: str, actor: Actor | None, request: _Request) -> FigureTable:
        return self.count(connection, self._figures[name], viewer(actor), _question(request))

    def count(self, connection: Connection, figure: Figure, reader: Viewer, question: Question) -> FigureTable:
        """Any figure, by one to three dimensions.

        Staff never have cases about their own unit or one above it in any count. Anybody but the roles that see the figure
        exactly gets it as it is published. NotAllowed: it is not published. InvalidField: a dimension or filter that the figure
        has not, a dimension twice, too many cells, or finer than what is public. Unavailable: the viewer's unit is not known
        here yet, so that nobody knows what must be hidden from them.
        """
        if wrong := wrong_with_question(question, figure.dimensions, figure.filters):
            raise InvalidField(fields=wrong)
        if not reader.sees_exactly(figure.exact_for):
            if figure.publication is None:
                raise NotAllowed
            return self._publication.count(connection, figure, figure.publication, question)
        units = _unit_scope(connection, question, reader)
        rows = store.count(connection, figure.counted, question, units, limit=MOST_CELLS + 1)
        if len(rows) > MOST_CELLS:
            raise InvalidField(fields=[{"field": "by", "reason": "too_many_cells"}])
        dimensions = len(question.by)
        cells = [
            FigureCell(
                key=[_text(value) for value in row[:dimensions]],
                values=dict(zip(figure.measures, row[dimensions:], strict=True)),
            )
            for row in rows
        ]
        totals = {measure: sum(cell.values[measure] or 0 for cell in cells) for measure in figure.measures}
        return FigureTable(cells, totals)


def _rated(values: Mapping[str, int | None]) -> dict[str, Any]:
    """The averages in place of the points."""
    shown: dict[str, Any] = {}
    for how in ("unasked", "by_phone"):
        given, points = values[how] or 0, values[f"{how}_points"] or 0
        shown |= {how: given, f"{how}_average": round(points / given, 2) if given else None}
    return shown


def _question(request: _Request) -> Question:
    stage = None if isinstance(request, CountVisits) else request.stage
    return Question(tuple(request.by), request.since, request.until, request.kind, request.unit, stage)


def _unit_scope(connection: Connection, question: Question, reader: Viewer) -> UnitScope:
    """Unavailable for a viewer of a unit that is not known yet."""
    tree = reference_store.unit_tree(connection)
    if reader.unit is not None and reader.unit not in tree:
        raise Unavailable(retry_after=5)
    return UnitScope(
        within=None if question.unit is None else tree.below(question.unit), hidden=tree.in_conflict(reader.unit)
    )


def _text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date) else value
