"""Papers as PDF: the letter of a case, the receipt of a submission; and whether one is genuine."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from contracts.letters import ReadLetter
from contracts.vocabulary import Language
from gateway.api.dependencies import CaseId, ContainerDep, VisitorDep, answer
from gateway.api.openapi_responses import problems
from gateway.api.papers.bodies import ReceiptPdfBody, SealBody
from gateway.api.papers.views import PaperView, paper_view
from gateway.api.request_endpoints import BEARER, CITIZEN, STAFF, Sender
from gateway.api.signatures import parameter, with_signature
from gateway.container import AppContainer
from gateway.papers.signatures import signature_line_in
from gateway.submissions.receipts import Receipt

router = APIRouter(tags=["papers"])

Lang = Annotated[Language | None, Query(description="The paper's language; left out, that of Accept-Language.")]
PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The PDF, to be saved",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        "headers": {"Content-Disposition": {"description": "Its file name", "schema": {"type": "string"}}},
    }
}


def _register_letter(
    path: str,
    *,
    operation_id: str,
    summary: str,
    description: str,
    sender: Sender,
    **path_values: Any,
) -> None:
    """GET `path`. `path_values`: the types of what is in it, fields of ReadLetter by name."""

    async def handle(
        *, request: Request, container: AppContainer, sender: Any, lang: Language | None, **values: Any
    ) -> Response:
        reading = ReadLetter(**sender.request_fields, **values)
        return await container.papers.letter(
            request, reading, lang or sender.visitor.language, sender.visitor.budget_key
        )

    parameters = [
        parameter("request", Request),
        *(parameter(name, annotation) for name, annotation in path_values.items()),
        parameter("container", ContainerDep),
        parameter("sender", sender.dependency),
        parameter("lang", Lang, None),
    ]
    router.add_api_route(
        path,
        with_signature(handle, operation_id, parameters),
        methods=["GET"],
        operation_id=operation_id,
        summary=summary,
        description=description,
        response_class=Response,
        responses={**problems(*sender.errors, 404, 409, 422), **PDF},
    )


_register_letter(
    "/cases/{case_id}/letter",
    operation_id="getLetter",
    summary="The letter to the citizen, as PDF",
    description="What the citizen was told when the case was decided or refused; 409 `no_letter` before. For who may read the "
    "case.",
    sender=STAFF,
    case_id=CaseId,
)
_register_letter(
    "/me/cases/{case_id}/letter",
    operation_id="getOwnLetter",
    summary="The letter about my case, as PDF",
    description="409 `no_letter` until the case is decided or refused.",
    sender=CITIZEN,
    case_id=CaseId,
)
_register_letter(
    "/tracking/letter",
    operation_id="getLetterByCode",
    summary="The letter about this case, as PDF",
    description="409 `no_letter` until the case is decided or refused. The tracking code is not in it.",
    sender=BEARER,
)


@router.post(
    "/receipts/pdf",
    operation_id="printReceipt",
    summary="A receipt as PDF, with a QR code to check it by",
    response_class=Response,
    responses={**problems(404, body=True, calls_service=False), **PDF},
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
    responses=problems(body=True, calls_service=False),
)
async def check(body: SealBody, container: ContainerDep, visitor: VisitorDep) -> Response:
    """By the seal on it. The same offline: the signature (Ed25519, base64url) after the last `~` of a letter's seal is over the
    bytes before it, with the key of /v1/receipts/key. Only `in_force` of a letter takes a service: whether what it told was taken
    back or replaced since."""
    verified = await container.papers.verify(signature_line_in(body.seal))
    return answer(paper_view(verified, visitor.language))
