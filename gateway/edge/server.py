"""Below the application: bounded headers, bodies and readers, in time; connections that are counted; and the port for whoever
watches the process."""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from collections.abc import Callable
from typing import Any

import httptools
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from contracts.errors import PeygirError
from gateway.edge.connections import Connections, TooManyConnections, names_one_host
from gateway.edge.limits import household, is_within
from gateway.edge.middleware import SECURITY_HEADERS
from gateway.edge.problems import BadRequest, HeadersTooLarge, TooSlow, failure
from gateway.settings import Settings


class UrlTooLong(PeygirError):
    code = "url_too_long"
    status = 414


_PHRASES: dict[type[PeygirError], str] = {
    BadRequest: "Bad Request",
    TooSlow: "Request Timeout",
    UrlTooLong: "URI Too Long",
    HeadersTooLarge: "Request Header Fields Too Large",
    TooManyConnections: "Service Unavailable",
}


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which alone bounds neither the size of headers nor the time that they, a body or a reader take.

    Bodies are bounded in `gateway.edge.middleware.Entry`, which can say so; what it does not see, a body that
    comes in small parts after its answer, is cut here.
    """

    settings: Settings
    open_connections: Connections

    @classmethod
    def under(cls, settings: Settings) -> type[Protocol]:
        """The protocol with these settings."""
        counted = Connections(
            settings.max_connections,
            settings.max_connections_of_address,
            household,
            lambda peer: is_within(settings.trusted_proxies, peer),
        )
        return type("Protocol", (cls,), {"settings": settings, "open_connections": counted})

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.url = b""  # asked for before a request has begun, when none comes
        self._taken = 0
        self._count = 0
        self._in_headers = False
        self._refused = False
        self._timer: TimerHandle | None = None
        self._hosts: list[bytes] = []
        self._peer: str | None = None
        self._has_body = False
        self._body_timer: TimerHandle | None = None
        self._body_began = 0.0
        self._body_received = 0
        self._reader_timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else "unknown"
        if self.open_connections.enter(self._peer):
            self._refuse(TooManyConnections)
            return
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._stop_body_timer()
        self._stop_reader_timer()
        if self._peer is not None:
            self.open_connections.leave(self._peer)
            self._peer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except _Refused as refused:
            self._refuse(refused.error)
            return
        except httptools.HttpParserUpgrade:
            return  # answered as the plain request that it also is
        except httptools.HttpParserError as error:
            refused_by = error.__context__
            self._refuse(refused_by.error if isinstance(refused_by, _Refused) else BadRequest)
            return
        # A header line that never ends is in nobody's count: the parser holds it.
        if self._in_headers:
            self._spend(len(data), within=False)
            if self._taken > 2 * self.settings.max_header_bytes:
                self._refuse(HeadersTooLarge)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._taken = self._count = 0
        self._in_headers = True
        self._hosts = []
        self._has_body = False
        if self._timer is None:
            self._start_timer()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.settings.max_url:
            raise _Refused(UrlTooLong)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count += 1
        self._spend(len(name) + len(value) + 4)
        if self._count > self.settings.max_headers:
            raise _Refused(HeadersTooLarge)
        super().on_header(name, value)
        lower = self.headers[-1][0]
        if lower == b"host":
            self._hosts.append(value)
        elif (lower == b"content-length" and value != b"0") or lower == b"transfer-encoding":
            self._has_body = True

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._stop_timer()
        if not names_one_host(self.parser.get_http_version(), self._hosts, self.url):
            raise _Refused(BadRequest)
        try:
            super().on_headers_complete()
        except (httptools.HttpParserError, UnicodeDecodeError, ValueError):
            raise _Refused(BadRequest) from None
        if self._has_body:
            self._body_began, self._body_received = self.loop.time(), 0
            self._body_timer = self.loop.call_later(self._patience, self._look_at_body)

    def on_body(self, body: bytes) -> None:
        self._body_received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_body_timer()
        super().on_message_complete()

    # --- slow bodies ---

    @property
    def _patience(self) -> float:
        """Longer than `Entry` waits, so that it can answer first."""
        return max(self.settings.stall_timeout, self.settings.body_timeout) + 5

    def _look_at_body(self) -> None:
        """Cuts a body that came slower than it may."""
        now = self.loop.time()
        if self.flow is not None and self.flow.read_paused:  # it is we who do not read
            self._body_began = now
        left = self._body_began + self._patience + self._body_received / self.settings.min_body_rate - now
        if left > 0:
            self._body_timer = self.loop.call_later(max(left, 1.0), self._look_at_body)
            return
        self._body_timer = None
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_body_timer(self) -> None:
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

    # --- slow readers ---

    def pause_writing(self) -> None:
        """More waits to be sent than may; whoever takes too little of it within `stall_timeout` is let go."""
        super().pause_writing()
        self._stop_reader_timer()
        self._reader_timer = self.loop.call_later(self.settings.stall_timeout, self._let_go)

    def resume_writing(self) -> None:
        self._stop_reader_timer()
        super().resume_writing()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # The last part of an answer, too small to pause the writing, waits in the transport; closing it waits, too.
        if self._reader_timer is None and self.transport.get_write_buffer_size() > 0:
            self._reader_timer = self.loop.call_later(self.settings.stall_timeout, self._let_go)

    def _let_go(self) -> None:
        self._reader_timer = None
        if self.transport.get_write_buffer_size() > 0:
            self.transport.abort()

    def _stop_reader_timer(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def _spend(self, size: int, within: bool = True) -> None:
        self._taken += size
        if within and self._taken > self.settings.max_header_bytes:
            raise _Refused(HeadersTooLarge)

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self.settings.header_timeout, self._late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self._refuse(TooSlow)

    def _refuse(self, error: type[PeygirError]) -> None:
        """A problem without the application, and the end of the connection. The language is the caller's when their wish
        came before what was too much."""
        self._refused = True
        self._stop_timer()
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # an answer is under way; nothing can be said in between
            return
        headers = list(self.headers or [])
        if not any(name == b"accept" for name, _ in headers):  # what is too long came before it; pages are for browsers
            headers.append((b"accept", b"text/html" if self.url else b"*/*"))
        path = (self.url or b"").partition(b"?")[0].decode("latin-1")
        answer = failure(error(), path, headers, {"connection": "close"})
        head = [b"HTTP/1.1 %d %s" % (error.status, _PHRASES[error].encode())]
        head += [name + b": " + value for name, value in (*answer.raw_headers, *SECURITY_HEADERS)]
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()


class _Refused(Exception):
    def __init__(self, error: type[PeygirError]) -> None:
        super().__init__(error.code)
        self.error = error


async def health(host: str, port: int, readiness: Callable[[], tuple[str, int]]) -> asyncio.Server:
    """Serves /healthz, /readyz and /metrics, one answer a connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                line = (await reader.readline()).split()
                while (await reader.readline()).strip():
                    pass
            path = line[1].split(b"?")[0] if len(line) > 1 else b""
            kind, status = "text/plain; charset=utf-8", 200
            if path == b"/metrics":
                kind, body = CONTENT_TYPE_LATEST, generate_latest()
            elif path == b"/healthz":
                body = b"alive\n"
            elif path == b"/readyz":
                state, status = readiness()
                body = state.encode()
            else:
                status, body = 404, b"not found\n"
            writer.write(
                f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (TimeoutError, OSError, ValueError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(answer, host, port)
