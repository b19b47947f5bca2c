"""Exports: files of the cases that one may see, made in the background and fetched when they are done."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from starlette.responses import StreamingResponse

from backbone.persian import jalali
from contracts import exports
from gateway.api.dependencies import ContainerDep, IdempotencyKey, SignedIn, StaffDep, answer
from gateway.api.exports.bodies import ExportBody
from gateway.api.openapi_responses import answers, problems
from gateway.api.request_endpoints import LONG_PAGE, STAFF, Field, RequestEndpoint, Rpc, Success, register_requests
from gateway.container import AppContainer
from gateway.evidence.downloads import content_disposition

router = APIRouter(prefix="/exports", tags=["exports"])

ExportId = Annotated[UUID, Path(description="The export's id.")]
MEDIA_TYPES = {
    exports.ExportFormat.CSV: "text/csv; charset=utf-8",
    exports.ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
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
    response_model=exports.Export,
    responses={
        **problems(401, 403, 404, 409, body=True),
        **answers(202, "It will be made", Location="Where its state is"),
    },
)
async def start(
    body: ExportBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """By who sees cases, and of those alone that they may see while it is made; no codes, no identities; to an analyst without
    texts and handlers, which cannot be looked for either (403). 409 with too many in the making."""
    request = exports.StartExport(
        actor=signed_in.actor,
        filters=body.filters.filter().model_copy(update={"ids": body.case_ids} if body.case_ids else {}),
        search=body.search,
        format=body.format,
        language=body.language,
        idempotency_key=idempotency_key,
    )
    export = await container.rabbit.call("tracking", "start_export", request, exports.Export)
    return answer(export, 202, location=f"/v1/exports/{export.export_id}")


register_requests(
    router,
    RequestEndpoint(
        "GET",
        "listExports",
        "My exports",
        "The newest first; those that are not purged yet. `next` is the `after` of the following page.",
        STAFF,
        Rpc("tracking.list_exports", exports.ListExports, exports.ExportPage),
        parameters=LONG_PAGE,
    ),
    RequestEndpoint(
        "GET /{export_id}",
        "getExport",
        "How far an export is",
        "404 for another's.",
        STAFF,
        Rpc("tracking.get_export", exports.GetExport, exports.Export),
        parameters={"export_id": Field(ExportId)},
    ),
)


@router.get(
    "/{export_id}/file",
    operation_id="downloadExport",
    summary="The file of an export",
    response_class=Response,
    responses={**problems(401, 403, 404, 409, 410, 422), **_FILE},
)
async def download(export_id: ExportId, container: ContainerDep, signed_in: StaffDep) -> Response:
    """409 until it is done; 410 when I may no longer see what I might when it was made."""
    first = await _chunk(container, signed_in, export_id, 0)
    name = f"cases-{jalali.plain(jalali.today(first.asked_at)).replace('/', '-')}.{first.format}"
    headers = {
        **_FIXED_HEADERS,
        "content-type": MEDIA_TYPES[first.format],
        "content-disposition": content_disposition(name, inline=False),
        "content-length": str(first.size),
    }
    return StreamingResponse(_chunks(container, signed_in, first), headers=headers)


register_requests(
    router,
    RequestEndpoint(
        "DELETE /{export_id}",
        "dropExport",
        "Cancel or drop an export",
        "It is made no further, and its file is gone.",
        STAFF,
        Rpc("tracking.drop_export", exports.DropExport, exports.Dropped),
        parameters={"export_id": Field(ExportId)},
        success=Success(status=204),
    ),
)


async def _chunk(container: AppContainer, signed_in: SignedIn, export_id: UUID, chunk: int) -> exports.ExportChunk:
    request = exports.ReadExport(actor=signed_in.actor, export_id=export_id, chunk=chunk)
    return await container.rabbit.call("tracking", "read_export", request, exports.ExportChunk)


async def _chunks(container: AppContainer, signed_in: SignedIn, first: exports.ExportChunk) -> AsyncIterator[bytes]:
    yield base64.b64decode(first.content)
    for number in range(1, first.chunks):
        chunk = await _chunk(container, signed_in, first.export_id, number)
        yield base64.b64decode(chunk.content)
