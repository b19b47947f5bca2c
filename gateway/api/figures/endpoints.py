"""Counts of cases and of visits: for the public those of the newest weekly release, for staff in full."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from contracts.insight import CountCases, Counts, CountVisits, VisitCounts
from contracts.vocabulary import ActorKind
from gateway.api.dependencies import ContainerDep, Shown, VisitorDep, answer
from gateway.api.figures.bodies import FigureFilters, VisitFilters
from gateway.api.openapi_responses import problems

router = APIRouter(tags=["figures"])


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
