"""Cross-origin requests: refused by browsers unless origins are named in the settings; then for these, without cookies."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_REQUEST_HEADERS = (
    "authorization",
    "tracking-code",
    "challenge-answer",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "traceparent",
    "tus-resumable",
    "upload-length",
    "upload-offset",
    "upload-metadata",
    "upload-checksum",
)
_EXPOSED_HEADERS = (
    "etag",
    "location",
    "retry-after",
    "content-language",
    "x-request-id",
    "tus-resumable",
    "tus-version",
    "tus-extension",
    "tus-max-size",
    "upload-offset",
    "upload-length",
    "upload-expires",
)


class CrossOriginMiddleware(CORSMiddleware):
    """Starlette's middleware for the `origins` alone: for any other, the gateway answers as if it had no CORS at all."""

    def __init__(self, app: ASGIApp, origins: list[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=_REQUEST_HEADERS,
            expose_headers=_EXPOSED_HEADERS,
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.is_allowed_origin(Headers(scope=scope).get("origin", "")):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """What is allowed, as 204: Starlette answers 200 with a text, or 400, where the browser decides in any case."""
        allowed = super().preflight_response(request_headers).headers
        headers = {name: value for name, value in allowed.items() if not name.startswith("content-")}
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)

    @staticmethod
    def allow_explicit_origin(headers: MutableHeaders, origin: str) -> None:
        CORSMiddleware.allow_explicit_origin(headers, origin)
        headers["cross-origin-resource-policy"] = "cross-origin"
