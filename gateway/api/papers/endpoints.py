"""Papers as PDF: the letter of a case, the receipt of a submission; and whether one is genuine."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from contracts.letters import ReadLetter
from contracts.vocabulary import Language
from gateway.api.dependencies import BearerDep, CaseId, CitizenDep, ContainerDep, StaffDep, VisitorDep, answer
from gateway.api.openapi_responses import problems
from gateway.api.papers.bodies import ReceiptPdfBody, SealBody
from gateway.api.papers.views import PaperView, paper_view
from gateway.papers.signatures import signature_line_in
from gateway.submissions.receipts import Receipt

router = APIRouter(tags=["papers"])

Lang = Annotated[Language | None, Query(description="The paper's language; left out, that of Accept-Language.")]
_PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The PDF, to be saved",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        "headers": {"Content-Disposition": {"description": "Its file name", "schema": {"type": "string"}}},
    }
}


@router.get(
    "/cases/{case_id}/letter",
    operation_id="getLetter",
    summary="The letter to the citizen, as PDF",
    response_class=Response,
    responses={**problems(401, 403, 404, 409, 422), **_PDF},
)
async def letter(
    request: Request, case_id: CaseId, container: ContainerDep, signed_in: StaffDep, lang: Lang = None
) -> Response:
    """What the citizen was told when the case was decided or refused; 409 `no_letter` before. For who may read the case."""
    reading = ReadLetter(actor=signed_in.actor, case_id=case_id)
    return await container.papers.letter(
        request, reading, lang or signed_in.visitor.language, signed_in.visitor.budget_key
    )


@router.get(
    "/me/cases/{case_id}/letter",
    operation_id="getOwnLetter",
    summary="The letter about my case, as PDF",
    response_class=Response,
    responses={**problems(401, 403, 404, 409, 422), **_PDF},
)
async def own_letter(
    request: Request, case_id: CaseId, container: ContainerDep, signed_in: CitizenDep, lang: Lang = None
) -> Response:
    """409 `no_letter` until the case is decided or refused."""
    reading = ReadLetter(actor=signed_in.actor, case_id=case_id)
    return await container.papers.letter(
        request, reading, lang or signed_in.visitor.language, signed_in.visitor.budget_key
    )


@router.get(
    "/tracking/letter",
    operation_id="getLetterByCode",
    summary="The letter about this case, as PDF",
    response_class=Response,
    responses={**problems(404, 409, 422), **_PDF},
)
async def letter_by_code(request: Request, container: ContainerDep, bearer: BearerDep, lang: Lang = None) -> Response:
    """409 `no_letter` until the case is decided or refused. The tracking code is not in it."""
    reading = ReadLetter(actor=bearer.actor, code_hashes=bearer.code_hashes)
    return await container.papers.letter(request, reading, lang or bearer.visitor.language, bearer.visitor.budget_key)


@router.post(
    "/receipts/pdf",
    operation_id="printReceipt",
    summary="A receipt as PDF, with a QR code to check it by",
    response_class=Response,
    responses={**problems(404, body=True, asks=False), **_PDF},
)
async def receipt(
    request: Request, body: ReceiptPdfBody, container: ContainerDep, visitor: VisitorDep, lang: Lang = None
) -> Response:
    """404 `not_genuine` for one that is not ours, or not as we gave it. The tracking code is not in it."""
    given = Receipt(payload=body.payload, signature=body.signature, key=body.key)
    return await container.papers.receipt(request, given, lang or visitor.language, visitor.budget_key)


@router.post(
    "/papers/check",
    operation_id="checkPaper",
    summary="Whether a letter or a receipt is genuine",
    response_model=PaperView,
    responses=problems(body=True, asks=False),
)
async def check(body: SealBody, container: ContainerDep, visitor: VisitorDep) -> Response:
    """By the seal on it alone; no service is needed. The same offline: the signature (Ed25519, base64url) after the last `~`
    of a letter's seal is over the bytes before it, with the key of /v1/receipts/key."""
    return answer(paper_view(container.papers.verify(signature_line_in(body.seal)), visitor.language))
