"""A citizen's cases: by the tracking code alone, or signed in."""

from __future__ import annotations

from fastapi import APIRouter, Response

from contracts.tracking import ListOwnCases, OwnCases, PublicCase, ViewOwnCase
from gateway.api.attachments import register_attachment
from gateway.api.case_commands import register_citizen_commands
from gateway.api.dependencies import CaseId, CitizenDep, ContainerDep, answer
from gateway.api.openapi_responses import CASE, problems
from gateway.api.own_cases.commands import CITIZEN_COMMANDS
from gateway.api.request_endpoints import BEARER, CITIZEN, RequestEndpoint, Rpc, View, register_requests
from gateway.cases.views import CaseView, OwnCasesView, own_cases_view

router = APIRouter()
register_citizen_commands(router, CITIZEN_COMMANDS)


register_requests(
    router,
    RequestEndpoint(
        "GET /me/cases",
        "listOwnCases",
        "The cases I filed",
        "Newest first. What was filed anonymously is not among them.",
        CITIZEN,
        Rpc("tracking.list_own_cases", ListOwnCases, OwnCases),
        view=View(OwnCasesView, own_cases_view),
        tags=("me",),
    ),
)


@router.get(
    "/me/cases/{case_id}",
    tags=["me"],
    operation_id="getOwnCase",
    summary="One of my cases",
    response_model=CaseView,
    responses={**problems(401, 403, 404, 422), **CASE},
)
async def own_case(case_id: CaseId, container: ContainerDep, signed_in: CitizenDep) -> Response:
    """As the holder of its code sees it."""
    case = await container.rabbit.call(
        "tracking", "view_own_case", ViewOwnCase(actor=signed_in.actor, case_id=case_id), PublicCase
    )
    return answer(await container.citizen_cases.render(case, signed_in.visitor.language), etag=f'"{case.version}"')


register_attachment(
    router,
    "/me/cases/{case_id}/attachments/{media_id}",
    tags=("me",),
    operation_id="downloadOwnAttachment",
    summary="An attachment of my case",
    sender=CITIZEN,
    case_id=CaseId,
)


register_attachment(
    router,
    "/tracking/attachments/{media_id}",
    tags=("tracking",),
    operation_id="downloadAttachmentByCode",
    summary="An attachment of this case",
    sender=BEARER,
)
