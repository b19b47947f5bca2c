"""The work of staff on cases. Each command carries the version it saw (If-Match) and a key that makes it happen once."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from contracts import accounts, searches, tracking
from contracts.gateway import Actor
from contracts.vocabulary import Role
from gateway.api.attachments import register_attachment
from gateway.api.case_commands import register_staff_commands
from gateway.api.cases import presence
from gateway.api.cases.commands import STAFF_COMMANDS
from gateway.api.dependencies import CaseId, ContainerDep, StaffDep, container_of, relay, relay_case, staff_actor
from gateway.api.openapi_responses import CASE, directly, problems
from gateway.api.request_endpoints import STAFF, Field, RequestEndpoint, Rpc, register_requests
from gateway.api.searches.bodies import CountQuery, CountsBody, PageQuery, parse_page_query
from gateway.cases.command_forms import StaffCase
from gateway.container import AppContainer

router = APIRouter(tags=["cases"])
register_staff_commands(router, STAFF_COMMANDS)
router.include_router(presence.router)


async def _list(request: Request) -> Response | None:
    container = container_of(request)
    actor = staff_actor(container, request)
    filters = parse_page_query(request.query_params)
    return None if filters is None else await _list_cases(container, actor, filters)


async def _list_cases(container: AppContainer, actor: Actor, filters: PageQuery) -> Response:
    return await relay(container, "tracking", "list_cases", searches.ListCases(actor=actor, **filters.request_fields()))


async def _get(request: Request) -> Response:
    container = container_of(request)
    return await _get_case(container, staff_actor(container, request), UUID(request.path_params["case_id"]))


async def _get_case(container: AppContainer, actor: Actor, case_id: UUID) -> Response:
    request = tracking.GetCase(actor=actor, case_id=case_id)
    return await relay_case(container, "get_case", request, case_id, actor.language)


@router.get(
    "/cases",
    operation_id="listCases",
    summary="The cases I may see",
    response_model=searches.CasePage,
    responses=problems(401, 403, 404, 422),
)
@directly(_list)
async def list_cases(container: ContainerDep, signed_in: StaffDep, filters: Annotated[PageQuery, Query()]) -> Response:
    """Newest filed first, or as `sort` says, by pages: `next` is the `after` of the following one. All filters have to hold,
    of several values of one filter one of them. A case against the unit one belongs to, or one above it, is never among
    them. To an analyst they come masked, without what is said in them and who handles them, and cannot be looked for by
    either (403), nor by a kept search."""
    return await _list_cases(container, signed_in.actor, filters)


register_requests(
    router,
    RequestEndpoint(
        "GET /cases/count",
        "countFoundCases",
        "How many cases I may see",
        "With the filters of the list.",
        STAFF,
        Rpc("tracking.count_found_cases", searches.CountFoundCases, searches.CaseCount),
        query=CountQuery,
        errors=(404,),
    ),
    RequestEndpoint(
        "POST /cases/counts",
        "countManyFoundCases",
        "How many cases each of my tabs has",
        """
        At most twenty counts at once, with the filters of the list, of kept searches or of both, in their order. Counted as
        far as 10,000: then there are `more`. A search that is not for me any more, and what I may not look for, has its
        `error` and stops no other.
        """,
        STAFF,
        Rpc("tracking.count_many_found_cases", searches.CountManyFoundCases, searches.CaseCounts),
        body=CountsBody,
    ),
)


@router.get(
    "/cases/{case_id}",
    operation_id="getCase",
    summary="One case, whole",
    response_model=StaffCase,
    responses={**problems(401, 403, 404, 422), **CASE},
)
@directly(_get)
async def get_case(case_id: CaseId, container: ContainerDep, signed_in: StaffDep) -> Response:
    """404 also when it is not for me."""
    return await _get_case(container, signed_in.actor, case_id)


register_attachment(
    router,
    "/cases/{case_id}/attachments/{media_id}",
    operation_id="downloadAttachment",
    summary="An attachment of a case",
    sender=STAFF,
    case_id=CaseId,
)
register_requests(
    router,
    RequestEndpoint(
        "GET /staff",
        "listStaff",
        "Who the staff are, and who may be assigned",
        "For head, screener, substitute and administrator.",
        STAFF,
        Rpc("accounts.list_staff", accounts.ListStaff, accounts.StaffList),
        parameters={"role": Field(Role | None, None)},
    ),
)
