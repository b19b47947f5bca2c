"""The tus protocol 1.0.0 of resumable uploads (https://tus.io/protocols/resumable-upload): its requests and answers.

Extensions: creation, creation-with-upload, expiration, termination, checksum. An upload belongs to whoever knows its id,
which cannot be guessed. The routes are in gateway/api/uploads.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from email.utils import format_datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import ChecksumMismatch, NotFound, PeygirError, TooLarge, TooMany, Unavailable, UnsupportedMedia
from contracts.media import Upload
from gateway.edge.problems import BadRequest, MethodNotAllowed, TooSlow
from gateway.evidence.chunk_relay import CHECKSUMS, Checksum, ChunkRelay, UploadBody

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination,checksum"
CHUNK_TYPE = "application/offset+octet-stream"
_ID = re.compile(r"[A-Za-z0-9_-]{22,64}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_METADATA_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]+")
_MAX_NAME, _MAX_TYPE = 255, 100


class TusVersionNeeded(PeygirError):
    code = "tus_version"
    status = 412


class TusProtocol:
    """Answers the requests of the protocol. `max_size` in bytes; media decides in the end. `stall_timeout`: seconds without a
    byte after which a body counts as incomplete. `address_key`: the key that a request's address is counted under."""

    def __init__(
        self, chunk_relay: ChunkRelay, max_size: int, stall_timeout: float, address_key: Callable[[Request], str] | None
    ) -> None:
        self._chunk_relay, self._max_size, self._stall_timeout = chunk_relay, max_size, stall_timeout
        self._address_key = address_key

    def options(self) -> Response:
        headers = {
            "tus-version": VERSION,
            "tus-extension": EXTENSIONS,
            "tus-max-size": str(self._max_size),
            "tus-checksum-algorithm": ",".join(CHECKSUMS),
        }
        return Response(status_code=204, headers=headers)

    async def create(self, request: Request) -> Response:
        _check_version(request)
        for header in ("upload-defer-length", "upload-concat"):
            if header in request.headers:
                raise BadRequest(fields=[{"field": header.title(), "reason": "extra_forbidden"}])
        size = _number_in(request, "Upload-Length")
        if size > self._max_size:
            raise TooLarge(limit=self._max_size)
        metadata = read_metadata(request.headers.get("upload-metadata", ""))
        checksum = _checksum(request)
        upload = await self._chunk_relay.create(size, *_name_and_type(metadata), address_key=self.key_of(request))
        if _content_type(request) == CHUNK_TYPE:
            upload = await self._first_chunk(request, upload, checksum)
        headers = {"location": f"/v1/uploads/{upload.upload_id}", "upload-offset": str(upload.offset)}
        return Response(status_code=201, headers={**headers, **_expiry(upload)})

    async def _first_chunk(self, request: Request, upload: Upload, checksum: Checksum | None) -> Upload:
        """The upload exists whatever happens to its first chunk: the client continues from what is stored."""
        try:
            return (await self._append(request, upload.upload_id, 0, checksum))[0]
        except ChecksumMismatch:
            return upload
        except (Unavailable, TooMany):
            return await self._chunk_relay.get(upload.upload_id)

    async def head(self, request: Request, upload_id: str) -> Response:
        _check_version(request)
        upload = await self._chunk_relay.get(checked_id(upload_id))
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
        offset = _number_in(request, "Upload-Offset")
        checksum = _checksum(request)
        upload, body = await self._append(request, checked_id(upload_id), offset, checksum)
        if body.is_incomplete:
            raise TooSlow(offset=upload.offset)
        return Response(status_code=204, headers={"upload-offset": str(upload.offset), **_expiry(upload)})

    async def override(self, request: Request, upload_id: str) -> Response:
        """A POST whose X-HTTP-Method-Override names the method, for clients or proxies that know no PATCH or DELETE."""
        method = request.headers.get("x-http-method-override", "").upper()
        methods = {"PATCH": self.patch, "DELETE": self.delete, "HEAD": self.head}
        if not method:
            raise HTTPException(MethodNotAllowed.status)
        if method not in methods:
            raise BadRequest(fields=[{"field": "X-HTTP-Method-Override", "reason": "enum"}])
        return await methods[method](request, upload_id)

    async def delete(self, request: Request, upload_id: str) -> Response:
        _check_version(request)
        await self._chunk_relay.terminate(checked_id(upload_id))
        return Response(status_code=204)

    async def _append(
        self, request: Request, upload_id: str, offset: int, checksum: Checksum | None
    ) -> tuple[Upload, UploadBody]:
        length = _content_length(request)
        if length is not None and offset + length > self._max_size:
            raise TooLarge(limit=self._max_size)
        body = UploadBody(request.stream(), length, self._stall_timeout)
        return await self._chunk_relay.append(upload_id, offset, body, checksum, self.key_of(request)), body

    def key_of(self, request: Request) -> str | None:
        """What stands for this request's address; None where addresses are not counted."""
        return self._address_key(request) if self._address_key is not None else None


def read_metadata(header: str) -> dict[str, str]:
    """Upload-Metadata as pairs. Raises BadRequest for what the protocol does not allow."""
    pairs: dict[str, str] = {}
    for part in header.split(","):
        key, _, encoded = part.strip().partition(" ")
        if not key and not encoded and not header.strip():
            continue
        if not _METADATA_KEY.fullmatch(key) or key in pairs:
            raise BadRequest(fields=[{"field": "Upload-Metadata", "reason": "string_pattern_mismatch"}])
        try:
            pairs[key] = base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            raise BadRequest(fields=[{"field": "Upload-Metadata", "reason": "string_pattern_mismatch"}]) from None
    return pairs


def write_metadata(pairs: Mapping[str, str | None]) -> str:
    """The header for these pairs, without those that have no value."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items() if value)


def _name_and_type(metadata: Mapping[str, str]) -> tuple[str | None, str | None]:
    """tus-js-client and tuspy send filename and filetype, Uppy also name and type."""
    name = metadata.get("filename") or metadata.get("name")
    media_type = metadata.get("filetype") or metadata.get("type")
    return (_clean(name, _MAX_NAME), _clean(media_type, _MAX_TYPE))


def _clean(value: str | None, max_length: int) -> str | None:
    """PostgreSQL takes no NUL; more than `max_length` characters are of no use."""
    return value.replace("\x00", "")[:max_length] or None if value else None


def _check_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise TusVersionNeeded


def checked_id(upload_id: str) -> str:
    """NotFound for what cannot be the id of an upload."""
    if not _ID.fullmatch(upload_id):
        raise NotFound
    return upload_id


def _number_in(request: Request, name: str) -> int:
    value = request.headers.get(name)
    if value is None or not _NUMBER.fullmatch(value):
        reason = "missing" if value is None else "int_parsing"
        raise BadRequest(fields=[{"field": name, "reason": reason}])
    return int(value)


def _content_length(request: Request) -> int | None:
    value = request.headers.get("content-length")
    return int(value) if value is not None and value.isdigit() else None


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _checksum(request: Request) -> Checksum | None:
    header = request.headers.get("upload-checksum")
    if header is None:
        return None
    algorithm, _, encoded = header.strip().partition(" ")
    try:
        if algorithm not in CHECKSUMS:
            raise ValueError
        return Checksum(algorithm, base64.b64decode(encoded.strip(), validate=True))
    except ValueError:  # binascii.Error is one
        raise BadRequest(fields=[{"field": "Upload-Checksum", "reason": "enum"}]) from None


def _expiry(upload: Upload) -> dict[str, str]:
    return {"upload-expires": format_datetime(upload.expires_at, usegmt=True)}
