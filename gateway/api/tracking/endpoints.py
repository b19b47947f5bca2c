"""Where is my case? By its tracking code alone."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import InvalidField
from contracts.gateway import Actor
from contracts.notify import CodeSent, SendCode
from contracts.vocabulary import ActorKind
from gateway.api.accounts.endpoints import mobile_of
from gateway.api.dependencies import (
    JSON,
    ContainerDep,
    ShownCookie,
    TrackingCode,
    TypedCodeDep,
    VisitorDep,
    answer,
    bearer_of,
    client_of,
    code_hashes_of,
    container_of,
)
from gateway.api.openapi_responses import directly, problems
from gateway.api.tracking.bodies import NamedMobileBody, TrackingCodeBody
from gateway.cases.views import CaseView, CodeOnItsWay, Registering, registering
from gateway.edge import language
from gateway.edge.body_limits import parsed_json
from gateway.edge.problems import invalid

router = APIRouter(prefix="/tracking", tags=["tracking"])

_HEADERS = {"cache-control": "no-store", "vary": "Accept-Language"}


async def _by_code(request: Request, hashes: list[str]) -> Response:
    container = container_of(request)
    lang = language.of(request.scope["headers"])
    body = await container.citizen_cases.read_json(hashes, lang)
    if body is None:
        body = registering(lang).model_dump_json().encode()
    return Response(body, 200, {**_HEADERS, "content-language": lang.value}, JSON)


async def _get(request: Request) -> Response:
    given = request.headers.getlist("tracking-code")
    if len(given) > 1 or (given and not 1 <= len(given[0]) <= 200):
        raise InvalidField(fields=[{"field": "Tracking-Code", "reason": "string_pattern_mismatch"}])
    return await _by_code(request, await code_hashes_of(container_of(request), request, next(iter(given), None)))


async def _post(request: Request) -> Response:
    try:
        body = TrackingCodeBody.model_validate(parsed_json(request))
    except ValidationError as error:
        raise invalid(error) from None
    container = container_of(request)
    return await _by_code(request, await bearer_of(container, client_of(container, request), body.tracking_code))


@router.get(
    "",
    operation_id="getCaseByCode",
    summary="The case of a tracking code",
    response_model=CaseView | Registering,
    responses=problems(404, 422),
)
@directly(_get)
async def get_case(
    request: Request, container: ContainerDep, _: ShownCookie, tracking_code: TrackingCode = None
) -> Response:
    """`stage` is "registering" for the moment between filing and registration. A wrong code is 404 at once."""
    return await _get(request)


@router.post(
    "/code-by-sms",
    operation_id="sendCodeBySms",
    summary="Send the code to me by SMS",
    status_code=202,
    response_model=CodeOnItsWay,
    responses=problems(404, body=True),
)
async def send_code(
    request: Request, body: NamedMobileBody, container: ContainerDep, visitor: VisitorDep, code: TypedCodeDep
) -> Response:
    """To a mobile that is named here, three times a day at most; the SMS holds the code and nothing else. Nothing is stored that
    links the mobile to the case, and no message about it goes there. The answer is the same whether or not it is registered yet,
    and whether or not the mobile takes part."""
    mobile = mobile_of(body.mobile)
    if await container.admission.admit_code_by_sms(client_of(container, request), code.hashes[0], mobile):
        sealed = container.filing.seal_contact(mobile, code.code, visitor.language)
        actor = Actor(kind=ActorKind.BEARER, id=code.hashes[0], language=visitor.language)
        await container.rabbit.call("notify", "send_code", SendCode(actor=actor, sealed_contact=sealed), CodeSent)
    return answer(CodeOnItsWay(mobile=mobile[-4:]), 202)


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
