"""A citizen's cases: by the tracking code alone, or signed in."""

from __future__ import annotations

from fastapi import APIRouter, Response

from contracts.errors import UnknownCase
from contracts.intake import OwnName, ReadOwnName
from contracts.tracking import (
    FindSimilarOwnCases,
    ListOwnCases,
    OwnCases,
    PublicCase,
    SimilarOwnCases,
    ViewOwnCase,
)
from gateway.api.attachments import register_attachment
from gateway.api.case_commands import register_citizen_commands
from gateway.api.dependencies import CaseId, CitizenDep, ContainerDep, Cursor, PageSize, answer
from gateway.api.openapi_responses import CASE, problems
from gateway.api.own_cases.bodies import DraftBody
from gateway.api.own_cases.commands import CITIZEN_COMMANDS
from gateway.api.request_endpoints import BEARER, CITIZEN
from gateway.cases.views import (
    CaseView,
    OwnCasesView,
    OwnContact,
    SimilarOwnCasesView,
    own_cases_view,
    similar_own_cases_view,
)

router = APIRouter()
register_citizen_commands(router, CITIZEN_COMMANDS)


@router.get(
    "/me/cases",
    tags=["me"],
    operation_id="listOwnCases",
    summary="The cases I filed",
    response_model=OwnCasesView,
    responses=problems(401, 403, 422),
)
async def own_cases(
    container: ContainerDep, signed_in: CitizenDep, after: Cursor = None, limit: PageSize = 50
) -> Response:
    """Newest first, by pages: `next` is the `after` of the following one. What was filed anonymously is not among them. `unread`
    counts what the office did since the case was last opened signed in."""
    request = ListOwnCases(actor=signed_in.actor, after=after, limit=limit)
    cases = await container.rabbit.call("tracking", "list_own_cases", request, OwnCases)
    return answer(own_cases_view(cases, signed_in.visitor.language, container.catalogue_cache))


@router.post(
    "/me/cases/similar",
    tags=["me"],
    operation_id="findSimilarOwnCases",
    summary="Have I filed this already?",
    response_model=SimilarOwnCasesView,
    responses=problems(401, 403, body=True),
)
async def similar_own_cases(body: DraftBody, container: ContainerDep, signed_in: CitizenDep) -> Response:
    """Before filing: my own open cases about the same unit and ground, or of a similar text, the most similar first. A message or
    evidence can be added to these instead. Nothing is stored of the draft, and nothing is said of others' cases."""
    request = FindSimilarOwnCases(actor=signed_in.actor, **body.model_dump())
    cases = await container.rabbit.call("tracking", "find_similar_own_cases", request, SimilarOwnCases)
    return answer(similar_own_cases_view(cases, signed_in.visitor.language, container.catalogue_cache))


@router.get(
    "/me/cases/{case_id}",
    tags=["me"],
    operation_id="getOwnCase",
    summary="One of my cases",
    response_model=CaseView,
    responses={**problems(401, 403, 404, 422), **CASE},
)
async def own_case(case_id: CaseId, container: ContainerDep, signed_in: CitizenDep) -> Response:
    """As the holder of its code sees it. From then on it counts as read."""
    case = await container.rabbit.call(
        "tracking", "view_own_case", ViewOwnCase(actor=signed_in.actor, case_id=case_id), PublicCase
    )
    return answer(await container.citizen_cases.render(case, signed_in.visitor.language), etag=f'"{case.version}"')


@router.get(
    "/me/cases/{case_id}/contact",
    tags=["me"],
    operation_id="getOwnContact",
    summary="How the office knows me in this case",
    response_model=OwnContact,
    responses=problems(401, 403, 404, 422),
)
async def own_contact(case_id: CaseId, container: ContainerDep, signed_in: CitizenDep) -> Response:
    """My name as I gave it, and the last four digits of my mobile and national ID; null for what I did not give, or what is kept
    no longer. Never by a tracking code alone: it may be in other hands."""
    request = ReadOwnName(actor=signed_in.actor, case_id=case_id)
    own = await container.rabbit.call("intake", "read_own_name", request, OwnName)
    if not own.own:
        raise UnknownCase
    return answer(OwnContact(name=own.name, mobile_end=own.mobile_end, national_id_end=own.national_id_end))


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
