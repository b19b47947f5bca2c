"""Counts of cases and of visits: for the public those of the newest weekly release, for staff in full."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from contracts.base import UnitCode
from contracts.insight import CountCases, Counts, CountVisits, Dimension, VisitCounts, VisitDimension
from contracts.vocabulary import ActorKind, Kind, Stage
from gateway.api.dependencies import ContainerDep, Shown, VisitorDep, answer
from gateway.api.fields import Body, Day
from gateway.api.openapi_responses import problems

router = APIRouter(tags=["figures"])


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


@router.get(
    "/figures",
    operation_id="countCases",
    summary="How many cases",
    response_model=Counts,
    responses=problems(401, 403, 422),
)
async def count(
    container: ContainerDep, visitor: VisitorDep, _: Shown, filters: Annotated[FigureFilters, Query()]
) -> Response:
    """The public is answered from the newest weekly release, which counts up to `until`: blurred, in fives, by month and at
    most one of unit, ground, kind and stage. What is too small to be published is left out, as is what has no case."""
    caller = visitor.caller
    actor = caller.actor(visitor.language) if caller is not None and caller.kind is ActorKind.STAFF else None
    request = CountCases(actor=actor, **filters.model_dump())
    return answer(await container.rabbit.ask("insight", "count_cases", request, Counts))


@router.get(
    "/figures/visits",
    operation_id="countVisits",
    summary="How many visits, and what became of them",
    response_model=VisitCounts,
    responses=problems(401, 403, 422),
)
async def count_visits(
    container: ContainerDep, visitor: VisitorDep, _: Shown, filters: Annotated[VisitFilters, Query()]
) -> Response:
    """By Jalali month, unit and ground. For the public by month alone, of the newest weekly release; a figure too small to be
    published is null."""
    caller = visitor.caller
    actor = caller.actor(visitor.language) if caller is not None and caller.kind is ActorKind.STAFF else None
    request = CountVisits(actor=actor, **filters.model_dump())
    return answer(await container.rabbit.ask("insight", "count_visits", request, VisitCounts))
