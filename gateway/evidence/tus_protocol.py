"""Resumable uploads at /v1/uploads by the tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload).

Extensions: creation, creation-with-upload, expiration, termination, checksum. An upload belongs to whoever
knows its id, which cannot be guessed. `GET /v1/uploads/{id}` is ours: what became of it, as JSON.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from contracts.errors import ChecksumMismatch, NotFound, PeygirError, TooLarge, TooMany, Unavailable, UnsupportedMedia
from contracts.media import MediaNote, Upload, UploadState
from gateway.edge import language
from gateway.edge.problems import BadRequest, MethodNotAllowed, Problem, TooSlow, problem
from gateway.evidence.chunk_relay import CHECKSUMS, Body, Checksum, Uploads
from gateway.evidence.refusals import reason_text

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination,checksum"
CHUNK_TYPE = "application/offset+octet-stream"
_ID = re.compile(r"[A-Za-z0-9_-]{22,64}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_METADATA_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]+")
_LONGEST_NAME, _LONGEST_TYPE = 255, 100


class TusVersionNeeded(PeygirError):
    code = "tus_version"
    status = 412


class UploadView(BaseModel):
    """An upload as its owner sees it, until a case has it. `size`, `offset` in bytes; `state`: open while bytes are
    missing, processing, then accepted, or rejected with a stable `reason` such as type_not_permitted, encrypted, too_long,
    damaged or infected, and `reason_text` in the caller's language. `notes`: what to know about it, such as
    first_frame_only or scaled_down; check_delayed while processing takes longer than it should.
    """

    model_config = ConfigDict(
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
        }
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
    """tus wants its headers on every answer, errors included."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                response = await inner(request)
            except PeygirError as error:
                headers = {"tus-version": VERSION} if isinstance(error, TusVersionNeeded) else {}
                if "offset" in error.params:
                    headers["upload-offset"] = str(error.params["offset"])
                response = problem(error, language.of(request.scope["headers"]), headers)
            response.headers["tus-resumable"] = VERSION
            return response

        return handler


UploadIdPath = Annotated[str, Path(description="From the Location of the creation")]
_PROBLEM = {"model": Problem, "description": "RFC 9457"}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return dict.fromkeys(sorted({*statuses, 400, 401, 404, 410, 412, 429, 500, 503, 504}), _PROBLEM)


def _takes(*names: str, chunk: bool | None = None, max_size: int | None = None) -> dict[str, Any]:
    """What an operation of the protocol takes, for the document: these headers, and bytes (`chunk` False: if you like)."""
    parameters = [{"name": name, "in": "header", **_HEADERS[name]} for name in names]
    for parameter in parameters:
        if parameter["name"] in ("Upload-Length", "Upload-Offset") and max_size is not None:
            parameter["schema"] = {**parameter["schema"], "maximum": max_size}
    told: dict[str, Any] = {"parameters": parameters}
    if chunk is not None:
        content = {CHUNK_TYPE: {"schema": {"type": "string", "format": "binary"}}}
        told["requestBody"] = {"required": chunk, "content": content}
    return told


def _tells(status: int, description: str, *names: str) -> dict[int | str, dict[str, Any]]:
    """The success of an operation of the protocol, for the document: the headers that it carries."""
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
    uploads: Uploads,
    *,
    max_size: int,
    stall_timeout: float = 60.0,
    address_key: Callable[[Request], str] | None = None,
) -> APIRouter:
    """The routes. `max_size` in bytes is what is told; media decides. `stall_timeout`: seconds without a
    byte. `address_key`: what a request's address is counted by.
    """
    routes = APIRouter(prefix="/v1/uploads", tags=["uploads"], route_class=_TusRoute)
    container = TusProtocol(uploads, max_size, stall_timeout, address_key)

    @routes.options("", status_code=204, summary="What this server offers of tus")
    @routes.options("/{upload_id}", status_code=204, include_in_schema=False)
    async def options(request: Request) -> Response:
        return Response(status_code=204, headers=container.offers())

    @routes.post(
        "",
        status_code=201,
        summary="Begin an upload",
        description="Headers Tus-Resumable and Upload-Length, and if you like Upload-Metadata (filename, filetype). "
        "The answer's Location is the upload. A first chunk may come along as application/offset+octet-stream.",
        responses={
            **_tells(201, "The upload is open", "Location", "Upload-Offset", "Upload-Expires"),
            **_problems(408, 409, 413, 415),
        },
        openapi_extra=_takes(
            "Tus-Resumable", "Upload-Length", "Upload-Metadata", "Upload-Checksum", chunk=False, max_size=max_size
        ),
        response_class=Response,
    )
    async def create(request: Request) -> Response:
        return await container.create(request)

    @routes.head(
        "/{upload_id}",
        summary="How far an upload has come",
        responses={
            **_tells(200, "How far it is", "Upload-Offset", "Upload-Length", "Upload-Expires"),
            **_problems(),
        },
        openapi_extra=_takes("Tus-Resumable"),
        response_class=Response,
    )
    async def head(request: Request, upload_id: UploadIdPath) -> Response:
        return await container.head(request, upload_id)

    @routes.get("/{upload_id}", summary="What became of an upload", responses=_problems())
    async def view(request: Request, upload_id: UploadIdPath) -> UploadView:
        """Look here before filing: a refused file says why, and can be replaced. Once a case has the upload, this is 404 for
        everybody: its state is told with the case (`attachments`)."""
        seen = await uploads.get(_checked(upload_id))
        told = seen.model_dump(include=set(UploadView.model_fields))
        said = reason_text(seen.reason, language.of(request.scope["headers"]))
        return UploadView.model_validate({**told, "reason_text": said})

    @routes.patch(
        "/{upload_id}",
        status_code=204,
        summary="Send bytes",
        description="Any number of bytes from Upload-Offset on. With Upload-Checksum all of them count or none.",
        responses={
            **_tells(204, "They are kept", "Upload-Offset", "Upload-Expires"),
            **_problems(408, 409, 413, 415, 460),
        },
        openapi_extra=_takes("Tus-Resumable", "Upload-Offset", "Upload-Checksum", chunk=True, max_size=max_size),
        response_class=Response,
    )
    async def patch(request: Request, upload_id: UploadIdPath) -> Response:
        return await container.patch(request, upload_id)

    @routes.delete(
        "/{upload_id}",
        status_code=204,
        summary="Give up an upload",
        responses={**_tells(204, "It is gone"), **_problems(409)},
        openapi_extra=_takes("Tus-Resumable"),
        response_class=Response,
    )
    async def delete(request: Request, upload_id: UploadIdPath) -> Response:
        return await container.delete(request, upload_id)

    @routes.post("/{upload_id}", include_in_schema=False)
    async def overridden(request: Request, upload_id: UploadIdPath) -> Response:
        """For clients, or proxies between, that know no PATCH or DELETE."""
        method = request.headers.get("x-http-method-override", "").upper()
        ways = {"PATCH": container.patch, "DELETE": container.delete, "HEAD": container.head}
        if not method:
            raise HTTPException(MethodNotAllowed.status)
        if method not in ways:
            raise BadRequest(fields=[{"field": "X-HTTP-Method-Override", "reason": "enum"}])
        return await ways[method](request, upload_id)

    return routes


class TusProtocol:
    """The protocol's words, read and said."""

    def __init__(
        self, uploads: Uploads, max_size: int, stall_timeout: float, address_key: Callable[[Request], str] | None
    ) -> None:
        self._uploads, self._max_size, self._stall = uploads, max_size, stall_timeout
        self._address_key = address_key

    def offers(self) -> dict[str, str]:
        return {
            "tus-version": VERSION,
            "tus-extension": EXTENSIONS,
            "tus-max-size": str(self._max_size),
            "tus-checksum-algorithm": ",".join(CHECKSUMS),
        }

    async def create(self, request: Request) -> Response:
        _check_version(request)
        for unoffered in ("upload-defer-length", "upload-concat"):
            if unoffered in request.headers:
                raise BadRequest(fields=[{"field": unoffered.title(), "reason": "extra_forbidden"}])
        size = _number(request, "Upload-Length")
        if size > self._max_size:
            raise TooLarge(limit=self._max_size)
        metadata = read_metadata(request.headers.get("upload-metadata", ""))
        checksum = _checksum(request)
        upload = await self._uploads.create(size, *_name_and_type(metadata), address_key=self._key_of(request))
        if _content_type(request) == CHUNK_TYPE:
            upload = await self._first_chunk(request, upload, checksum)
        headers = {"location": f"/v1/uploads/{upload.upload_id}", "upload-offset": str(upload.offset)}
        return Response(status_code=201, headers={**headers, **_expiry(upload)})

    async def _first_chunk(self, request: Request, upload: Upload, checksum: Checksum | None) -> Upload:
        """The upload exists whatever becomes of its first chunk: the client goes on from what is stored."""
        try:
            return (await self._append(request, upload.upload_id, 0, checksum))[0]
        except ChecksumMismatch:
            return upload
        except (Unavailable, TooMany):
            return await self._uploads.get(upload.upload_id)

    async def head(self, request: Request, upload_id: str) -> Response:
        _check_version(request)
        upload = await self._uploads.get(_checked(upload_id))
        headers = {
            "cache-control": "no-store",
            "upload-offset": str(upload.offset),
            "upload-length": str(upload.size),
            **_expiry(upload),
        }
        metadata = write_metadata({"filename": upload.file_name, "filetype": upload.declared_type})
        if metadata:
            headers["upload-metadata"] = metadata
        return Response(status_code=200, headers=headers)

    async def patch(self, request: Request, upload_id: str) -> Response:
        _check_version(request)
        if _content_type(request) != CHUNK_TYPE:
            raise UnsupportedMedia
        offset = _number(request, "Upload-Offset")
        checksum = _checksum(request)
        upload, body = await self._append(request, _checked(upload_id), offset, checksum)
        if body.cut:
            raise TooSlow(offset=upload.offset)
        return Response(status_code=204, headers={"upload-offset": str(upload.offset), **_expiry(upload)})

    async def delete(self, request: Request, upload_id: str) -> Response:
        _check_version(request)
        await self._uploads.terminate(_checked(upload_id))
        return Response(status_code=204)

    async def _append(
        self, request: Request, upload_id: str, offset: int, checksum: Checksum | None
    ) -> tuple[Upload, Body]:
        length = _announced(request)
        if length is not None and offset + length > self._max_size:
            raise TooLarge(limit=self._max_size)
        body = Body(request.stream(), length, self._stall)
        return await self._uploads.append(upload_id, offset, body, checksum, self._key_of(request)), body

    def _key_of(self, request: Request) -> str | None:
        return self._address_key(request) if self._address_key is not None else None


def read_metadata(header: str) -> dict[str, str]:
    """Upload-Metadata as pairs; a value that is no UTF-8 is left out. Raises BadRequest for what the protocol
    does not allow.
    """
    pairs: dict[str, str] = {}
    for part in header.split(","):
        key, _, coded = part.strip().partition(" ")
        if not key and not coded and not header.strip():
            continue
        if not _METADATA_KEY.fullmatch(key) or key in pairs:
            raise BadRequest(fields=[{"field": "Upload-Metadata", "reason": "string_pattern_mismatch"}])
        try:
            pairs[key] = base64.b64decode(coded.strip(), validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            raise BadRequest(fields=[{"field": "Upload-Metadata", "reason": "string_pattern_mismatch"}]) from None
    return pairs


def write_metadata(pairs: Mapping[str, str | None]) -> str:
    """The header for these pairs; those of no value are left out."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items() if value)


def _name_and_type(metadata: Mapping[str, str]) -> tuple[str | None, str | None]:
    """tus-js-client and tuspy say filename and filetype, Uppy also name and type."""
    name = metadata.get("filename") or metadata.get("name")
    declared = metadata.get("filetype") or metadata.get("type")
    return (_storable(name, _LONGEST_NAME), _storable(declared, _LONGEST_TYPE))


def _storable(value: str | None, longest: int) -> str | None:
    """PostgreSQL takes no NUL; more than `longest` characters help nobody."""
    return value.replace("\x00", "")[:longest] or None if value else None


def _check_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise TusVersionNeeded


def _checked(upload_id: str) -> str:
    if not _ID.fullmatch(upload_id):
        raise NotFound
    return upload_id


def _number(request: Request, name: str) -> int:
    value = request.headers.get(name)
    if value is None or not _NUMBER.fullmatch(value):
        reason = "missing" if value is None else "int_parsing"
        raise BadRequest(fields=[{"field": name, "reason": reason}])
    return int(value)


def _announced(request: Request) -> int | None:
    value = request.headers.get("content-length")
    return int(value) if value is not None and value.isdigit() else None


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _checksum(request: Request) -> Checksum | None:
    header = request.headers.get("upload-checksum")
    if header is None:
        return None
    algorithm, _, coded = header.strip().partition(" ")
    try:
        if algorithm not in CHECKSUMS:
            raise ValueError
        return Checksum(algorithm, base64.b64decode(coded.strip(), validate=True))
    except ValueError:  # binascii.Error is one
        raise BadRequest(fields=[{"field": "Upload-Checksum", "reason": "enum"}]) from None


def _expiry(upload: Upload) -> dict[str, str]:
    return {"upload-expires": format_datetime(upload.expires_at, usegmt=True)}
