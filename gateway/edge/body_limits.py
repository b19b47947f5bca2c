"""Request bodies: how large they may be, how slowly they may arrive, and JSON parsed once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.errors import PeygirError, TooLarge, UnsupportedMedia
from gateway.edge import language
from gateway.edge.json_parsing import parse_json
from gateway.edge.problems import TooSlow, problem
from gateway.settings import Settings

_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_UPLOADS = "/v1/uploads"
_PARSED = "peygir.json"
"""Where the parsed body is in the ASGI scope."""


class BodyLimitMiddleware:
    """Bounds request bodies. Under `prefix`, except below the paths of `not_json`: JSON of a bounded size and depth, read
    whole and parsed before the application is called. Elsewhere: any body, as long as it keeps coming.

    A slow body is cut off: JSON and forms without files have to arrive within `body_timeout` seconds; any other body may pause
    for `stall_timeout` and has to come at `min_body_rate` on average, so that its size bounds its time. Only the time spent
    waiting for the client counts.
    """

    def __init__(self, app: ASGIApp, settings: Settings, prefix: str = "/v1/", not_json: tuple[str, ...] = ()) -> None:
        self._app = app
        self._prefix, self._not_json = prefix, not_json
        self._max_size, self._timeout = settings.max_json_body, settings.body_timeout
        self._stall_timeout = settings.stall_timeout
        self._min_rate = settings.min_body_rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _METHODS_WITH_BODY:
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if not path.startswith(self._prefix) or path.startswith(self._not_json):
            await self._keep_pace(scope, receive, send, reports_errors=not path.startswith(_UPLOADS))
            return
        try:
            body = await self._read_json(scope, receive)
        except PeygirError as error:
            # The rest of the body is not read, so the connection cannot be reused.
            await problem(error, language.of(scope["headers"]), {"connection": "close"})(scope, receive, send)
            return
        except _ClientGone:
            return
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read_json(self, scope: Scope, receive: Receive) -> bytes:
        content_type, length = b"", None
        for name, value in scope["headers"]:
            if name == b"content-type":
                content_type = value
            elif name == b"content-length":
                length = value
        if length is not None and length.isdigit() and (len(length) > 12 or int(length) > self._max_size):
            raise TooLarge(limit=self._max_size)
        first = await self._receive(receive, self._timeout)
        body: bytes = first.get("body", b"")
        if first.get("more_body", False):
            body = await self._read_rest(body, receive)
        if len(body) > self._max_size:
            raise TooLarge(limit=self._max_size)
        if body:
            if content_type.split(b";")[0].strip().lower() != b"application/json":
                raise UnsupportedMedia(accepted="application/json")
            scope[_PARSED] = parse_json(body)
        return body

    async def _read_rest(self, body: bytes, receive: Receive) -> bytes:
        parts, size = [body], len(body)
        deadline = time.monotonic() + self._timeout
        while True:
            message = await self._receive(receive, max(0.01, deadline - time.monotonic()))
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > self._max_size:
                raise TooLarge(limit=self._max_size)
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)

    async def _receive(self, receive: Receive, seconds: float) -> MutableMapping[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                message = await receive()
        except TimeoutError:
            raise TooSlow from None
        if message["type"] == "http.disconnect":
            raise _ClientGone
        return message

    async def _keep_pace(self, scope: Scope, receive: Receive, send: Send, reports_errors: bool) -> None:
        """Calls the application with a body that has to arrive in time. When it does not, `receive` raises TooSlow where the
        application `reports_errors` to the client itself, as pages do. An upload gets a disconnect instead, so that the bytes
        received until then count."""
        ended, slow, waited, received = False, False, 0.0, 0
        allowance = self._timeout if _is_plain_form(scope) else self._stall_timeout

        async def receive_in_time() -> Message:
            nonlocal ended, slow, waited, received
            if ended:
                return await receive()
            left = allowance + received / self._min_rate - waited
            began = time.monotonic()
            try:
                async with asyncio.timeout(max(0.01, min(self._stall_timeout, left))):
                    message = await receive()
            except TimeoutError:
                slow = True
                if reports_errors:
                    raise TooSlow from None
                return {"type": "http.disconnect"}
            waited += time.monotonic() - began
            received += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            return message

        async def send_closing(message: Message) -> None:
            if slow and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive_in_time, send_closing)


def parsed_json(request: Request) -> Any:
    """The JSON of this request, parsed by BodyLimitMiddleware; None without a body."""
    return request.scope.get(_PARSED)


def _is_plain_form(scope: Scope) -> bool:
    """A form without files, as a page sends it."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return bool(kind.split(b";")[0].strip().lower() == b"application/x-www-form-urlencoded")


class _ClientGone(Exception):
    """The client disconnected before the end of the body."""
