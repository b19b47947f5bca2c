"""A citizen's cases: by the tracking code alone, or signed in."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from contracts.media import Variant
from contracts.tracking import AuthorizeMedia, ListOwnCases, OwnCases, PublicCase, ViewOwnCase
from gateway.api.case_commands import register_citizen_commands
from gateway.api.dependencies import BearerDep, CaseId, CitizenDep, ContainerDep, MediaId, answer
from gateway.api.openapi_responses import CASE, problems
from gateway.api.own_cases.commands import CITIZEN_COMMANDS
from gateway.cases.views import CaseView, OwnCasesView, own_cases_view
from gateway.evidence import attachments

router = APIRouter()
register_citizen_commands(router, CITIZEN_COMMANDS)


@router.get(
    "/me/cases",
    tags=["me"],
    operation_id="listOwnCases",
    summary="The cases I filed",
    response_model=OwnCasesView,
    responses=problems(401, 403),
)
async def own_cases(container: ContainerDep, signed_in: CitizenDep) -> Response:
    """Newest first. What was filed anonymously is not among them."""
    cases = await container.rabbit.ask("tracking", "list_own_cases", ListOwnCases(actor=signed_in.actor), OwnCases)
    return answer(own_cases_view(cases, signed_in.visitor.language))


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
    case = await container.rabbit.ask(
        "tracking", "view_own_case", ViewOwnCase(actor=signed_in.actor, case_id=case_id), PublicCase
    )
    return answer(await container.citizen_cases.render(case, signed_in.visitor.language), etag=f'"{case.version}"')


@router.get(
    "/me/cases/{case_id}/attachments/{media_id}",
    tags=["me"],
    operation_id="downloadOwnAttachment",
    summary="An attachment of my case",
    response_class=Response,
    responses={**problems(401, 403, 404, 409, 410, 416, 422), **attachments.CONTENT},
)
async def own_attachment(
    request: Request,
    case_id: CaseId,
    media_id: MediaId,
    container: ContainerDep,
    signed_in: CitizenDep,
    variant: Variant = Variant.EVIDENCE,
) -> Response:
    """Supports one Range. Never HTML."""
    return await container.attachments.send(
        request, AuthorizeMedia(actor=signed_in.actor, case_id=case_id, media_id=media_id), variant
    )


@router.get(
    "/tracking/attachments/{media_id}",
    tags=["tracking"],
    operation_id="downloadAttachmentByCode",
    summary="An attachment of this case",
    response_class=Response,
    responses={**problems(404, 409, 410, 416, 422), **attachments.CONTENT},
)
async def attachment_by_code(
    request: Request, media_id: MediaId, container: ContainerDep, bearer: BearerDep, variant: Variant = Variant.EVIDENCE
) -> Response:
    """Supports one Range. Never HTML."""
    authorization = AuthorizeMedia(actor=bearer.actor, code_hashes=bearer.code_hashes, media_id=media_id)
    return await container.attachments.send(request, authorization, variant)
