"""The work of staff on cases. Each command carries the version it saw (If-Match) and a key that makes it happen once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from contracts.accounts import ListStaff, StaffList
from contracts.media import Variant
from contracts.searches import CaseCount, CasePage, CountFoundCases, ListCases
from contracts.tracking import AuthorizeMedia, GetCase, StaffCase
from contracts.vocabulary import Role
from gateway.api.case_commands import register_staff_commands
from gateway.api.cases.commands import STAFF_COMMANDS
from gateway.api.dependencies import CaseId, ContainerDep, MediaId, StaffDep, answer
from gateway.api.openapi_responses import CASE, problems
from gateway.api.searches.bodies import CountQuery, PageQuery
from gateway.evidence import attachments

router = APIRouter(tags=["cases"])
register_staff_commands(router, STAFF_COMMANDS)


@router.get(
    "/cases",
    operation_id="listCases",
    summary="The cases I may see",
    response_model=CasePage,
    responses=problems(401, 403, 404, 422),
)
async def list_cases(container: ContainerDep, signed_in: StaffDep, filters: Annotated[PageQuery, Query()]) -> Response:
    """Newest filed first, or as `sort` says, by pages: `next` is the `after` of the following one. All filters have to hold,
    of several values of one filter one of them. A case against the unit one belongs to, or one above it, is never among
    them. To an analyst they come masked, without what is said in them and who handles them, and cannot be looked for by
    either (403), nor by a kept search."""
    request = ListCases(actor=signed_in.actor, **filters.request_fields())
    return answer(await container.rabbit.ask("tracking", "list_cases", request, CasePage))


@router.get(
    "/cases/count",
    operation_id="countFoundCases",
    summary="How many cases I may see",
    response_model=CaseCount,
    responses=problems(401, 403, 404, 422),
)
async def count_found_cases(
    container: ContainerDep, signed_in: StaffDep, filters: Annotated[CountQuery, Query()]
) -> Response:
    """With the filters of the list."""
    request = CountFoundCases(actor=signed_in.actor, **filters.request_fields())
    return answer(await container.rabbit.ask("tracking", "count_found_cases", request, CaseCount))


@router.get(
    "/cases/{case_id}",
    operation_id="getCase",
    summary="One case, whole",
    response_model=StaffCase,
    responses={**problems(401, 403, 404, 422), **CASE},
)
async def get_case(case_id: CaseId, container: ContainerDep, signed_in: StaffDep) -> Response:
    """404 also when it is not for me."""
    case = await container.rabbit.ask(
        "tracking", "get_case", GetCase(actor=signed_in.actor, case_id=case_id), StaffCase
    )
    return answer(case, etag=f'"{case.version}"')


@router.get(
    "/cases/{case_id}/attachments/{media_id}",
    operation_id="downloadAttachment",
    summary="An attachment of a case",
    response_class=Response,
    responses={**problems(401, 403, 404, 409, 410, 416, 422), **attachments.CONTENT},
)
async def attachment(
    request: Request,
    case_id: CaseId,
    media_id: MediaId,
    container: ContainerDep,
    signed_in: StaffDep,
    variant: Variant = Variant.EVIDENCE,
) -> Response:
    """Supports one Range. Never HTML."""
    return await container.attachments.send(
        request, AuthorizeMedia(actor=signed_in.actor, case_id=case_id, media_id=media_id), variant
    )


@router.get(
    "/staff",
    operation_id="listStaff",
    summary="Who may be assigned",
    response_model=StaffList,
    responses=problems(401, 403, 422),
)
async def list_staff(container: ContainerDep, signed_in: StaffDep, role: Role | None = None) -> Response:
    """For head, screener and administrator."""
    request = ListStaff(actor=signed_in.actor, role=role)
    return answer(await container.rabbit.ask("accounts", "list_staff", request, StaffList))
