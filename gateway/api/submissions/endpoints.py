"""Filing, and what became of a receipt."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from contracts import tracking_codes
from contracts.base import Answer, Moment
from contracts.errors import InvalidField
from contracts.intake import CheckReceipt, ReceiptState
from contracts.vocabulary import Stage
from gateway.api.dependencies import (
    BearerDep,
    ContainerDep,
    OptionalKey,
    Shown,
    VisitorDep,
    answer,
    client_of,
    container_of,
    is_key,
    visitor_of,
)
from gateway.api.openapi_responses import answers, directly, problems
from gateway.api.submissions import reading
from gateway.api.submissions.bodies import ReceiptBody, SubmissionBody
from gateway.cases.views import elsewhere_text, next_steps
from gateway.edge.body_limits import parsed_json
from gateway.submissions.previews import SubmissionPreview
from gateway.submissions.receipts import Receipt
from texts.vocabulary import STAGE_NAMES

router = APIRouter(tags=["submissions"])


class Filed(Answer):
    """`tracking_code`: the secret to follow up with, in four groups of four digits; shown here and nowhere else.
    `next_steps`: sentences for the citizen. `elsewhere`: where else to turn, while nobody may handle what is about the inspection
    itself; it is among the next steps, too."""

    tracking_code: Annotated[str, StringConstraints(pattern=r"^\d{4} \d{4} \d{4} \d{4}$")]
    submission_id: UUID
    receipt: Receipt
    stage: Stage
    stage_text: str
    next_steps: list[str]
    elsewhere: str | None = None


class ReceiptView(Answer):
    """`new_tracking_code`: only when the code on the receipt collided with another submission's; it replaces that one."""

    registered: bool
    registered_at: Moment | None = None
    new_tracking_code: Annotated[str, StringConstraints(pattern=r"^\d{4} \d{4} \d{4} \d{4}$")] | None = None


class ReceiptKey(Answer):
    """`public_key`: Ed25519, 32 bytes in hexadecimal. `key`: its name on receipts. `earlier_public_keys`: what was signed
    with them is still good."""

    key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    public_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    earlier_public_keys: list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = []


async def _file(request: Request) -> Response:
    container = container_of(request)
    visitor = visitor_of(container, request)
    account = str(visitor.caller.id) if visitor.caller is not None else None
    await container.admission.admit_submission(client_of(container, request), account)
    keys = request.headers.getlist("idempotency-key")
    if keys and (len(keys) > 1 or not is_key(keys[0])):
        raise InvalidField(fields=[{"field": "Idempotency-Key", "reason": "string_pattern_mismatch"}])
    body, findings = reading.read(parsed_json(request))
    if findings.unreadable:
        container.filing.check(body, visitor.caller, findings)  # raises: told with all else that is wrong
    taken = await container.filing.file(body, visitor.caller, visitor.language, keys[0] if keys else None)
    language = body.language or visitor.language
    elsewhere = elsewhere_text(language) if body.unit in container.substitutes.uncovered else None
    filed = Filed.model_construct(
        tracking_code=tracking_codes.grouped(taken.code),
        submission_id=taken.submission_id,
        receipt=taken.receipt,
        stage=Stage.REGISTERED,
        stage_text=STAGE_NAMES[Stage.REGISTERED][language],
        next_steps=[*next_steps(taken.by_sms, language), *([elsewhere] if elsewhere else [])],
        elsewhere=elsewhere,
    )
    return answer(filed, 201)


@router.post(
    "/submissions",
    operation_id="fileSubmission",
    summary="File a complaint, a criticism or a report of wrongdoing",
    status_code=201,
    response_model=Filed,
    responses={
        **problems(401, 403, body=True, calls_service=False),
        **answers(201, "The submission is stored for good"),
    },
)
@directly(_file)
async def file_submission(
    request: Request,
    body: SubmissionBody,
    container: ContainerDep,
    visitor: VisitorDep,
    _: Shown,
    idempotency_key: OptionalKey = None,
) -> Response:
    """Answered when the submission is stored for good: what got a code is never lost. A complaint needs a citizen's
    session (POST /v1/auth/tokens) and a name; information is anonymous unless `anonymous` is false. A desk operator files for
    a citizen (`channel` counter or phone) with the citizen's recorded `desk_consent`, and reads the code out to them: it is
    shown this once. With 503 nothing was filed. Repeat a request whose answer you never saw with its Idempotency-Key: it gets
    the same code."""
    return await _file(request)


async def _check(request: Request) -> Response:
    container = container_of(request)
    visitor = visitor_of(container, request)
    body, findings = reading.read(parsed_json(request))
    checked = container.filing.check(body, visitor.caller, findings)
    language = body.language or visitor.language
    return answer(await container.previews.of(checked, language))


@router.post(
    "/submissions/check",
    operation_id="checkSubmission",
    summary="See a submission as it would be filed, without filing it",
    response_model=SubmissionPreview,
    responses=problems(401, 403, body=True, calls_service=False),
)
@directly(_check)
async def check_submission(
    request: Request, body: SubmissionBody, container: ContainerDep, visitor: VisitorDep, _: Shown
) -> Response:
    """Checked as filing checks it, with everything that is wrong in one answer; nothing is stored, and no code is given. Says
    what will be shown and to whom it goes, and by when it is decided. The same body can then be sent to `POST /v1/submissions`;
    who files has to be signed in already where that is needed."""
    return await _check(request)


@router.post(
    "/receipts/check",
    operation_id="checkReceipt",
    summary="What became of a submission, by its receipt and code",
    response_model=ReceiptView,
    responses=problems(404, body=True),
)
async def check_receipt(body: ReceiptBody, container: ContainerDep, bearer: BearerDep) -> Response:
    """`registered` is false for the moment between the receipt and the registration."""
    request = CheckReceipt(submission_id=body.submission_id, code_hashes=bearer.code_hashes)
    state = await container.rabbit.call("intake", "check_receipt", request, ReceiptState)
    return answer(
        ReceiptView(
            registered=state.registered,
            registered_at=state.registered_at,
            new_tracking_code=tracking_codes.grouped(state.new_code) if state.new_code else None,
        )
    )


@router.get(
    "/receipts/key",
    operation_id="getReceiptKey",
    summary="The public key that receipts are checked with",
    response_model=ReceiptKey,
    responses=problems(calls_service=False),
)
async def receipt_key(container: ContainerDep, _: VisitorDep) -> Response:
    """Ed25519; the signature is over the UTF-8 bytes of the receipt's `payload`."""
    signer = container.filing.signer
    earlier = [key.hex() for key in signer.earlier]
    return answer(ReceiptKey(key=signer.key_id, public_key=signer.public.hex(), earlier_public_keys=earlier))
