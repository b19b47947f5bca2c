"""Counts of cases and of visits: for the public those of the newest weekly release, for staff in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from contracts import insight
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from gateway.api.dependencies import Shown, VisitorDep
from gateway.api.figures.bodies import DecisionFilters, FigureFilters, RatingFilters, VisitFilters
from gateway.api.request_endpoints import RequestEndpoint, Rpc, Sender, register_requests, staff_with

router = APIRouter(tags=["figures"])


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads figures: staff, or (`actor` None) the public, citizens included."""

    actor: Actor | None

    @property
    def request_fields(self) -> dict[str, Any]:
        return {"actor": self.actor}


async def _reader(visitor: VisitorDep, _: Shown) -> Reader:
    caller = visitor.caller
    return Reader(caller.actor(visitor.language) if caller is not None and caller.kind is ActorKind.STAFF else None)


READER = Sender(Annotated[Reader, Depends(_reader)], (401, 403))

STAFF_OF_FIGURES = staff_with(Role.HEAD, Role.ANALYST, Role.ADMINISTRATOR, Role.SCREENER, Role.INSPECTOR)

register_requests(
    router,
    RequestEndpoint(
        "GET /figures",
        "countCases",
        "How many cases",
        """
        The public is answered from the newest weekly release, which counts up to `until`: blurred, in fives, by month and at
        most one of unit, ground, kind and stage. What is too small to be published is left out, as is what has no case.
        """,
        READER,
        Rpc("insight.count_cases", insight.CountCases, insight.Counts),
        query=FigureFilters,
    ),
    RequestEndpoint(
        "GET /figures/decisions",
        "countDecisions",
        "How many decisions, and how many cases were settled",
        """
        Cases that are decided, on the day of their last decision. `settled_early`: with the citizen at first reading, without an
        investigation; part of `settled`. For the staff whose work it is; not published.
        """,
        STAFF_OF_FIGURES,
        Rpc("insight.count_decisions", insight.CountDecisions, insight.DecisionCounts),
        query=DecisionFilters,
    ),
    RequestEndpoint(
        "GET /figures/ratings",
        "countRatings",
        "How citizens rate how they were treated",
        """
        Those who rated by themselves (`unasked`) apart from those who were called (`by_phone`): how many, and their average of 1
        to 5. A rating that a later decision outdated is not counted. For the staff whose work it is; not published.
        """,
        STAFF_OF_FIGURES,
        Rpc("insight.count_ratings", insight.CountRatings, insight.RatingCounts),
        query=RatingFilters,
    ),
    RequestEndpoint(
        "GET /figures/visits",
        "countVisits",
        "How many visits, and what became of them",
        """
        By Jalali month, unit and ground. For the public by month alone, of the newest weekly release; a figure too small to be
        published is null.
        """,
        READER,
        Rpc("insight.count_visits", insight.CountVisits, insight.VisitCounts),
        query=VisitFilters,
    ),
)
