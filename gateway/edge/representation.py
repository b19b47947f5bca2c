"""How what is read is sent: 304 for what the client has, and compressed as it takes it.

A plain ASGI middleware around everything that answers a GET. Endpoints give their content, and an ETag where they know one:
conditions (RFC 9110, 13) and content codings (8.4) are handled here for all of them.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from functools import lru_cache

from cachetools import LRUCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.edge.content_coding import AT_ONCE, ONCE_FOR_ALL, StreamEncoder, chosen, encode
from gateway.edge.metrics import route_of

UNCOMPRESSED = frozenset(
    {
        "/v1/me",  # the citizen's mobile
        "/v1/me/cases/{case_id}/contact",
        "/v1/me/second-factors",
        "/v1/session",
        "/v1/uploads/{upload_id}",  # its id is its secret
        "/v1/calendars/{secret}.ics",
    }
)
"""Routes whose GET gives a secret: the length of a compressed answer tells how much of what somebody else put into it equals
the secret beside it (BREACH). What gives codes, tokens and passwords answers a POST, and no POST is compressed."""
UNCOMPRESSED_PAGES = "text/html"
_PAGES_WITHOUT_SECRETS = frozenset({"/"})
"""Every other page carries the token of its form session."""
SMALLEST = 1_400
"""Bytes; what is smaller fits into one packet as it is."""
_IN_THREAD = 64 * 1024
"""Bytes from which compressing would hold up other requests."""
_CACHE_BYTES = 4 * 1024 * 1024
_TYPES = frozenset(
    {
        "application/json",
        "application/manifest+json",
        "application/xml",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/plain",
        "application/javascript",
    }
)
"""All others are compressed already, or a stream of events."""
_VERSION = re.compile(rb'"[0-9]{1,9}"')
_JSON = b"application/json"
_ETAGS = re.compile(r'(?:W/)?"[^"]*"|\*')
_NOT_OF_304 = frozenset({b"content-type", b"content-length", b"content-encoding"})


class RepresentationMiddleware:
    """Answers GET and HEAD with 304 where If-None-Match has the ETag, else compressed where that is safe and saves something.

    JSON without an ETag gets one, a digest of its content. An ETag that is a version alone gets the digest behind it,
    `"7-1f0c…"`: the content also depends on the day, the language and who reads, unless it is `public`. A compressed answer has
    its ETag as a weak one (8.8.3: other bytes). All are understood in If-Match as the version. What is `public` is compressed
    once and kept.
    """

    def __init__(self, app: ASGIApp, uncompressed: frozenset[str] = UNCOMPRESSED) -> None:
        self._app = app
        self._uncompressed = uncompressed
        self._kept: LRUCache[tuple[str, bytes], bytes] = LRUCache(_CACHE_BYTES, lambda value: len(value))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Answer(scope, send, self).send)

    def may_compress(self, scope: Scope, is_page: bool) -> bool:
        """Whether answers of this route may be compressed at all."""
        route = route_of(scope)
        return route in _PAGES_WITHOUT_SECRETS if is_page else route not in self._uncompressed

    async def encoded(self, coding: str, content: bytes, public: bool) -> bytes:
        """The content in this coding; what is public from memory."""
        if not public:
            return await _off_loop(content, lambda: encode(coding, content))
        key = (coding, content)
        kept = self._kept.get(key)
        if kept is None:
            kept = await _off_loop(content, lambda: encode(coding, content, best=True), limit=0)
            if len(kept) < _CACHE_BYTES // 4:
                self._kept[key] = kept
        return kept


async def _off_loop(content: bytes, work: Callable[[], bytes], limit: int = _IN_THREAD) -> bytes:
    return work() if len(content) < limit else await asyncio.to_thread(work)


class _Answer:
    """One answer on its way: its start is kept until the first part of the content is there. It handles bytes and few objects,
    since every request pays for it."""

    __slots__ = (
        *("_scope", "_send", "_middleware", "_start", "_encoder", "_replaced"),
        *("_etag", "_text", "_is_json", "_is_page", "_public"),
    )

    def __init__(self, scope: Scope, send: Send, middleware: RepresentationMiddleware) -> None:
        self._scope, self._send, self._middleware = scope, send, middleware
        self._start: Message | None = None
        self._encoder: StreamEncoder | None = None
        self._replaced = self._text = self._is_json = self._is_page = self._public = False
        self._etag: bytes | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] == 200:
                self._read(message["headers"])
                if self._text or self._etag is not None:
                    self._start = message
                    return
            elif message["status"] == 304:
                message["headers"] = _varying(message["headers"])
            await self._send(message)
        elif self._start is not None:
            start, self._start = self._start, None
            await self._first(start, message)
        elif self._encoder is not None:
            await self._next(self._encoder, message)
        elif not self._replaced:
            await self._send(message)

    def _read(self, headers: list[tuple[bytes, bytes]]) -> None:
        """What the headers say of the content."""
        untouched = False
        for name, value in headers:
            if name == b"content-type":
                self._is_json = value == _JSON
                essence = "" if self._is_json else _essence(value)
                self._text = self._is_json or essence in _TYPES
                self._is_page = essence == UNCOMPRESSED_PAGES
            elif name == b"etag":
                self._etag = value
            elif name == b"cache-control":
                self._public = b"public" in value
                untouched |= b"no-transform" in value
            elif name == b"content-encoding":
                untouched = True
        self._text = self._text and not untouched

    async def _first(self, start: Message, message: Message) -> None:
        content, more = message.get("body", b""), message.get("more_body", False)
        headers: list[tuple[bytes, bytes]] = start["headers"]
        if content and not more and self._needs_digest():
            digest = hashlib.blake2b(content, digest_size=8).hexdigest().encode()
            if self._etag is None:
                self._etag = b'"%s"' % digest
                headers.append((b"etag", self._etag))
            else:
                self._etag = self._etag[:-1] + b"-" + digest + b'"'
                headers = start["headers"] = _with(headers, b"etag", self._etag)
        if_none_match, accept_encoding = "", ""
        for name, value in self._scope["headers"]:
            if name == b"if-none-match":
                if_none_match += value.decode("latin-1") + ","
            elif name == b"accept-encoding":
                accept_encoding += value.decode("latin-1") + ","
        if if_none_match and self._etag is not None:
            given = matching(if_none_match, self._etag.decode("latin-1"))
            if given is not None:
                await self._not_modified(start, given)
                return
        if (
            (more or len(content) >= SMALLEST)
            and self._text
            and self._middleware.may_compress(self._scope, self._is_page)
        ):
            headers = start["headers"] = _varying(headers)
            coding = chosen(accept_encoding, ONCE_FOR_ALL if self._public and not more else AT_ONCE)
            if coding is not None:
                await self._compressed(start, message, headers, coding)
                return
        await self._send(start)
        await self._send(message)

    async def _not_modified(self, start: Message, etag: str) -> None:
        self._replaced = True
        kept = _varying([pair for pair in start["headers"] if pair[0] not in _NOT_OF_304])
        await self._send({**start, "status": 304, "headers": _with(kept, b"etag", etag.encode("latin-1"))})
        await self._send({"type": "http.response.body", "body": b""})

    async def _compressed(
        self, start: Message, message: Message, headers: list[tuple[bytes, bytes]], coding: str
    ) -> None:
        headers = [*_without(headers, b"content-length"), (b"content-encoding", coding.encode())]
        if self._etag is not None and not self._etag.startswith(b"W/"):
            headers = _with(headers, b"etag", b"W/" + self._etag)
        if message.get("more_body", False):
            self._encoder = StreamEncoder(coding)
            await self._send({**start, "headers": headers})
            await self._next(self._encoder, message)
            return
        encoded = await self._middleware.encoded(coding, message["body"], self._public)
        headers.append((b"content-length", str(len(encoded)).encode()))
        await self._send({**start, "headers": headers})
        await self._send({**message, "body": encoded})

    def _needs_digest(self) -> bool:
        if self._etag is None:
            return self._is_json
        return not self._public and _VERSION.fullmatch(self._etag) is not None

    async def _next(self, encoder: StreamEncoder, message: Message) -> None:
        more = message.get("more_body", False)
        encoded = encoder.update(message.get("body", b""))
        if not more:
            encoded += encoder.finish()
        if encoded or not more:
            await self._send({"type": "http.response.body", "body": encoded, "more_body": more})


@lru_cache(maxsize=64)
def _essence(media_type: bytes) -> str:
    """Without its parameters."""
    return media_type.partition(b";")[0].strip().lower().decode("latin-1")


def matching(if_none_match: str, etag: str) -> str | None:
    """The tag of an If-None-Match that this ETag is, as the client wrote it, so that its cache knows it again; None without one.
    Compared weakly (RFC 9110, 13.1.2)."""
    if not if_none_match:
        return None
    opaque = etag.removeprefix("W/")
    tags = _ETAGS.findall(if_none_match)
    if "*" in tags:
        return etag
    return next((tag for tag in tags if tag.removeprefix("W/") == opaque), None)


def _without(headers: list[tuple[bytes, bytes]], name: bytes) -> list[tuple[bytes, bytes]]:
    return [pair for pair in headers if pair[0] != name]


def _with(headers: list[tuple[bytes, bytes]], name: bytes, value: bytes) -> list[tuple[bytes, bytes]]:
    return [*_without(headers, name), (name, value)]


def _varying(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """With Accept-Encoding in Vary."""
    given = [value for name, value in headers if name == b"vary"]
    return _with(headers, b"vary", b", ".join([*given, b"Accept-Encoding"]))
