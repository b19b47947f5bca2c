"""Papers as PDF: the letter of a case, the receipt of a submission; and whether one is genuine."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from contracts.base import Answer, Moment
from contracts.letters import ReadLetter
from contracts.vocabulary import KIND_NAMES, OUTCOME_NAMES, STAGE_NAMES, Kind, Language, Outcome, Stage
from gateway.api.dependencies import BearerDep, CaseId, CitizenDep, ContainerDep, StaffDep, VisitorDep, answer
from gateway.api.fields import Body
from gateway.api.openapi_responses import problems
from gateway.cases.views import day_text, moment_text
from gateway.papers.signatures import LONGEST, REFUSED, LetterSeal, Seal, line_in
from gateway.submissions.receipts import RECEIPT_EXAMPLE, Receipt

router = APIRouter(tags=["papers"])

Lang = Annotated[Language | None, Query(description="The paper's language; left out, that of Accept-Language.")]
_PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The PDF, to be saved",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        "headers": {"Content-Disposition": {"description": "Its file name", "schema": {"type": "string"}}},
    }
}
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_SEAL = (
    "L1~1405-000123-1~1405-000123~2026-12-06~upheld~n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg~"
    "l1qF0nUe1Bv8Gv0wR2b5G9dKx7H3s6Yk4TzqJcWmPa0uN8eLrVtOiXyDfSgAhZjQbMnCoEpIwUvRkTl2x5y6Bg"
)


class ReceiptPdfBody(Body):
    """The receipt as `POST /v1/submissions` gave it."""

    payload: Annotated[str, Field(min_length=1, max_length=1_000)]
    signature: Annotated[str, Field(min_length=1, max_length=200)]
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [RECEIPT_EXAMPLE]})


class SealBody(Body):
    """`seal`: the line beside the QR code of a paper, or the address that the code holds."""

    seal: Annotated[str, Field(min_length=1, max_length=2 * LONGEST)]

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [{"seal": _SEAL}]})


_LETTER: dict[str, Any] = {
    "number": "1405-000123-1",
    "case_number": "1405-000123",
    "issued_on": "2026-12-06",
    "issued_text": "۱۵ آذر ۱۴۰۵",
    "outcome": "upheld",
    "outcome_text": "وارد",
    "content_hash": _HASH,
}
_RECEIPT: dict[str, Any] = {
    "submission_id": "0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11",
    "filed_at": "2026-11-23T08:30:00Z",
    "filed_text": "۲ آذر ۱۴۰۵، ساعت ۱۲:۰۰",
    "kind": "criticism",
    "kind_text": "انتقاد",
    "content_hash": _HASH,
}


class LetterFacts(Answer):
    """All that a letter's seal vouches for. `content_hash`: SHA-256 of the letter's text, which lies in the PDF as its
    attachment content.json."""

    number: str
    case_number: str
    issued_on: date
    issued_text: str
    outcome: Outcome | Literal["refused"]
    outcome_text: str
    content_hash: str

    model_config = ConfigDict(json_schema_extra={"examples": [_LETTER]})


class ReceiptFacts(Answer):
    """All that a receipt's seal vouches for."""

    submission_id: UUID
    filed_at: Moment
    filed_text: str
    kind: Kind
    kind_text: str
    content_hash: str

    model_config = ConfigDict(json_schema_extra={"examples": [_RECEIPT]})


class PaperView(Answer):
    """`genuine`: we signed just this; then one of `letter` and `receipt` says what. Else both are null."""

    genuine: bool
    letter: LetterFacts | None = None
    receipt: ReceiptFacts | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"genuine": True, "letter": _LETTER, "receipt": None}]})


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
    asked = ReadLetter(actor=signed_in.actor, case_id=case_id)
    return await container.papers.letter(
        request, asked, lang or signed_in.visitor.language, signed_in.visitor.budget_key
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
    asked = ReadLetter(actor=signed_in.actor, case_id=case_id)
    return await container.papers.letter(
        request, asked, lang or signed_in.visitor.language, signed_in.visitor.budget_key
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
    asked = ReadLetter(actor=bearer.actor, code_hashes=bearer.code_hashes)
    return await container.papers.letter(request, asked, lang or bearer.visitor.language, bearer.visitor.budget_key)


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
    """By the seal on it alone; nobody is asked. The same without us: the signature (Ed25519, base64url) after the last `~`
    of a letter's seal is over the bytes before it, with the key of /v1/receipts/key."""
    return answer(paper_view(container.papers.check(line_in(body.seal)), visitor.language))


def paper_view(told: Seal | None, language: Language) -> PaperView:
    """What a seal vouches for, for a person."""
    if told is None:
        return PaperView(genuine=False)
    if isinstance(told, LetterSeal):
        return PaperView(
            genuine=True,
            letter=LetterFacts.model_validate(
                {
                    "number": told.number,
                    "case_number": told.case_number,
                    "issued_on": told.issued_on,
                    "issued_text": day_text(told.issued_on, language),
                    "outcome": told.outcome,
                    "outcome_text": outcome_text(told.outcome, language),
                    "content_hash": told.content_hash,
                }
            ),
        )
    return PaperView(
        genuine=True,
        receipt=ReceiptFacts(
            submission_id=told.submission_id,
            filed_at=told.filed_at,
            filed_text=moment_text(told.filed_at, language),
            kind=told.kind,
            kind_text=KIND_NAMES[told.kind][language],
            content_hash=told.content_hash,
        ),
    )


def outcome_text(outcome: str, language: Language) -> str:
    """Of a decision, or that it was refused."""
    if outcome == REFUSED:
        return STAGE_NAMES[Stage.REFUSED][language]
    return OUTCOME_NAMES[Outcome(outcome)][language]
