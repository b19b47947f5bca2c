"""What an upload costs the store: no more than was sent, from a budget, and nothing when media or the store is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from contracts.base import now
from contracts.errors import EvidenceUnavailable, PeygirError, TooMany, Unavailable
from contracts.media import ChunkTarget, Upload, UploadState
from gateway.evidence.chunk_relay import ChunkRelay, UploadBody
from texts.errors import error_text

MIB = 1024 * 1024
ID = "u" * 32


class Media:
    """Media with one open upload, as far as the gateway sees it."""

    def __init__(self, size: int, away: PeygirError | None = None) -> None:
        self.size, self.offset, self.away = size, 0, away
        self.recorded: list[list[int]] = []

    async def call(self, service: str, method: str, request: Any, answer: Any, patience: float | None = None) -> Any:
        if self.away is not None:
            raise self.away
        if method == "prepare_chunk":
            urls = [f"http://store/{number}" for number in range(-(-(self.size - self.offset) // (8 * MIB)))]
            return ChunkTarget(upload=self._seen(), lease="l" * 12, part_urls=urls)
        if method == "record_chunk":
            self.recorded.append(request.lengths)
            self.offset += sum(request.lengths)
        return self._seen()

    def _seen(self) -> Upload:
        return Upload(
            upload_id=ID,
            size=self.size,
            offset=self.offset,
            state=UploadState.OPEN,
            expires_at=now(),
            part_size=8 * MIB,
        )


class Store:
    """The object store: what was put there, by its length. `status`: what it answers."""

    def __init__(self, status: int = 200) -> None:
        self.stored: list[int] = []
        self._status = status

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        assert len(content) == int(request.headers["content-length"])
        self.stored.append(len(content))
        return httpx.Response(self._status)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def send(media: Media, store: Store, *parts: bytes, announced: bool = True, spend: Any = None) -> Upload:
    async def go() -> Upload:
        async with store.client() as client:
            body = UploadBody(chunks(*parts), sum(map(len, parts)) if announced else None, 5)
            return await ChunkRelay(media, client, spend).append(ID, media.offset, body, address_key="a" * 32)

    return asyncio.run(go())


def test_small_chunks_of_a_large_file_use_only_their_own_size() -> None:
    media, store = Media(200 * MIB), Store()
    for _ in range(5):
        send(media, store, b"x")
    assert store.stored == [1] * 5
    assert media.offset == 5


def test_a_chunk_of_unknown_length_is_padded_and_charged_in_full() -> None:
    media, store, spent = Media(200 * MIB), Store(), []

    async def spend(who: str, amount: int) -> None:
        spent.append((who, amount))

    send(media, store, b"x", announced=False, spend=spend)
    assert store.stored == [8 * MIB]
    assert spent == [("a" * 32, 8)]
    assert media.recorded == [[1]]


def test_bytes_beyond_the_budget_are_not_stored_and_earlier_ones_count() -> None:
    media, store, left = Media(32 * MIB), Store(), [16]

    async def spend(_: str, amount: int) -> None:
        if left[0] < amount:
            raise TooMany(retry_after=60)
        left[0] -= amount

    with pytest.raises(TooMany):
        send(media, store, *[bytes(MIB)] * 24, spend=spend)
    assert store.stored == [8 * MIB, 8 * MIB]
    assert media.offset == 16 * MIB


@pytest.mark.parametrize(("media_away", "status"), [(True, 200), (False, 507), (False, 503)])
def test_without_media_or_storage_the_answer_suggests_filing_without_evidence(media_away: bool, status: int) -> None:
    media = Media(10, Unavailable(retry_after=7) if media_away else None)
    with pytest.raises(EvidenceUnavailable) as refused:
        send(media, Store(status), b"x")
    assert refused.value.params["retry_after"] > 0
    assert "کد رهگیری" in error_text(refused.value, "fa")
    assert "tracking code" in error_text(refused.value, "en")
