"""Exports: files of the cases that one may see, made in the background and fetched when they are done."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from starlette.responses import StreamingResponse

from backbone.persian import jalali
from contracts.exports import (
    DropExport,
    Dropped,
    Export,
    ExportFormat,
    ExportPage,
    ExportPiece,
    GetExport,
    ListExports,
    ReadExport,
    StartExport,
)
from gateway.api.dependencies import ContainerDep, IdempotencyKey, SignedIn, StaffDep, answer
from gateway.api.exports.bodies import ExportBody
from gateway.api.openapi_responses import answers, problems
from gateway.container import AppContainer
from gateway.evidence.downloads import content_disposition

router = APIRouter(prefix="/exports", tags=["exports"])

ExportId = Annotated[UUID, Path(description="The export's id.")]
MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {name.split(";")[0]: _BINARY for name in MEDIA_TYPES.values()}}
}
_FIXED_HEADERS = {
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "x-robots-tag": "noindex",
}


@router.post(
    "",
    operation_id="startExport",
    summary="Ask for a file of cases",
    status_code=202,
    response_model=Export,
    responses={
        **problems(401, 403, 404, 409, body=True),
        **answers(202, "It will be made", Location="Where its state is"),
    },
)
async def start(
    body: ExportBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """By who sees cases, and of those alone that they may see while it is made; no codes, no identities; to an
    analyst without texts and handlers, which cannot be looked for either (403). 409 with too many
    in the making."""
    request = StartExport(
        actor=signed_in.actor,
        filters=body.filters.filter(),
        search=body.search,
        format=body.format,
        language=body.language,
        idempotency_key=idempotency_key,
    )
    export = await container.rabbit.ask("tracking", "start_export", request, Export)
    return answer(export, 202, location=f"/v1/exports/{export.export_id}")


@router.get(
    "",
    operation_id="listExports",
    summary="My exports",
    response_model=ExportPage,
    responses=problems(401, 403),
)
async def list_exports(container: ContainerDep, signed_in: StaffDep) -> Response:
    """The newest first; those that are not purged yet."""
    return answer(
        await container.rabbit.ask("tracking", "list_exports", ListExports(actor=signed_in.actor), ExportPage)
    )


@router.get(
    "/{export_id}",
    operation_id="getExport",
    summary="How far an export is",
    response_model=Export,
    responses=problems(401, 403, 404, 422),
)
async def get_export(export_id: ExportId, container: ContainerDep, signed_in: StaffDep) -> Response:
    """404 for another's."""
    request = GetExport(actor=signed_in.actor, export_id=export_id)
    return answer(await container.rabbit.ask("tracking", "get_export", request, Export))


@router.get(
    "/{export_id}/file",
    operation_id="downloadExport",
    summary="The file of an export",
    response_class=Response,
    responses={**problems(401, 403, 404, 409, 410, 422), **_FILE},
)
async def download(export_id: ExportId, container: ContainerDep, signed_in: StaffDep) -> Response:
    """409 until it is done; 410 when I may no longer see what I might when it was made."""
    first = await _piece(container, signed_in, export_id, 0)
    name = f"cases-{jalali.plain(jalali.today(first.asked_at)).replace('/', '-')}.{first.format}"
    headers = {
        **_FIXED_HEADERS,
        "content-type": MEDIA_TYPES[first.format],
        "content-disposition": content_disposition(name, inline=False),
        "content-length": str(first.size),
    }
    return StreamingResponse(_pieces(container, signed_in, first), headers=headers)


@router.delete(
    "/{export_id}",
    operation_id="dropExport",
    summary="Cancel or drop an export",
    status_code=204,
    responses=problems(401, 403, 404, 422),
)
async def drop(export_id: ExportId, container: ContainerDep, signed_in: StaffDep) -> Response:
    """It is made no further, and its file is gone."""
    await container.rabbit.ask(
        "tracking", "drop_export", DropExport(actor=signed_in.actor, export_id=export_id), Dropped
    )
    return Response(status_code=204)


async def _piece(container: AppContainer, signed_in: SignedIn, export_id: UUID, piece: int) -> ExportPiece:
    request = ReadExport(actor=signed_in.actor, export_id=export_id, piece=piece)
    return await container.rabbit.ask("tracking", "read_export", request, ExportPiece)


async def _pieces(container: AppContainer, signed_in: SignedIn, first: ExportPiece) -> AsyncIterator[bytes]:
    yield base64.b64decode(first.content)
    for number in range(1, first.pieces):
        piece = await _piece(container, signed_in, first.export_id, number)
        yield base64.b64decode(piece.content)
