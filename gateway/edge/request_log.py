"""Traces, metrics and security headers for every request, and the answer to an exception that nothing caught.

A plain ASGI middleware, like its neighbours: every request pays for it, so it handles bytes and no framework objects.
"""

from __future__ import annotations

import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backbone.process import logs
from backbone.process import traces as trace
from contracts.errors import PeygirError
from gateway.edge.error_responses import error_response
from gateway.edge.metrics import REQUESTS, SECONDS, route_of
from gateway.edge.problems import CLIENT_GONE
from gateway.edge.security_headers import CONTENT_SECURITY_POLICY, SECURITY_HEADERS

log = logs.get("http")


class RequestLogMiddleware:
    """The outermost middleware: continues the trace, measures and counts each request, adds the security headers, and answers
    500 for an exception that nothing else caught."""

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
        status, finished, client_gone = 0, False, False

        async def receive_noting_disconnect() -> Message:
            nonlocal client_gone
            message = await receive()
            if message["type"] == "http.disconnect" and not status:
                client_gone = True
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal status, finished
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                names = {name for name, _ in headers}
                headers.extend(pair for pair in SECURITY_HEADERS if pair[0] not in names)
                if b"content-security-policy" not in names:
                    headers.append((b"content-security-policy", CONTENT_SECURITY_POLICY.encode()))
                headers.append((b"x-request-id", (trace.trace_id() or "").encode()))
            elif not message.get("more_body", False):
                finished = True
            await send(message)

        try:
            await self._app(scope, receive_noting_disconnect, send_with_headers)
        except ClientDisconnect:
            client_gone = True  # not an error, and nobody is left to answer
        except Exception as error:  # noqa: BLE001  # nothing further out would catch it
            log.error("a request failed", route=route_of(scope), error=logs.describe(error), frames=logs.frames(error))
            if status and not finished:
                raise _ResponseCutOff from None  # part of the answer was sent: only a closed connection can say so
            if not status:
                await error_response(PeygirError(), scope["path"], scope["headers"])(scope, receive, send_with_headers)
        finally:
            route = route_of(scope)
            counted_status = CLIENT_GONE if client_gone else status
            REQUESTS.labels(route, scope["method"] if route != "unrouted" else "-", str(counted_status)).inc()
            SECONDS.labels(route).observe(time.perf_counter() - started)


def plain_cookies(header: bytes) -> bytes:
    """A Cookie header without the values that contain escapes. No cookie of the gateway has one, and Python up to 3.11.9 and
    3.12.5 takes quadratic time to decode them (CVE-2024-7592)."""
    if b"\\" not in header:
        return header
    return b";".join(pair for pair in header.split(b";") if b"\\" not in pair)


class _ResponseCutOff(Exception):
    """An answer was begun and could not be finished."""
