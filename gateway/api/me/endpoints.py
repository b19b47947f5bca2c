"""What a signed-in person sees of themselves; a citizen's own cases and messages."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response

from contracts.media import Variant
from contracts.tracking import (
    AnswerQuestion,
    AuthorizeMedia,
    CitizenCommand,
    ListOwnCases,
    OwnCases,
    PublicCase,
    RaiseObjection,
    Rate,
    SendEvidence,
    ViewOwnCase,
    Withdraw,
)
from contracts.vocabulary import ActorKind
from gateway.api.cases.bodies import EvidenceBody
from gateway.api.dependencies import (
    CaseId,
    CitizenDep,
    ContainerDep,
    MediaId,
    OptionalKey,
    SignedIn,
    SignedInDep,
    answer,
    key_or_new,
)
from gateway.api.openapi_responses import answers, problems
from gateway.api.tracking.bodies import AnswerBody, ObjectionBody, RatingBody, WithdrawalBody
from gateway.cases.views import CaseView, Me, OwnCasesView, own_cases_view
from gateway.container import AppContainer
from gateway.evidence import attachments

router = APIRouter(prefix="/me", tags=["me"])
_ETAG = answers(200, "The case", ETag="Its version")


@router.get(
    "", operation_id="getMe", summary="Who is signed in", response_model=Me, responses=problems(401, asks=False)
)
async def me(container: ContainerDep, signed_in: SignedInDep) -> Response:
    """From the token alone."""
    caller = signed_in.caller
    mobile = container.tokens.mobile(caller)
    kind: Literal["citizen", "staff"] = "citizen" if caller.kind is ActorKind.CITIZEN else "staff"
    return answer(
        Me(
            id=caller.id,
            kind=kind,
            name=caller.name,
            roles=sorted(caller.roles),
            unit=caller.unit,
            mobile=mobile[-4:] if mobile else None,
        )
    )


@router.get(
    "/cases",
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
    "/cases/{case_id}",
    operation_id="getOwnCase",
    summary="One of my cases",
    response_model=CaseView,
    responses={**problems(401, 403, 404, 422), **_ETAG},
)
async def own_case(case_id: CaseId, container: ContainerDep, signed_in: CitizenDep) -> Response:
    """As the holder of its code sees it."""
    case = await container.rabbit.ask(
        "tracking", "view_own_case", ViewOwnCase(actor=signed_in.actor, case_id=case_id), PublicCase
    )
    return answer(await container.tracking.shown(case, signed_in.visitor.language), etag=f'"{case.version}"')


async def _execute(
    container: AppContainer, signed_in: SignedIn, case_id: CaseId, command: CitizenCommand, key: str | None
) -> Response:
    case = await container.tracking.execute(signed_in.actor, command, key_or_new(key), case_id=case_id)
    return answer(case, etag=f'"{case.version}"')


@router.post(
    "/cases/{case_id}/answers",
    operation_id="answerQuestion",
    summary="Answer the office's question",
    response_model=CaseView,
    responses=problems(401, 403, 404, 409, body=True),
)
async def answer_question(
    case_id: CaseId,
    body: AnswerBody,
    container: ContainerDep,
    signed_in: CitizenDep,
    idempotency_key: OptionalKey = None,
) -> Response:
    """The clock runs again."""
    command = AnswerQuestion(text=body.text, uploads=body.uploads)
    return await _execute(container, signed_in, case_id, command, idempotency_key)


@router.post(
    "/cases/{case_id}/attachments",
    operation_id="sendEvidence",
    summary="Send more evidence, or better",
    response_model=CaseView,
    responses=problems(401, 403, 404, 409, body=True),
)
async def send_evidence(
    case_id: CaseId,
    body: EvidenceBody,
    container: ContainerDep,
    signed_in: CitizenDep,
    idempotency_key: OptionalKey = None,
) -> Response:
    """At any time while the case is open, as many as `evidence_left` says. The stage stays, and the handler is told."""
    return await _execute(container, signed_in, case_id, SendEvidence(uploads=body.uploads), idempotency_key)


@router.post(
    "/cases/{case_id}/withdrawal",
    operation_id="withdraw",
    summary="Withdraw the case",
    response_model=CaseView,
    responses=problems(401, 403, 404, 409, body=True),
)
async def withdraw(
    case_id: CaseId,
    body: WithdrawalBody,
    container: ContainerDep,
    signed_in: CitizenDep,
    idempotency_key: OptionalKey = None,
) -> Response:
    """Ends an open case."""
    return await _execute(container, signed_in, case_id, Withdraw(reason=body.reason), idempotency_key)


@router.post(
    "/cases/{case_id}/objection",
    operation_id="object",
    summary="RaiseObjection to the decision",
    response_model=CaseView,
    responses=problems(401, 403, 404, 409, body=True),
)
async def object_(
    case_id: CaseId,
    body: ObjectionBody,
    container: ContainerDep,
    signed_in: CitizenDep,
    idempotency_key: OptionalKey = None,
) -> Response:
    """Once, within the days that the decision names."""
    return await _execute(container, signed_in, case_id, RaiseObjection(text=body.text), idempotency_key)


@router.post(
    "/cases/{case_id}/rating",
    operation_id="rate",
    summary="Rate how the case was handled",
    response_model=CaseView,
    responses=problems(401, 403, 404, 409, body=True),
)
async def rate(
    case_id: CaseId,
    body: RatingBody,
    container: ContainerDep,
    signed_in: CitizenDep,
    idempotency_key: OptionalKey = None,
) -> Response:
    """After the decision: 1 to 5, and four questions."""
    return await _execute(container, signed_in, case_id, Rate(**body.model_dump()), idempotency_key)


@router.get(
    "/cases/{case_id}/attachments/{media_id}",
    operation_id="downloadOwnAttachment",
    summary="An attachment of my case",
    response_class=Response,
    responses={**problems(401, 403, 404, 409, 410, 416, 422), **attachments.CONTENT},
)
async def attachment(
    request: Request,
    case_id: CaseId,
    media_id: MediaId,
    container: ContainerDep,
    signed_in: CitizenDep,
    variant: Variant = Variant.EVIDENCE,
) -> Response:
    """Supports one Range. Never HTML."""
    return await attachments.send(
        request, container, AuthorizeMedia(actor=signed_in.actor, case_id=case_id, media_id=media_id), variant
    )
