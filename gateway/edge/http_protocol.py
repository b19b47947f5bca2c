"""HTTP/1.1 below the application: bounded headers, slow bodies and slow readers, and a bounded number of connections."""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from contracts.errors import PeygirError
from gateway.edge.client_addresses import client_network, is_within
from gateway.edge.connections import ConnectionCounter, TooManyConnections
from gateway.edge.error_responses import error_response
from gateway.edge.host_header import is_unambiguous_host
from gateway.edge.problems import BadRequest, HeadersTooLarge, TooSlow
from gateway.edge.security_headers import SECURITY_HEADERS
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


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds: by itself it limits neither the size of headers nor the time for headers, a body or a
    reader.

    Bodies are bounded by BodyLimitMiddleware, which can answer with the reason; what it does not see, a body that arrives
    slowly after its answer was sent, is cut off here.
    """

    settings: Settings
    counter: ConnectionCounter

    @classmethod
    def with_settings(cls, settings: Settings) -> type[BoundedHttpProtocol]:
        """The protocol with these settings."""
        counter = ConnectionCounter(
            settings.max_connections,
            settings.max_connections_of_address,
            client_network,
            lambda peer: is_within(settings.trusted_proxies, peer),
        )
        return type(cls.__name__, (cls,), {"settings": settings, "counter": counter})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""  # read before any request has begun, when the first one is late
        self._header_bytes = 0
        self._header_count = 0
        self._in_headers = False
        self._rejected = False
        self._header_timer: TimerHandle | None = None
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
        if self.counter.enter(self._peer):
            self._reject(TooManyConnections)
            return
        self._start_header_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_header_timer()
        self._stop_body_timer()
        self._stop_reader_timer()
        if self._peer is not None:
            self.counter.leave(self._peer)
            self._peer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._rejected:
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except _Rejected as rejected:
            self._reject(rejected.error)
            return
        except httptools.HttpParserUpgrade:
            return  # an upgrade is not supported: the request is answered as a plain one
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._reject(cause.error if isinstance(cause, _Rejected) else BadRequest)
            return
        # A header line that never ends reaches no callback: the parser buffers it.
        if self._in_headers:
            self._count_header_bytes(len(data), check=False)
            if self._header_bytes > 2 * self.settings.max_header_bytes:
                self._reject(HeadersTooLarge)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._header_bytes = self._header_count = 0
        self._in_headers = True
        self._hosts = []
        self._has_body = False
        if self._header_timer is None:
            self._start_header_timer()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.settings.max_url:
            raise _Rejected(UrlTooLong)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_count += 1
        self._count_header_bytes(len(name) + len(value) + 4)
        if self._header_count > self.settings.max_headers:
            raise _Rejected(HeadersTooLarge)
        super().on_header(name, value)
        lower = self.headers[-1][0]
        if lower == b"host":
            self._hosts.append(value)
        elif (lower == b"content-length" and value != b"0") or lower == b"transfer-encoding":
            self._has_body = True

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._stop_header_timer()
        if not is_unambiguous_host(self.parser.get_http_version(), self._hosts, self.url):
            raise _Rejected(BadRequest)
        try:
            super().on_headers_complete()
        except (httptools.HttpParserError, UnicodeDecodeError, ValueError):
            raise _Rejected(BadRequest) from None
        if self._has_body:
            self._body_began, self._body_received = self.loop.time(), 0
            self._body_timer = self.loop.call_later(self._body_allowance, self._check_body_rate)

    def on_body(self, body: bytes) -> None:
        self._body_received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_body_timer()
        super().on_message_complete()

    # --- slow bodies ---

    @property
    def _body_allowance(self) -> float:
        """Seconds; longer than BodyLimitMiddleware waits, so that it can answer first."""
        return max(self.settings.stall_timeout, self.settings.body_timeout) + 5

    def _check_body_rate(self) -> None:
        """Closes the connection when its body arrives too slowly."""
        now = self.loop.time()
        if self.flow is not None and self.flow.read_paused:  # the gateway itself does not read
            self._body_began = now
        left = self._body_began + self._body_allowance + self._body_received / self.settings.min_body_rate - now
        if left > 0:
            self._body_timer = self.loop.call_later(max(left, 1.0), self._check_body_rate)
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
        """The write buffer is full; a client that does not read enough of it within `stall_timeout` is disconnected."""
        super().pause_writing()
        self._stop_reader_timer()
        self._reader_timer = self.loop.call_later(self.settings.stall_timeout, self._abort_slow_reader)

    def resume_writing(self) -> None:
        self._stop_reader_timer()
        super().resume_writing()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # The end of an answer, too small to pause writing, stays in the transport's buffer, and closing waits for it.
        if self._reader_timer is None and self.transport.get_write_buffer_size() > 0:
            self._reader_timer = self.loop.call_later(self.settings.stall_timeout, self._abort_slow_reader)

    def _abort_slow_reader(self) -> None:
        self._reader_timer = None
        if self.transport.get_write_buffer_size() > 0:
            self.transport.abort()

    def _stop_reader_timer(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def _count_header_bytes(self, size: int, check: bool = True) -> None:
        self._header_bytes += size
        if check and self._header_bytes > self.settings.max_header_bytes:
            raise _Rejected(HeadersTooLarge)

    def _start_header_timer(self) -> None:
        self._header_timer = self.loop.call_later(self.settings.header_timeout, self._header_timeout)

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _header_timeout(self) -> None:
        self._header_timer = None
        if not self.transport.is_closing():
            self._reject(TooSlow)

    def _reject(self, error: type[PeygirError]) -> None:
        """Answers with an error, without the application, and closes the connection. In the client's language where
        Accept-Language came before what was rejected."""
        self._rejected = True
        self._stop_header_timer()
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # an answer is being sent; another cannot be put into it
            return
        headers = list(self.headers or [])
        if not any(
            name == b"accept" for name, _ in headers
        ):  # unknown: what was rejected came before it, and browsers send long URLs
            headers.append((b"accept", b"text/html" if self.url else b"*/*"))
        path = (self.url or b"").partition(b"?")[0].decode("latin-1")
        answer = error_response(error(), path, headers, {"connection": "close"})
        head = [b"HTTP/1.1 %d %s" % (error.status, _PHRASES[error].encode())]
        head += [name + b": " + value for name, value in (*answer.raw_headers, *SECURITY_HEADERS)]
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()


class _Rejected(Exception):
    def __init__(self, error: type[PeygirError]) -> None:
        super().__init__(error.code)
        self.error = error
