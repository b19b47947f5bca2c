"""A light HTTP/1.1 client for measuring: it shares the two cores with what it measures, so it does as little as possible.

A request is bytes that are ready to send; an answer is its status, the bytes of its headers and its body. One request at a
time on each keep-alive connection; a connection that the server closed is opened again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import uvloop

Result = TypeVar("Result")


class Answer(NamedTuple):
    """`head`: status line and headers as they came."""

    status: int
    head: bytes
    body: bytes


class ConnectionBroken(Exception):
    """The connection ended before its answer did."""


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._address = (parts.hostname, parts.port)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._buffer = b""
        self._body_start = self._length = -1
        self._writable = asyncio.Event()
        self._writable.set()

    async def request(self, request: bytes) -> Answer:
        """The answer to one request. Raises ConnectionBroken, OSError."""
        transport = self._transport
        if transport is None or transport.is_closing():
            transport = await self._open()
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiter = waiter
        transport.write(request)
        return await waiter

    async def request_streaming(self, head: bytes, body: AsyncIterator[bytes]) -> Answer:
        """The answer to a request with a body in parts, sent no faster than the server reads it."""
        transport = await self._open()
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiter = waiter
        transport.write(head)
        async for part in body:
            await self._writable.wait()
            if waiter.done() or transport.is_closing():
                break
            transport.write(part)
        return await waiter

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def _open(self) -> asyncio.Transport:
        self.close()
        self._buffer, self._body_start = b"", -1
        self._writable.set()
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, *self._address)
        self._transport = transport
        return transport

    # --- asyncio.Protocol ---

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if self._body_start < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._body_start = end + 4
            self._length = _length(self._buffer[:end])
        if len(self._buffer) < self._body_start + self._length:
            return
        head, body = self._buffer[: self._body_start], self._buffer[self._body_start : self._body_start + self._length]
        self._buffer, self._body_start = b"", -1
        if b"\r\nconnection: close" in head.lower():
            self.close()
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(Answer(int(head[9:12]), head, body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None and not self._transport.is_closing():
            return  # a connection that was closed before the current one was opened
        self._transport = None
        self._writable.set()
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(ConnectionBroken(str(exc or "closed by the other side")))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()


def _length(head: bytes) -> int:
    start = head.lower().find(b"\r\ncontent-length:")
    if start < 0:
        if head[9:12] in (b"204", b"304"):
            return 0
        raise ConnectionBroken("an answer without Content-Length")
    end = head.find(b"\r\n", start + 2)
    return int(head[start + 17 : end if end > 0 else len(head)])


def request(method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> bytes:
    """A request as bytes; a body is JSON."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: peygir",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


@dataclass
class Tally:
    """The result of a load. `seconds`: of each request with the expected answer; `took`: of all, in seconds; `generator`: CPU
    seconds of this process, the load generator."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    took: float = 0.0
    generator: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.took if self.took else 0.0

    def add(self, began: float, answer: Answer, expected: int) -> bool:
        """Counts one answer; whether it was the expected one."""
        if answer.status == expected:
            self.seconds.append(time.perf_counter() - began)
            return True
        self.errors.append(f"{answer.status}: {answer.body[:200].decode(errors='replace')}")
        return False


@asynccontextmanager
async def timed(tally: Tally) -> AsyncIterator[None]:
    """Measures the load in this context: its duration, and the CPU time of the generator itself."""
    began, used = time.perf_counter(), time.process_time()
    yield
    tally.took, tally.generator = time.perf_counter() - began, time.process_time() - used


async def clients(url: str, number: int, work: Callable[[Connection], Awaitable[Any]]) -> None:
    """`number` clients at once, each with a connection of its own, until each one's `work` is done."""
    connections = [Connection(url) for _ in range(number)]
    try:
        await asyncio.gather(*(work(connection) for connection in connections))
    finally:
        for connection in connections:
            connection.close()


async def each(url: str, number: int, requests: list[bytes], expected: int = 200) -> Tally:
    """These requests, each once, by `number` clients."""
    tally, waiting = Tally(), iter(requests)

    async def work(connection: Connection) -> None:
        for next_request in waiting:  # shared: a free client takes the next
            began = time.perf_counter()
            tally.add(began, await connection.request(next_request), expected)

    async with timed(tally):
        await clients(url, number, work)
    return tally


async def during(url: str, number: int, seconds: float, step: Callable[[Connection, Tally], Awaitable[Any]]) -> Tally:
    """`step` again and again by `number` clients, none begun after `seconds`."""
    tally = Tally()
    deadline = time.perf_counter() + seconds

    async def work(connection: Connection) -> None:
        while time.perf_counter() < deadline:
            await step(connection, tally)

    async with timed(tally):
        await clients(url, number, work)
    return tally


def run(load: Coroutine[Any, Any, Result]) -> Result:
    """Runs a load to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(load)
