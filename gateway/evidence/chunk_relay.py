"""How bytes of an upload get from a client's request into the object store, through this process and not into
it.

Media signs URLs for pieces, each an object of its own; a piece's length must be said before its first byte.
So when a client's connection is cut in the middle of a piece, the piece is filled up with zeros and media is
told how many bytes count: what arrived is kept, whatever chunk size the client chose. At most one piece of
network buffer is in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

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
    GetUpload,
    PrepareChunk,
    RecordChunk,
    TerminateUpload,
    Upload,
)

log = logs.get("uploads")

Answered = TypeVar("Answered", bound=BaseModel)
CHECKSUMS = ("sha1", "sha256")
_ZEROS = bytes(64 * 1024)


class Asks(Protocol):
    """The part of `gateway.rabbit.client.Bus` that is used here."""

    async def ask(
        self,
        service: str,
        method: str,
        request: Request,
        answer: type[Answered],
        patience: float | None = None,
    ) -> Answered: ...


@dataclass(frozen=True)
class Checksum:
    """What the client says its bytes hash to. `algorithm` is one of CHECKSUMS."""

    algorithm: str
    digest: bytes


class Body:
    """A client's bytes as they come, at most `limit` at a time. After the end `cut` says whether more should
    have come.

    `length`: what the client announced, None when it did not. `stall`: seconds without a byte after which it
    is cut.
    """

    def __init__(self, stream: AsyncIterator[bytes], length: int | None, stall: float) -> None:
        self._stream, self._stall = stream, stall
        self._waiting = memoryview(b"")
        self._received = 0
        self._length = length
        self.ended = False
        self.cut = False
        self.hash: Any = None

    @property
    def left(self) -> int | None:
        """How many bytes are still to be had, as far as the client has announced it."""
        return None if self._length is None else self._length - self._received + len(self._waiting)

    async def next(self, limit: int) -> memoryview:
        """Some bytes, none at the end."""
        while not self._waiting and not self.ended:
            await self._receive()
        taken, self._waiting = self._waiting[:limit], self._waiting[limit:]
        if self.hash is not None:
            self.hash.update(taken)
        return taken

    async def _receive(self) -> None:
        try:
            async with asyncio.timeout(self._stall):
                chunk = await anext(self._stream, b"")
        except (TimeoutError, ClientDisconnect):
            self.ended = self.cut = True
            return
        if not chunk:
            self.ended = True
            self.cut = self._length is not None and self._received < self._length
        self._received += len(chunk)
        self._waiting = memoryview(chunk)


Spend = Callable[[str, int], Awaitable[None]]
"""Takes so many megabytes from the budget of an address key. Raises TooMany."""
_MEGABYTE = 1024 * 1024


class Uploads:
    """Uploads at media and in the object store. `client`: for the object store alone. What is stored is taken from its
    sender's budget by `spend`, also what does not count in the end: it fills the store as well.

    Whatever is missing for it (media, the store, room in it) is EvidenceUnavailable: one may file without.
    """

    def __init__(self, rabbit: Asks, client: httpx.AsyncClient, spend: Spend | None = None) -> None:
        self._bus, self._client, self._spend = rabbit, client, spend

    async def create(
        self,
        size: int,
        file_name: str | None = None,
        declared_type: str | None = None,
        address_key: str | None = None,
    ) -> Upload:
        """A new upload of `size` bytes. Raises TooLarge, TooManyUploads, EvidenceUnavailable."""
        request = CreateUpload(size=size, file_name=file_name, declared_type=declared_type, address_key=address_key)
        return await self._ask("create_upload", request, Upload)

    async def _ask(
        self, method: str, request: Request, answer: type[Answered], patience: float | None = None
    ) -> Answered:
        try:
            return await self._bus.ask("media", method, request, answer, patience)
        except (DeadlinePassed, EvidenceUnavailable):
            raise
        except Unavailable as error:
            raise EvidenceUnavailable(error.params) from error

    async def get(self, upload_id: str, patience: float | None = None) -> Upload:
        """Raises NotFound, Gone, Unavailable. `patience`: seconds for media to answer somebody, or else it is away."""
        return await self._ask("get_upload", GetUpload(upload_id=upload_id), Upload, patience)

    async def terminate(self, upload_id: str) -> Upload:
        """Raises NotFound, Gone, WrongStage, Unavailable."""
        return await self._ask("terminate_upload", TerminateUpload(upload_id=upload_id), Upload)

    async def append(
        self,
        upload_id: str,
        offset: int,
        body: Body,
        checksum: Checksum | None = None,
        address_key: str | None = None,
    ) -> Upload:
        """Stores the body from `offset` on; the upload as it is then. What comes of a cut body counts, unless
        it had a checksum: then all of it counts or none.

        Raises OffsetConflict, TooLarge (more than the upload has left), ChecksumMismatch, NotFound, Gone, TooMany (what
        was stored until then counts), EvidenceUnavailable.
        """
        if checksum is not None:
            return await self._append_checked(upload_id, offset, body, checksum, address_key)
        while True:
            target = await self._prepare(upload_id, offset)
            upload, left = target.upload, target.upload.size - offset
            if not target.part_urls:
                await _nothing_more(body)
                return upload
            for number, url in enumerate(target.part_urls):
                stored = await self._put(url, body, min(target.upload.part_size, left), address_key)
                if stored == 0:
                    return upload
                left -= stored
                if left == 0:
                    await _nothing_more(body)
                upload = await self._record(target, offset, number, [stored])
                offset += stored
                if body.ended or left == 0:
                    return upload

    async def _append_checked(
        self, upload_id: str, offset: int, body: Body, checksum: Checksum, address_key: str | None
    ) -> Upload:
        body.hash = hashlib.new(checksum.algorithm, usedforsecurity=False)
        target = await self._prepare(upload_id, offset)
        left = target.upload.size - offset
        lengths: list[int] = []
        for url in target.part_urls:
            stored = await self._put(url, body, min(target.upload.part_size, left), address_key)
            if stored:
                lengths.append(stored)
            left -= stored
            if body.ended or left == 0:
                break
        await _nothing_more(body)
        if body.cut or not hmac.compare_digest(body.hash.digest(), checksum.digest):
            raise ChecksumMismatch
        return await self._record(target, offset, 0, lengths) if lengths else target.upload

    async def _prepare(self, upload_id: str, offset: int) -> ChunkTarget:
        target = await self._ask("prepare_chunk", PrepareChunk(upload_id=upload_id, offset=offset), ChunkTarget)
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
        return await self._ask("record_chunk", request, Upload)

    async def _put(self, url: str, body: Body, length: int, address_key: str | None) -> int:
        """Stores up to `length` bytes of the body under `url`; how many. Raises TooMany, EvidenceUnavailable: then none of
        them count.
        """
        if body.left is not None:  # no more room than is needed: many small chunks would fill the store with zeros
            length = min(length, body.left)
        first = await body.next(length) if length > 0 else memoryview(b"")
        if not first:
            return 0
        if self._spend is not None and address_key is not None:
            await self._spend(address_key, -(-length // _MEGABYTE))
        came = 0

        async def content() -> AsyncIterator[bytes]:
            nonlocal came
            chunk = first
            while chunk:
                came += len(chunk)
                yield bytes(chunk)
                chunk = await body.next(length - came) if came < length else memoryview(b"")
            for at in range(came, length, len(_ZEROS)):
                yield _ZEROS[: length - at]

        try:
            answer = await self._client.put(url, content=content(), headers={"Content-Length": str(length)})
        except httpx.HTTPError as error:
            log.warning("the object store did not take a piece", error=type(error).__name__)
            raise EvidenceUnavailable(retry_after=5) from error
        if answer.status_code != httpx.codes.OK:
            log.warning("the object store refused a piece", status=answer.status_code)
            raise EvidenceUnavailable(retry_after=5)
        return came


def object_store_client() -> httpx.AsyncClient:
    """A client for presigned URLs: nothing from the environment, no redirects."""
    return httpx.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(60, connect=5, pool=10),
        # A connection that the store is about to close must not be chosen for a body that cannot be sent
        # twice.
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=2),
    )


async def _nothing_more(body: Body) -> None:
    """Raises TooLarge when the client sends more than there is room for."""
    if not body.ended and await body.next(1):
        raise TooLarge
