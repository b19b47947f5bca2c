"""Resumable uploads at /v1/uploads by the tus protocol 1.0.0 (gateway/evidence/tus_protocol.py).

`GET /v1/uploads/{id}` is an addition to the protocol: what became of an upload, as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from contracts.errors import PeygirError
from contracts.media import MediaNote, Upload, UploadState, Variant
from gateway.api.openapi_responses import problems
from gateway.edge import language
from gateway.edge.problems import Problem, problem
from gateway.evidence.attachments import CONTENT
from gateway.evidence.chunk_relay import ChunkRelay
from gateway.evidence.refusals import reason_text
from gateway.evidence.tus_protocol import CHUNK_TYPE, VERSION, TusProtocol, TusVersionNeeded, checked_id


class UploadView(BaseModel):
    """An upload as its owner sees it, until a case has it. `size`, `offset` in bytes; `state`: open while bytes are
    missing, processing, then accepted, or rejected with a stable `reason` such as type_not_permitted, encrypted, too_long,
    damaged or infected, and `reason_text` in the caller's language. `notes`: what to know about it, such as
    first_frame_only or scaled_down; check_delayed while processing takes longer than it should.
    """

    model_config = ConfigDict(
        json_schema_serialization_defaults_required=True,
        json_schema_extra={
            "examples": [
                {
                    "upload_id": "0vJmYw8Qx2nB5tZk3LrHc9SdEfGuPaTq",
                    "state": "accepted",
                    "size": 2481337,
                    "offset": 2481337,
                    "file_name": "photo.jpg",
                    "reason": None,
                    "reason_text": None,
                    "notes": ["scaled_down"],
                    "expires_at": "2026-11-24T08:30:00Z",
                }
            ]
        },
    )

    upload_id: str = Field(pattern=r"^[A-Za-z0-9_-]{22,64}$")
    state: UploadState
    size: int = Field(ge=0)
    offset: int = Field(ge=0)
    file_name: str | None = None
    reason: str | None = None
    reason_text: str | None = None
    notes: list[MediaNote] = []
    expires_at: datetime


class _TusRoute(APIRoute):
    """tus requires its headers on every answer, errors included."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                response = await handle(request)
            except PeygirError as error:
                headers = {"tus-version": VERSION} if isinstance(error, TusVersionNeeded) else {}
                if "offset" in error.params:
                    headers["upload-offset"] = str(error.params["offset"])
                response = problem(error, language.of(request.scope["headers"]), headers)
            response.headers["tus-resumable"] = VERSION
            return response

        return handler


def _view(request: Request, upload: Upload) -> UploadView:
    values = upload.model_dump(include=set(UploadView.model_fields))
    reason = reason_text(upload.reason, language.of(request.scope["headers"]))
    return UploadView.model_validate({**values, "reason_text": reason})


UploadIdPath = Annotated[str, Path(description="From the Location of the creation")]
_PROBLEM = {"model": Problem, "description": "RFC 9457"}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return dict.fromkeys(sorted({*statuses, 400, 401, 404, 410, 412, 429, 500, 503, 504}), _PROBLEM)


def _request(*names: str, chunk: bool | None = None, max_size: int | None = None) -> dict[str, Any]:
    """The request of an operation, for the OpenAPI document: these headers, and bytes (`chunk` False: optional)."""
    parameters = [{"name": name, "in": "header", **_HEADERS[name]} for name in names]
    for parameter in parameters:
        if parameter["name"] in ("Upload-Length", "Upload-Offset") and max_size is not None:
            parameter["schema"] = {**parameter["schema"], "maximum": max_size}
    operation: dict[str, Any] = {"parameters": parameters}
    if chunk is not None:
        content = {CHUNK_TYPE: {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": chunk, "content": content}
    return operation


def _success(status: int, description: str, *names: str) -> dict[int | str, dict[str, Any]]:
    """The answer to a successful operation, for the OpenAPI document, with these headers."""
    headers = {name: {"schema": {"type": "string"}, "required": True} for name in ("Tus-Resumable", *names)}
    return {status: {"description": description, "headers": headers}}


_HEADERS: dict[str, dict[str, Any]] = {
    "Tus-Resumable": {"required": True, "schema": {"type": "string", "enum": [VERSION]}},
    "Upload-Length": {
        "required": True,
        "description": "Bytes of the whole file",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Upload-Offset": {
        "required": True,
        "description": "Where these bytes begin",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Upload-Metadata": {
        "required": False,
        "description": "filename and filetype, each with its value in base64, parted by commas",
        "schema": {"type": "string"},
        "example": "filename cGhvdG8uanBn,filetype aW1hZ2UvanBlZw==",
    },
    "Upload-Checksum": {
        "required": False,
        "description": "sha1 or sha256 and the digest in base64: all the bytes count or none",
        "schema": {"type": "string"},
        "example": "sha1 Lve95gjOVATpfV8EL5X4nxwjKHE=",
    },
}


def router(
    chunk_relay: ChunkRelay,
    *,
    max_size: int,
    stall_timeout: float = 60.0,
    address_key: Callable[[Request], str] | None = None,
) -> APIRouter:
    """The routes of /v1/uploads; the parameters are those of `TusProtocol`."""
    routes = APIRouter(prefix="/v1/uploads", tags=["uploads"], route_class=_TusRoute)
    protocol = TusProtocol(chunk_relay, max_size, stall_timeout, address_key)

    @routes.options("", status_code=204, summary="What this server offers of tus")
    @routes.options("/{upload_id}", status_code=204, include_in_schema=False)
    async def options(request: Request) -> Response:
        return protocol.options()

    @routes.post(
        "",
        status_code=201,
        summary="Begin an upload",
        description="Headers Tus-Resumable and Upload-Length, and if you like Upload-Metadata (filename, filetype). "
        "The answer's Location is the upload. A first chunk may come along as application/offset+octet-stream.",
        responses={
            **_success(201, "The upload is open", "Location", "Upload-Offset", "Upload-Expires"),
            **_problems(408, 409, 413, 415),
        },
        openapi_extra=_request(
            "Tus-Resumable", "Upload-Length", "Upload-Metadata", "Upload-Checksum", chunk=False, max_size=max_size
        ),
        response_class=Response,
    )
    async def create(request: Request) -> Response:
        return await protocol.create(request)

    @routes.head(
        "/{upload_id}",
        summary="How far an upload has come",
        responses={
            **_success(200, "How far it is", "Upload-Offset", "Upload-Length", "Upload-Expires"),
            **_problems(),
        },
        openapi_extra=_request("Tus-Resumable"),
        response_class=Response,
    )
    async def head(request: Request, upload_id: UploadIdPath) -> Response:
        return await protocol.head(request, upload_id)

    @routes.get("/{upload_id}", summary="What became of an upload", responses=_problems())
    async def view(request: Request, upload_id: UploadIdPath) -> UploadView:
        """Look here before filing: a refused file says why, and can be replaced. Once a case has the upload, this is 404 for
        everybody: its state is told with the case (`attachments`)."""
        return _view(request, await chunk_relay.get(checked_id(upload_id)))

    @routes.post(
        "/{upload_id}/renewal",
        operation_id="renewUpload",
        summary="Keep an upload that is not filed yet for another day",
        responses=_problems(),
    )
    async def renew(request: Request, upload_id: UploadIdPath) -> UploadView:
        """For a draft: it is kept for 24 hours from now, and 7 days from its beginning at most (`expires_at`). What is kept
        counts against the address it is renewed from, as what is on its way does; 429 where that is too much."""
        return _view(request, await chunk_relay.renew(checked_id(upload_id), protocol.key_of(request)))

    @routes.get(
        "/{upload_id}/preview",
        operation_id="previewUpload",
        summary="See or hear an upload before it is filed",
        responses={**problems(404, 409, 410, 416, 422), **CONTENT},
        response_class=Response,
    )
    async def preview(request: Request, upload_id: UploadIdPath, variant: Variant = Variant.PREVIEW) -> Response:
        """By its unguessable id, until a case has it; 409 while it is checked. Supports one Range. Never HTML, and kept by no
        browser."""
        return await chunk_relay.preview(checked_id(upload_id), variant, request.headers)

    @routes.patch(
        "/{upload_id}",
        status_code=204,
        summary="Send bytes",
        description="Any number of bytes from Upload-Offset on. With Upload-Checksum all of them count or none.",
        responses={
            **_success(204, "They are kept", "Upload-Offset", "Upload-Expires"),
            **_problems(408, 409, 413, 415, 460),
        },
        openapi_extra=_request("Tus-Resumable", "Upload-Offset", "Upload-Checksum", chunk=True, max_size=max_size),
        response_class=Response,
    )
    async def patch(request: Request, upload_id: UploadIdPath) -> Response:
        return await protocol.patch(request, upload_id)

    @routes.delete(
        "/{upload_id}",
        status_code=204,
        summary="Give up an upload",
        responses={**_success(204, "It is gone"), **_problems(409)},
        openapi_extra=_request("Tus-Resumable"),
        response_class=Response,
    )
    async def delete(request: Request, upload_id: UploadIdPath) -> Response:
        return await protocol.delete(request, upload_id)

    @routes.post("/{upload_id}", include_in_schema=False)
    async def override(request: Request, upload_id: UploadIdPath) -> Response:
        return await protocol.override(request, upload_id)

    return routes
