"""Plain ASGI middlewares around the application: traces, security headers, CORS, and what may come in.

They touch bytes, not frameworks' objects, since every request pays for them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backbone.process import logs
from backbone.process import traces as trace
from contracts.errors import PeygirError, TooLarge, UnsupportedMedia
from gateway.api.openapi_responses import Handler
from gateway.edge import language
from gateway.edge.metrics import REQUESTS, SECONDS, route_of
from gateway.edge.problems import CLIENT_GONE, BadRequest, TooSlow, failure, problem
from gateway.settings import Settings

log = logs.get("http")

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(self), geolocation=(self), interest-cohort=()"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
)
_CSP = (b"content-security-policy", CSP.encode())
_BODIED = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_DEPTH = 24
_CONTAINERS = (dict, list)
_MOST_NAMES = 500
"""Names in one object; the longest of ours has some tens."""
_MOST_CONTAINERS = 20_000
"""Lists and objects of one body; the longest of ours has some hundreds."""
PARSED = "peygir.json"
UPLOADS = "/v1/uploads"


class RequestLogMiddleware:
    """Outermost: continues the trace, times and counts, adds the security headers, and answers for what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        parent = None
        for index, (name, value) in enumerate(scope["headers"]):
            if name == b"traceparent" and parent is None:
                parent = value.decode("latin-1")
            elif name == b"cookie":
                scope["headers"][index] = (name, plain_cookies(value))
        # The task ends with the request, and the trace with it.
        trace.adopt(parent)
        status, finished, gone = 0, False, False

        async def watched() -> Message:
            nonlocal gone
            message = await receive()
            if message["type"] == "http.disconnect" and not status:
                gone = True
            return message

        async def with_headers(message: Message) -> None:
            nonlocal status, finished
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                names = {name for name, _ in headers}
                headers.extend(pair for pair in SECURITY_HEADERS if pair[0] not in names)
                if b"content-security-policy" not in names:
                    headers.append(_CSP)
                headers.append((b"x-request-id", (trace.trace_id() or "").encode()))
            elif not message.get("more_body", False):
                finished = True
            await send(message)

        try:
            await self._app(scope, watched, with_headers)
        except ClientDisconnect:
            gone = True  # no error of ours, and nobody to tell
        except Exception as error:  # noqa: BLE001  # the last net: what nobody caught
            log.error("a request failed", route=route_of(scope), error=logs.describe(error), frames=logs.frames(error))
            if status and not finished:
                raise _CutOff from None  # part of an answer is out; the connection has to be cut
            if not status:
                await failure(PeygirError(), scope["path"], scope["headers"])(scope, receive, with_headers)
        finally:
            route = route_of(scope)
            told = CLIENT_GONE if gone else status
            REQUESTS.labels(route, scope["method"] if route != "unrouted" else "-", str(told)).inc()
            SECONDS.labels(route).observe(time.perf_counter() - started)


def plain_cookies(header: bytes) -> bytes:
    """A Cookie header without the values that have escapes. No cookie of ours has one, and the standard library of Python
    up to 3.11.9 and 3.12.5 takes quadratic time to undo them (CVE-2024-7592)."""
    if b"\\" not in header:
        return header
    return b";".join(pair for pair in header.split(b";") if b"\\" not in pair)


class FastPath:
    """Hands what is asked most straight to its handler; everything else goes on to the application."""

    def __init__(self, app: ASGIApp, handlers: Mapping[tuple[str, str], Handler], application: Any) -> None:
        self._app, self._handlers, self._application = app, handlers, application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._handlers.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if handler is None:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._application
        scope["express"] = scope["path"]
        try:
            response = await handler(Request(scope, receive))
        except PeygirError as error:
            response = problem(error, language.of(scope["headers"]))
        await response(scope, receive, send)


class _CutOff(Exception):
    """An answer could not be finished."""


class BodyLimitMiddleware:
    """What may come in under `prefix`: JSON of a bounded size and depth, in time; elsewhere, bodies that keep coming.

    A slow body is cut: JSON and forms without files must be there within `body_timeout` seconds; any other body may pause for
    `stall_timeout` and has to come at `min_body_rate` besides, so that its size bounds its time. Only the time that we wait for
    the caller counts.
    """

    def __init__(self, app: ASGIApp, settings: Settings, prefix: str = "/v1/", free: tuple[str, ...] = ()) -> None:
        self._app = app
        self._prefix, self._free = prefix, free
        self._most, self._seconds, self._stall = settings.max_json_body, settings.body_timeout, settings.stall_timeout
        self._rate = settings.min_body_rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _BODIED:
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if not path.startswith(self._prefix) or path.startswith(self._free):
            await self._bounded(scope, receive, send, tells=not path.startswith(UPLOADS))
            return
        try:
            body = await self._json(scope, receive)
        except PeygirError as error:
            # The rest of the body is not read: the connection cannot be used again.
            await problem(error, language.of(scope["headers"]), {"connection": "close"})(scope, receive, send)
            return
        except _Gone:
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _json(self, scope: Scope, receive: Receive) -> bytes:
        content_type, length = b"", None
        for name, value in scope["headers"]:
            if name == b"content-type":
                content_type = value
            elif name == b"content-length":
                length = value
        if length is not None and length.isdigit() and (len(length) > 12 or int(length) > self._most):
            raise TooLarge(limit=self._most)
        first = await self._next(receive, self._seconds)
        body: bytes = first.get("body", b"")
        if first.get("more_body", False):
            body = await self._rest(body, receive)
        if len(body) > self._most:
            raise TooLarge(limit=self._most)
        if body:
            if content_type.split(b";")[0].strip().lower() != b"application/json":
                raise UnsupportedMedia(accepted="application/json")
            scope[PARSED] = check_json(body)
        return body

    async def _rest(self, body: bytes, receive: Receive) -> bytes:
        parts, size = [body], len(body)
        ends = time.monotonic() + self._seconds
        while True:
            message = await self._next(receive, max(0.01, ends - time.monotonic()))
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > self._most:
                raise TooLarge(limit=self._most)
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)

    async def _next(self, receive: Receive, seconds: float) -> MutableMapping[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                message = await receive()
        except TimeoutError:
            raise TooSlow from None
        if message["type"] == "http.disconnect":
            raise _Gone
        return message

    async def _bounded(self, scope: Scope, receive: Receive, send: Send, tells: bool) -> None:
        """With a body that comes in time. When it does not, the application hears TooSlow where it `tells` the caller of errors
        by itself, as pages do; else that the caller is gone: of an upload, what has come until then counts."""
        ended, slow, waited, received = False, False, 0.0, 0
        grace = self._seconds if _is_plain_form(scope) else self._stall

        async def next_part() -> Message:
            nonlocal ended, slow, waited, received
            if ended:
                return await receive()
            left = grace + received / self._rate - waited
            began = time.monotonic()
            try:
                async with asyncio.timeout(max(0.01, min(self._stall, left))):
                    message = await receive()
            except TimeoutError:
                slow = True
                if tells:
                    raise TooSlow from None
                return {"type": "http.disconnect"}
            waited += time.monotonic() - began
            received += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            return message

        async def closing(message: Message) -> None:
            if slow and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await self._app(scope, next_part, closing)


def _is_plain_form(scope: Scope) -> bool:
    """A form without files, as a page sends it."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return bool(kind.split(b";")[0].strip().lower() == b"application/x-www-form-urlencoded")


class _Gone(Exception):
    """The caller went away before the end of the body."""


def parsed(request: Request) -> Any:
    """The JSON that came in, parsed by `Entry`; None without a body."""
    return request.scope.get(PARSED)


def check_json(body: bytes) -> Any:
    """What it says. BadRequest when it is not JSON, nests too deeply, has too many lists and objects, names a thing
    twice, or has NaN in it.

    Linear in the size of the body: it is parsed first, by a parser that bounds its own recursion, and the depth is
    taken from what it made. Lists and objects are bounded since each of them costs Python's collector some work.
    """
    brackets = body.count(b"[") + body.count(b"{")
    if brackets > _MOST_CONTAINERS:
        raise BadRequest(fields=[{"field": "body", "reason": "too_many_containers", "max_length": _MOST_CONTAINERS}])
    try:
        value = json.loads(body, object_pairs_hook=_object, parse_constant=_refuse)
    except _Refused as error:
        raise BadRequest(fields=[error.field]) from None
    except RecursionError:
        raise BadRequest(fields=[{"field": "body", "reason": "too_deep"}]) from None
    except ValueError:
        raise BadRequest(fields=[{"field": "body", "reason": "json_invalid"}]) from None
    if brackets > _DEPTH and _deeper_than(_DEPTH, value):
        raise BadRequest(fields=[{"field": "body", "reason": "too_deep"}])
    return value


def _deeper_than(depth: int, value: Any) -> bool:
    """Whether arrays and objects nest more than `depth` levels; one level at a time, so without recursion."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(depth):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, _CONTAINERS)
        ]
        if not level:
            return False
    return bool(level)


class _Refused(Exception):
    def __init__(self, reason: str, **limits: int) -> None:
        super().__init__(reason)
        self.field = {"field": "body", "reason": reason, **limits}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of names that each come once. Bounded, since each name that a model does not know is an error to collect."""
    if len(pairs) > _MOST_NAMES:
        raise _Refused("too_many_fields", max_length=_MOST_NAMES)
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Refused("duplicate_key")
    return made


def _refuse(constant: str) -> None:
    raise ValueError(constant)


class Cors:
    """Closed unless origins are named: then these, with our headers, without cookies."""

    _allowed = (
        b"authorization, content-type, tracking-code, challenge-answer, idempotency-key, if-match, if-none-match, "
        b"accept-language, traceparent, tus-resumable, upload-length, upload-offset, upload-metadata, upload-checksum"
    )
    _exposed = (
        b"etag, location, retry-after, content-language, x-request-id, tus-resumable, tus-version, tus-extension, "
        b"tus-max-size, upload-offset, upload-length, upload-expires"
    )

    def __init__(self, app: ASGIApp, origins: list[str]) -> None:
        self._app = app
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = next((v for n, v in scope.get("headers", ()) if n == b"origin"), None)
        if scope["type"] != "http" or origin not in self._origins:
            await self._app(scope, receive, send)
            return
        common = [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]
        asks = any(name == b"access-control-request-method" for name, _ in scope["headers"])
        if scope["method"] == "OPTIONS" and asks:
            headers = [
                *common,
                (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
                (b"access-control-allow-headers", self._allowed),
                (b"access-control-max-age", b"600"),
                (b"content-length", b"0"),
            ]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return

        async def with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].extend([*common, (b"access-control-expose-headers", self._exposed)])
                message["headers"].append((b"cross-origin-resource-policy", b"cross-origin"))
            await send(message)

        await self._app(scope, receive, with_cors)
