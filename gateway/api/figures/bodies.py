"""Which cases and visits are counted, and by what."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from contracts.base import UnitCode
from contracts.insight import Dimension, VisitDimension
from contracts.vocabulary import Kind, Stage
from gateway.api.fields import Body, Day


class FigureFilters(Body):
    """`by`: one to three dimensions, for the public at most `month` and one other. `since`, `until`: days of filing in Tehran,
    both included; for the public the whole months between them count."""

    by: Annotated[list[Dimension], Query(min_length=1, max_length=3, json_schema_extra={"uniqueItems": True})] = [
        "kind"
    ]
    since: Day | None = None
    until: Day | None = None
    kind: Kind | None = None
    unit: UnitCode | None = None
    stage: Stage | None = None


class DecisionFilters(FigureFilters):
    """As of cases; `since`, `until`: days of the last decision."""


class RatingFilters(FigureFilters):
    """As of cases; `since`, `until`: days of the rating."""


class VisitFilters(Body):
    """`by`: one to three dimensions, for the public `month` alone. `since`, `until`: days in Tehran, both included; for the
    public the whole months between them count."""

    by: Annotated[list[VisitDimension], Query(min_length=1, max_length=3, json_schema_extra={"uniqueItems": True})] = [
        "month"
    ]
    since: Day | None = None
    until: Day | None = None
    kind: Kind | None = None
    unit: UnitCode | None = None
