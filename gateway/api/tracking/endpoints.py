"""Where is my case? By its tracking code alone."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import InvalidField
from gateway.api.dependencies import (
    JSON,
    ContainerDep,
    TrackingCode,
    bearer_of,
    client_of,
    container_of,
    typed_in_header,
)
from gateway.api.openapi_responses import directly, problems
from gateway.api.tracking.bodies import TrackingCodeBody
from gateway.cases.views import CaseView, Registering, registering
from gateway.edge import language
from gateway.edge.body_limits import parsed_json
from gateway.edge.problems import invalid

router = APIRouter(prefix="/tracking", tags=["tracking"])

_HEADERS = {"cache-control": "no-store", "vary": "Accept-Language"}


async def _by_code(request: Request, typed: str) -> Response:
    container = container_of(request)
    lang = language.of(request.scope["headers"])
    hashes = await bearer_of(container, client_of(container, request), typed)
    body = await container.citizen_cases.read_json(hashes, lang)
    if body is None:
        body = registering(lang).model_dump_json().encode()
    return Response(body, 200, {**_HEADERS, "content-language": lang.value}, JSON)


async def _get(request: Request) -> Response:
    given = request.headers.getlist("tracking-code")
    if len(given) != 1 or not 1 <= len(given[0]) <= 200:
        reason = "missing" if not given else "string_pattern_mismatch"
        raise InvalidField(fields=[{"field": "Tracking-Code", "reason": reason}])
    return await _by_code(request, typed_in_header(given[0]))


async def _post(request: Request) -> Response:
    try:
        body = TrackingCodeBody.model_validate(parsed_json(request))
    except ValidationError as error:
        raise invalid(error) from None
    return await _by_code(request, body.tracking_code)


@router.get(
    "",
    operation_id="getCaseByCode",
    summary="The case of a tracking code",
    response_model=CaseView | Registering,
    responses=problems(404, 422),
)
@directly(_get)
async def get_case(request: Request, tracking_code: TrackingCode, container: ContainerDep) -> Response:
    """`stage` is "registering" for the moment between filing and registration. A wrong code is 404 at once."""
    return await _get(request)


@router.post(
    "",
    operation_id="findCaseByCode",
    summary="The case of a tracking code, given in a body",
    response_model=CaseView | Registering,
    responses=problems(404, body=True),
)
@directly(_post)
async def find_case(request: Request, body: TrackingCodeBody, container: ContainerDep) -> Response:
    """The same as GET, for clients that cannot set a header or type Persian digits."""
    return await _post(request)
