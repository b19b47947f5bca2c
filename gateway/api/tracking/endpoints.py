"""Where is my case? And what its citizen does with it, by the code alone."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import InvalidField
from contracts.media import Variant
from contracts.tracking import AnswerQuestion, AuthorizeMedia, RaiseObjection, Rate, SendEvidence, Withdraw
from gateway.api import dependencies as deps
from gateway.api.cases.bodies import EvidenceBody
from gateway.api.dependencies import BearerDep, ContainerDep, MediaId, OptionalKey, TrackingCode, answer, key_or_new
from gateway.api.openapi_responses import directly, problems
from gateway.api.tracking.bodies import AnswerBody, ObjectionBody, RatingBody, TrackingCodeBody, WithdrawalBody
from gateway.cases.views import REGISTERING, CaseView, Registering
from gateway.edge import language
from gateway.edge.middleware import parsed
from gateway.edge.problems import invalid
from gateway.evidence import attachments

router = APIRouter(prefix="/tracking", tags=["tracking"])

_HEADERS = {"cache-control": "no-store", "vary": "Accept-Language"}


async def _by_code(request: Request, typed: str) -> Response:
    container = deps.container_of(request)
    lang = language.of(request.scope["headers"])
    hashes = await deps.bearer_of(container, deps.client_of(container, request), typed)
    body = await container.tracking.rendered(hashes, lang)
    if body is None:
        body = Registering(stage_text=REGISTERING[lang]).model_dump_json().encode()
    return Response(body, 200, {**_HEADERS, "content-language": lang.value}, deps.JSON)


async def _get(request: Request) -> Response:
    given = request.headers.getlist("tracking-code")
    if len(given) != 1 or not 1 <= len(given[0]) <= 200:
        reason = "missing" if not given else "string_pattern_mismatch"
        raise InvalidField(fields=[{"field": "Tracking-Code", "reason": reason}])
    return await _by_code(request, deps.typed_in_header(given[0]))


async def _post(request: Request) -> Response:
    try:
        body = TrackingCodeBody.model_validate(parsed(request))
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


@router.post(
    "/answers",
    operation_id="answerQuestionByCode",
    summary="Answer the office's question",
    response_model=CaseView,
    responses=problems(404, 409, body=True),
)
async def answer_question(
    body: AnswerBody, container: ContainerDep, bearer: BearerDep, idempotency_key: OptionalKey = None
) -> Response:
    """The clock runs again."""
    command = AnswerQuestion(text=body.text, uploads=body.uploads)
    return answer(
        await container.tracking.execute(
            bearer.actor, command, key_or_new(idempotency_key), code_hashes=bearer.code_hashes
        )
    )


@router.post(
    "/attachments",
    operation_id="sendEvidenceByCode",
    summary="Send more evidence, or better",
    response_model=CaseView,
    responses=problems(404, 409, body=True),
)
async def send_evidence(
    body: EvidenceBody, container: ContainerDep, bearer: BearerDep, idempotency_key: OptionalKey = None
) -> Response:
    """At any time while the case is open, as many as `evidence_left` says. The stage stays, and the handler is told."""
    command = SendEvidence(uploads=body.uploads)
    return answer(
        await container.tracking.execute(
            bearer.actor, command, key_or_new(idempotency_key), code_hashes=bearer.code_hashes
        )
    )


@router.post(
    "/withdrawal",
    operation_id="withdrawByCode",
    summary="Withdraw the case",
    response_model=CaseView,
    responses=problems(404, 409, body=True),
)
async def withdraw(
    body: WithdrawalBody, container: ContainerDep, bearer: BearerDep, idempotency_key: OptionalKey = None
) -> Response:
    """Ends an open case."""
    command = Withdraw(reason=body.reason)
    return answer(
        await container.tracking.execute(
            bearer.actor, command, key_or_new(idempotency_key), code_hashes=bearer.code_hashes
        )
    )


@router.post(
    "/objection",
    operation_id="objectByCode",
    summary="RaiseObjection to the decision",
    response_model=CaseView,
    responses=problems(404, 409, body=True),
)
async def object_(
    body: ObjectionBody, container: ContainerDep, bearer: BearerDep, idempotency_key: OptionalKey = None
) -> Response:
    """Once, within the days that the decision names."""
    command = RaiseObjection(text=body.text)
    return answer(
        await container.tracking.execute(
            bearer.actor, command, key_or_new(idempotency_key), code_hashes=bearer.code_hashes
        )
    )


@router.post(
    "/rating",
    operation_id="rateByCode",
    summary="Rate how the case was handled",
    response_model=CaseView,
    responses=problems(404, 409, body=True),
)
async def rate(
    body: RatingBody, container: ContainerDep, bearer: BearerDep, idempotency_key: OptionalKey = None
) -> Response:
    """After the decision: 1 to 5, and four questions."""
    command = Rate(**body.model_dump())
    return answer(
        await container.tracking.execute(
            bearer.actor, command, key_or_new(idempotency_key), code_hashes=bearer.code_hashes
        )
    )


@router.get(
    "/attachments/{media_id}",
    operation_id="downloadAttachmentByCode",
    summary="An attachment of this case",
    response_class=Response,
    responses={**problems(404, 409, 410, 416, 422), **attachments.CONTENT},
)
async def attachment(
    request: Request, media_id: MediaId, container: ContainerDep, bearer: BearerDep, variant: Variant = Variant.EVIDENCE
) -> Response:
    """Supports one Range. Never HTML."""
    asked = AuthorizeMedia(actor=bearer.actor, code_hashes=bearer.code_hashes, media_id=media_id)
    return await attachments.send(request, container, asked, variant)
