"""Relays the chunks of an upload from a client's request to the object store, without storing them in this process.

Media signs URLs for parts, each an object of its own; a part's length must be given before its first byte. So when a
client's connection breaks in the middle of a part, the part is filled up with zeros and media records how many bytes count:
what arrived is kept, whatever chunk size the client chose. At most one network buffer is in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from backbone.process import logs
from contracts.base import Request
from contracts.errors import (
    ChecksumMismatch,
    DeadlinePassed,
    EvidenceUnavailable,
    OffsetConflict,
    TooLarge,
    Unavailable,
)
from contracts.media import (
    ChunkTarget,
    CreateUpload,
    Download,
    GetUpload,
    PrepareChunk,
    RecordChunk,
    RenewUpload,
    SignOwnUpload,
    TerminateUpload,
    Upload,
    Variant,
)
from gateway.evidence.downloads import stream_media

log = logs.get("uploads")

AnswerModel = TypeVar("AnswerModel", bound=BaseModel)
CHECKSUMS = ("sha1", "sha256")
_ZEROS = bytes(64 * 1024)


class RpcClient(Protocol):
    """The part of `gateway.rabbit.client.RabbitClient` that is used here."""

    async def call(
        self,
        service: str,
        method: str,
        request: Request,
        answer: type[AnswerModel],
        patience: float | None = None,
    ) -> AnswerModel: ...


@dataclass(frozen=True)
class Checksum:
    """The hash that the client announced for its bytes. `algorithm`: one of CHECKSUMS."""

    algorithm: str
    digest: bytes


class UploadBody:
    """A client's bytes as they arrive. After the end, `is_incomplete` says whether more were announced.

    `length`: what the client announced, None when it did not. `stall_timeout`: seconds without a byte after which the body
    counts as incomplete.
    """

    def __init__(self, stream: AsyncIterator[bytes], length: int | None, stall_timeout: float) -> None:
        self._stream, self._stall_timeout = stream, stall_timeout
        self._buffer = memoryview(b"")
        self._received = 0
        self._length = length
        self.is_ended = False
        self.is_incomplete = False
        self.hash: Any = None

    @property
    def remaining(self) -> int | None:
        """How many bytes are still to come, as far as the client has announced it."""
        return None if self._length is None else self._length - self._received + len(self._buffer)

    async def read(self, limit: int) -> memoryview:
        """At most `limit` bytes; none at the end."""
        while not self._buffer and not self.is_ended:
            await self._receive()
        chunk, self._buffer = self._buffer[:limit], self._buffer[limit:]
        if self.hash is not None:
            self.hash.update(chunk)
        return chunk

    async def _receive(self) -> None:
        try:
            async with asyncio.timeout(self._stall_timeout):
                chunk = await anext(self._stream, b"")
        except (TimeoutError, ClientDisconnect):
            self.is_ended = self.is_incomplete = True
            return
        if not chunk:
            self.is_ended = True
            self.is_incomplete = self._length is not None and self._received < self._length
        self._received += len(chunk)
        self._buffer = memoryview(chunk)


SpendMegabytes = Callable[[str, int], Awaitable[None]]
"""Takes so many megabytes from the budget of an address key. Raises TooMany."""
_MEGABYTE = 1024 * 1024


class ChunkRelay:
    """Uploads at media and in the object store. `client`: for the object store alone. `spend_megabytes`: called for whatever is
    stored, also for what does not count in the end: it fills the store as well.

    When media or the store do not work, or the store is full, it raises EvidenceUnavailable: one can file without evidence.
    """

    def __init__(
        self, rabbit: RpcClient, client: httpx.AsyncClient, spend_megabytes: SpendMegabytes | None = None
    ) -> None:
        self._rabbit, self._client, self._spend_megabytes = rabbit, client, spend_megabytes

    async def create(
        self,
        size: int,
        file_name: str | None = None,
        declared_type: str | None = None,
        address_key: str | None = None,
    ) -> Upload:
        """A new upload of `size` bytes. Raises TooLarge, TooManyUploads, EvidenceUnavailable."""
        request = CreateUpload(size=size, file_name=file_name, declared_type=declared_type, address_key=address_key)
        return await self._call("create_upload", request, Upload)

    async def _call(
        self, method: str, request: Request, answer: type[AnswerModel], patience: float | None = None
    ) -> AnswerModel:
        try:
            return await self._rabbit.call("media", method, request, answer, patience)
        except (DeadlinePassed, EvidenceUnavailable):
            raise
        except Unavailable as error:
            raise EvidenceUnavailable(error.params) from error

    async def get(self, upload_id: str, patience: float | None = None) -> Upload:
        """Raises NotFound, Gone, Unavailable. `patience`: seconds within which media has to answer any call."""
        return await self._call("get_upload", GetUpload(upload_id=upload_id), Upload, patience)

    async def renew(self, upload_id: str, address_key: str | None) -> Upload:
        """The upload, kept for longer. NotFound, Gone, TooManyUploads."""
        return await self._call("renew_upload", RenewUpload(upload_id=upload_id, address_key=address_key), Upload)

    async def preview(self, upload_id: str, variant: Variant, headers: Mapping[str, str]) -> Response:
        """The bytes of an upload that is not filed. NotFound, StillRegistering, Gone; what `stream_media` raises."""
        signed = await self._call("sign_own_upload", SignOwnUpload(upload_id=upload_id, variant=variant), Download)
        return await stream_media(self._client, signed, headers)

    async def terminate(self, upload_id: str) -> Upload:
        """Raises NotFound, Gone, WrongStage, Unavailable."""
        return await self._call("terminate_upload", TerminateUpload(upload_id=upload_id), Upload)

    async def append(
        self,
        upload_id: str,
        offset: int,
        body: UploadBody,
        checksum: Checksum | None = None,
        address_key: str | None = None,
    ) -> Upload:
        """Stores the body from `offset` on; the upload as it is then. What arrives of an incomplete body counts, unless it has a
        checksum: then all of it counts or none.

        Raises OffsetConflict, TooLarge (more than the upload has left), ChecksumMismatch, NotFound, Gone, TooMany (what
        was stored until then counts), EvidenceUnavailable.
        """
        if checksum is not None:
            return await self._append_checked(upload_id, offset, body, checksum, address_key)
        while True:
            target = await self._prepare(upload_id, offset)
            upload, remaining = target.upload, target.upload.size - offset
            if not target.part_urls:
                await _require_end(body)
                return upload
            for number, url in enumerate(target.part_urls):
                stored = await self._put(url, body, min(target.upload.part_size, remaining), address_key)
                if stored == 0:
                    return upload
                remaining -= stored
                if remaining == 0:
                    await _require_end(body)
                upload = await self._record(target, offset, number, [stored])
                offset += stored
                if body.is_ended or remaining == 0:
                    return upload

    async def _append_checked(
        self, upload_id: str, offset: int, body: UploadBody, checksum: Checksum, address_key: str | None
    ) -> Upload:
        body.hash = hashlib.new(checksum.algorithm, usedforsecurity=False)
        target = await self._prepare(upload_id, offset)
        remaining = target.upload.size - offset
        lengths: list[int] = []
        for url in target.part_urls:
            stored = await self._put(url, body, min(target.upload.part_size, remaining), address_key)
            if stored:
                lengths.append(stored)
            remaining -= stored
            if body.is_ended or remaining == 0:
                break
        await _require_end(body)
        if body.is_incomplete or not hmac.compare_digest(body.hash.digest(), checksum.digest):
            raise ChecksumMismatch
        return await self._record(target, offset, 0, lengths) if lengths else target.upload

    async def _prepare(self, upload_id: str, offset: int) -> ChunkTarget:
        target = await self._call("prepare_chunk", PrepareChunk(upload_id=upload_id, offset=offset), ChunkTarget)
        if target.upload.offset != offset:
            raise OffsetConflict(offset=target.upload.offset)
        return target

    async def _record(self, target: ChunkTarget, offset: int, first_part: int, lengths: list[int]) -> Upload:
        request = RecordChunk(
            upload_id=target.upload.upload_id,
            lease=target.lease,
            offset=offset,
            first_part=first_part,
            lengths=lengths,
        )
        return await self._call("record_chunk", request, Upload)

    async def _put(self, url: str, body: UploadBody, length: int, address_key: str | None) -> int:
        """Stores up to `length` bytes of the body under `url`; how many. Raises TooMany, EvidenceUnavailable: then none
        of them count.
        """
        if body.remaining is not None:  # no larger than needed: many small chunks would fill the store with zeros
            length = min(length, body.remaining)
        first = await body.read(length) if length > 0 else memoryview(b"")
        if not first:
            return 0
        if self._spend_megabytes is not None and address_key is not None:
            await self._spend_megabytes(address_key, -(-length // _MEGABYTE))
        received = 0

        async def content() -> AsyncIterator[bytes]:
            nonlocal received
            chunk = first
            while chunk:
                received += len(chunk)
                yield bytes(chunk)
                chunk = await body.read(length - received) if received < length else memoryview(b"")
            for position in range(received, length, len(_ZEROS)):
                yield _ZEROS[: length - position]

        try:
            answer = await self._client.put(url, content=content(), headers={"Content-Length": str(length)})
        except httpx.HTTPError as error:
            log.warning("the object store did not accept a part", error=type(error).__name__)
            raise EvidenceUnavailable(retry_after=5) from error
        if answer.status_code != httpx.codes.OK:
            log.warning("the object store refused a part", status=answer.status_code)
            raise EvidenceUnavailable(retry_after=5)
        return received


def object_store_client() -> httpx.AsyncClient:
    """A client for presigned URLs: nothing from the environment, no redirects."""
    return httpx.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(60, connect=5, pool=10),
        # A connection that the store is about to close must not be used for a body that cannot be sent twice.
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=2),
    )


async def _require_end(body: UploadBody) -> None:
    """Raises TooLarge when the client sends more than the upload has left."""
    if not body.is_ended and await body.read(1):
        raise TooLarge
