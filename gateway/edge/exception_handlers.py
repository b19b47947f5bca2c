"""The answers to exceptions: FastAPI's handlers for errors of the API and its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from backbone.process import logs
from contracts import errors
from contracts.errors import InvalidField, NotFound, PeygirError
from gateway.edge.error_responses import error_response
from gateway.edge.metrics import route_of
from gateway.edge.problems import (
    CLIENT_GONE,
    BadRequest,
    HeadersTooLarge,
    MethodNotAllowed,
    TooSlow,
    fields_of,
)

log = logs.get("problems")

_BY_STATUS: Mapping[int, type[PeygirError]] = {
    400: BadRequest,
    401: errors.NotAuthenticated,
    403: errors.NotAllowed,
    404: NotFound,
    405: MethodNotAllowed,
    408: TooSlow,
    413: errors.TooLarge,
    415: errors.UnsupportedMedia,
    422: InvalidField,
    429: errors.TooMany,
    431: HeadersTooLarge,
    503: errors.Unavailable,
}


async def on_peygir_error(request: Request, error: Exception) -> Response:
    """An error of the API, raised by the gateway or by a service."""
    assert isinstance(error, PeygirError)
    if error.status >= 500 and error.code == "internal":
        log.error("a service failed", route=route_of(request.scope))
    return error_response(error, request.scope["path"], request.scope["headers"])


async def on_validation_error(request: Request, error: Exception) -> Response:
    """What FastAPI rejected in body, query or headers."""
    assert isinstance(error, RequestValidationError)
    rejections = error.errors()
    answer: PeygirError = InvalidField(fields=fields_of(rejections))
    if any(rejection["type"] == "json_invalid" for rejection in rejections):
        answer = BadRequest(fields=[{"field": "body", "reason": "json_invalid"}])
    return error_response(answer, request.scope["path"], request.scope["headers"])


async def on_http_exception(request: Request, error: Exception) -> Response:
    """No such route or method, and what the framework rejects by itself."""
    assert isinstance(error, HTTPException)
    error_type = _BY_STATUS.get(error.status_code)
    if error_type is None:
        error_type = PeygirError if error.status_code >= 500 else BadRequest
    headers = dict(error.headers or {})
    if error_type is MethodNotAllowed:
        headers = {"allow": ", ".join(documented_methods(request)) or headers.get("Allow", "")}
    return error_response(error_type(), request.scope["path"], request.scope["headers"], headers)


def documented_methods(request: Request) -> list[str]:
    """The methods of this address in the OpenAPI document: the framework would name those of one of its routes alone.
    Empty for a page."""
    paths: Mapping[str, Mapping[str, Any]] = request.app.openapi()["paths"]
    path = request.scope["path"]
    if path in paths:  # rather than a template that also matches it
        return sorted(method.upper() for method in paths[path])
    matching = (item for template, item in paths.items() if _pattern(template).match(path))
    return sorted(method.upper() for method in next(matching, {}))


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return compile_path(template)[0]


async def on_client_gone(request: Request, error: Exception) -> Response:
    """The client disconnected during the request: no error, and nobody is left to answer."""
    return Response(status_code=CLIENT_GONE)


async def on_unexpected(request: Request, error: Exception) -> Response:
    """Any other exception: answered without its text. RequestLogMiddleware logs where it was raised."""
    return error_response(PeygirError(), request.scope["path"], request.scope["headers"])
