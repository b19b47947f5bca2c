"""Referrals to competent bodies outside: the sealed package, and the register of what was sent and answered."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Annotated, Any, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from contracts import referrals
from contracts.base import ListCode
from contracts.vocabulary import Language
from gateway.api.dependencies import CaseId, ContainerDep, IdempotencyKey, StaffDep
from gateway.api.openapi_responses import problems
from gateway.api.referrals.bodies import ReferralAnswerBody, ReferralBody
from gateway.api.request_endpoints import PAGE, STAFF, Field, RequestEndpoint, Rpc, Success, register_requests
from gateway.evidence.downloads import content_disposition

router = APIRouter(tags=["referrals"])

ReferralId = Annotated[UUID, Path(description="The referral's id.")]
PackageLanguage = Annotated[Language, Query(description="The letter's language.")]
_CHUNK = 64 * 1024
_MEDIA_TYPE = "application/octet-stream"
_HEADERS = {
    "Content-Disposition": "Its file name",
    "Location": "The case's lines of the register",
    "Referral-Id": "Under which answers are recorded",
    "Repr-Digest": "SHA-256 of the package (RFC 9530), as in the register",
}
_PACKAGE: dict[int | str, dict[str, Any]] = {
    201: {
        "description": "The package, encrypted to the body, to be saved and sent",
        "content": {_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        "headers": {name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()},
    }
}
_NARROWED = {
    "outside_body": Field(Annotated[ListCode | None, Query(description="To this body alone.")], None, name="body"),
    "answered": Field(Annotated[bool | None, Query(description="Those that were answered, or were not.")], None),
}
_LIST = Rpc("tracking.list_referrals", referrals.ListReferrals, referrals.Referrals)


@router.post(
    "/cases/{case_id}/referrals",
    operation_id="referCase",
    summary="Refer the case to a competent body outside",
    status_code=201,
    response_class=Response,
    responses={**problems(401, 403, 404, 409, 410, 413, body=True), **_PACKAGE},
)
async def refer(
    case_id: CaseId,
    body: ReferralBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    lang: PackageLanguage = Language.FA,
) -> Response:
    """For the head, of a case that was decided as referred, and of information at any time after its first reading. The answer
    is the package itself: a ZIP archive of letter, data and evidence with a signed manifest, encrypted with age to the body's
    key. Nothing of it is kept but its line in the register: whoever loses it sends the request again under its key, and gets it
    made anew, in the same line. 403 `consent_needed` where the identity is to go with it and no custodian has consented."""
    request = referrals.PrepareReferral(
        actor=signed_in.actor, case_id=case_id, idempotency_key=idempotency_key, **body.request_fields()
    )
    requester = signed_in.visitor.budget_key
    made = await container.referrals.make(request, container.attachments, lang, requester)
    container.case_cache.invalidate(case_id)
    name = f"peygir-referral-{made.referral.case_number}-{str(made.referral.referral_id)[:8]}.zip.age"
    headers = {
        "cache-control": "private, no-store",
        "content-disposition": content_disposition(name, inline=False),
        "content-length": str(made.size),
        "location": f"/v1/cases/{case_id}/referrals",
        "referral-id": str(made.referral.referral_id),
        "repr-digest": f"sha-256=:{base64.b64encode(bytes.fromhex(made.sha256)).decode()}:",
        "x-robots-tag": "noindex",
    }
    closing = BackgroundTask(made.file.close)
    return StreamingResponse(_chunks(made.file), 201, headers, _MEDIA_TYPE, closing)


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


register_requests(
    router,
    RequestEndpoint(
        "GET /cases/{case_id}/referrals",
        "listReferralsOfCase",
        "To whom the case was referred, and what was answered",
        "For heads, and auditors without texts. The newest first.",
        STAFF,
        _LIST,
        parameters={"case_id": Field(CaseId), **PAGE},
    ),
    RequestEndpoint(
        "GET /referrals",
        "listReferrals",
        "The register of referrals",
        "For heads, and auditors without texts; of cases about a unit they belong to none. The newest first.",
        STAFF,
        _LIST,
        parameters={**_NARROWED, **PAGE},
    ),
    RequestEndpoint(
        "POST /referrals/{referral_id}/answers",
        "recordReferralAnswer",
        "Record what the body answered",
        "For the head. A body may answer several times: that it came, that it accepts it, what came of it.",
        STAFF,
        Rpc("tracking.record_referral_answer", referrals.RecordReferralAnswer, referrals.Referral),
        parameters={"referral_id": Field(ReferralId)},
        body=ReferralAnswerBody,
        success=Success(status=201),
    ),
)
