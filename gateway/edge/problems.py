"""Every error as RFC 9457 problem+json, in the caller's language, without details of ours; as a page where a browser asks
for one outside of /v1.

    {"type": "urn:peygir:problem:unknown_unit", "title": …, "status": 422, "detail": …, "code": "unknown_unit",
     "instance": "urn:trace:<trace id>", "errors": [{"field": "unit", "reason": "unknown_unit", "message": …}],
     "params": {…}}

`code` is stable and for programs; `title`, `detail` and `message` are for people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from backbone.process import logs
from backbone.process import traces as trace
from contracts import errors
from contracts.errors import InvalidField, NotFound, PeygirError
from contracts.vocabulary import Language
from gateway.edge import language
from gateway.edge.metrics import route_of
from texts.errors import error_text, error_title
from texts.fields import field_text

log = logs.get("problems")

MEDIA_TYPE = "application/problem+json"
_STATUS_WITH_AUTHENTICATE = 401


class FieldProblem(BaseModel):
    """One field that is wrong. `field`: its path, such as text or place.latitude; `reason`: stable, for programs."""

    field: str
    reason: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:peygir:problem:invalid_field",
                    "title": "Some fields are not filled in correctly.",
                    "status": 422,
                    "detail": "Some fields are not filled in correctly.",
                    "code": "invalid_field",
                    "instance": "urn:trace:4bf92f3577b34da6a3ce929d0e0e4736",
                    "errors": [
                        {"field": "text", "reason": "string_too_short", "message": "At least 10 characters are needed."}
                    ],
                }
            ]
        }
    )

    type: str = Field(pattern=r"^urn:peygir:problem:[a-z_]+$")
    title: str
    status: int
    detail: str
    code: str
    instance: str
    errors: list[FieldProblem] = []
    params: dict[str, Any] = {}


class BadRequest(PeygirError):
    """The request cannot be read at all. `fields` may say where."""

    code = "bad_request"
    status = 400


class MethodNotAllowed(PeygirError):
    code = "method_not_allowed"
    status = 405


class TooSlow(PeygirError):
    code = "too_slow"
    status = 408


class HeadersTooLarge(PeygirError):
    code = "headers_too_large"
    status = 431


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
_HIDDEN = frozenset({"fields"})


def problem(error: PeygirError, lang: Language, headers: Mapping[str, str] | None = None) -> Response:
    """The response that tells `error`."""
    body: dict[str, Any] = {
        "type": f"urn:peygir:problem:{error.code}",
        "title": error_title(error, lang),
        "status": error.status,
        "detail": error_text(error, lang),
        "code": error.code,
        "instance": f"urn:trace:{trace.trace_id() or ''}",
    }
    fields = error.params.get("fields")
    if isinstance(fields, list):
        body["errors"] = [
            {"field": str(one.get("field", "")), "reason": str(one.get("reason", "")), "message": field_text(one, lang)}
            for one in fields[:50]
            if isinstance(one, dict)
        ]
    params = {name: value for name, value in error.params.items() if name not in _HIDDEN}
    if params:
        body["params"] = params
    sent = {"cache-control": "no-store", "content-language": lang.value, "vary": "Accept-Language", **(headers or {})}
    retry_after = error.params.get("retry_after")
    if retry_after is not None:
        sent["retry-after"] = str(max(1, round(float(retry_after))))
    elif error.status in (503, 504):
        sent["retry-after"] = "5"
    if error.status == _STATUS_WITH_AUTHENTICATE:
        sent["www-authenticate"] = 'Bearer realm="peygir"'
    return Response(json.dumps(body, ensure_ascii=False), error.status, sent, MEDIA_TYPE)


RawHeaders = Iterable[tuple[bytes, bytes]]
_NO_PAGES = ("/v1", "/healthz", "/readyz", "/metrics")


def failure(error: PeygirError, path: str, headers: RawHeaders, more: Mapping[str, str] | None = None) -> Response:
    """The answer that tells `error` to whoever sent these headers to this path: a page to a browser, else a problem."""
    given = list(headers)
    if not is_of_pages(path):
        return problem(error, language.of(given), more)
    vary = {"vary": "Accept, Accept-Language, Cookie"}
    if not prefers_html(given):
        return problem(error, language.of(given), {**(more or {}), **vary})
    from gateway.pages.failure import failure_page  # the pages stand on this module

    try:
        return failure_page(error, given, {**(more or {}), **vary})
    except Exception as broken:  # noqa: BLE001  # whatever it is, the caller is answered
        log.error("the page for a failure failed", error=logs.describe(broken), frames=logs.frames(broken))
        return problem(error, language.of(given), {**(more or {}), **vary})


def is_of_pages(path: str) -> bool:
    """Whether an address is one that people open, and not one of the API."""
    return not any(path == one or path.startswith(f"{one}/") for one in _NO_PAGES)


def prefers_html(headers: RawHeaders) -> bool:
    """Whether Accept names HTML, and no JSON that it would rather have (RFC 9110, 12.5.1)."""
    wanted = {"html": 0.0, "json": 0.0}
    accepted = b",".join(value for name, value in headers if name == b"accept").decode("latin-1")
    for part in accepted.split(",")[:40]:
        media_type, _, parameters = part.strip().lower().partition(";")
        kind = {"text/html": "html", "application/xhtml+xml": "html"}.get(media_type.strip())
        if kind is None and media_type.strip() in ("application/json", MEDIA_TYPE):
            kind = "json"
        if kind is not None:
            wanted[kind] = max(wanted[kind], _quality(parameters))
    return wanted["html"] > 0 and wanted["html"] >= wanted["json"]


def _quality(parameters: str) -> float:
    found = re.search(r"(?:^|;)\s*q=([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", parameters)
    return float(found.group(1)) if found else 1.0


def fields_of(
    found: Iterable[Any], drop: frozenset[str] = frozenset({"body", "query", "path", "header"})
) -> list[dict[str, Any]]:
    """Pydantic's errors as fields and reasons, without quoting what was given."""
    fields: list[dict[str, Any]] = []
    for one in found:
        place = [str(part) for part in one["loc"]]
        if place and place[0] in drop:
            place = place[1:]
        reason = str(one["type"])
        context = one.get("ctx") or {}
        if reason in ("value_error", "assertion_error"):
            reason = str(context.get("error", reason)) if reason == "value_error" else reason
        limits = {
            name: context[name]
            for name in (
                "min_length",
                "max_length",
                "ge",
                "le",
                "gt",
                "lt",
                "expected",
                "earliest",
                "latest",
                "meanings",
            )
            if isinstance(context.get(name), int | float | str)
        }
        fields.append({"field": ".".join(place), "reason": reason, **limits})
    return fields


def invalid(error: ValidationError) -> InvalidField:
    """A body that does not fit its model, as the error to raise."""
    return InvalidField(fields=fields_of(error.errors(include_url=False, include_input=False)))


async def on_peygir_error(request: Request, error: Exception) -> Response:
    """An error of ours."""
    assert isinstance(error, PeygirError)
    if error.status >= 500 and error.code == "internal":
        log.error("a service failed", route=route_of(request.scope))
    return failure(error, request.scope["path"], request.scope["headers"])


async def on_validation_error(request: Request, error: Exception) -> Response:
    """What FastAPI found wrong with body, query or headers."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    told: PeygirError = InvalidField(fields=fields_of(found))
    if any(one["type"] == "json_invalid" for one in found):
        told = BadRequest(fields=[{"field": "body", "reason": "json_invalid"}])
    return failure(told, request.scope["path"], request.scope["headers"])


async def on_http_exception(request: Request, error: Exception) -> Response:
    """No such route or method, and what the framework refuses by itself."""
    assert isinstance(error, HTTPException)
    cls = _BY_STATUS.get(error.status_code)
    if cls is None:
        cls = PeygirError if error.status_code >= 500 else BadRequest
    headers = dict(error.headers or {})
    if cls is MethodNotAllowed:
        headers = {"allow": ", ".join(documented_methods(request)) or headers.get("Allow", "")}
    return failure(cls(), request.scope["path"], request.scope["headers"], headers)


def documented_methods(request: Request) -> list[str]:
    """What this address takes, as the document tells it: the framework would name the methods of one of its routes alone.
    None for a page."""
    paths: Mapping[str, Mapping[str, Any]] = request.app.openapi()["paths"]
    path = request.scope["path"]
    if path in paths:  # before a template that it would fit, too
        return sorted(method.upper() for method in paths[path])
    fitting = (item for template, item in paths.items() if _shape(template).match(path))
    return sorted(method.upper() for method in next(fitting, {}))


@cache
def _shape(template: str) -> re.Pattern[str]:
    return compile_path(template)[0]


CLIENT_GONE = 499
"""The status in the metrics of a request whose caller left before the answer; it is sent to nobody."""


async def on_client_gone(request: Request, error: Exception) -> Response:
    """The caller left in the middle of the request: no error, and nobody to answer."""
    return Response(status_code=CLIENT_GONE)


async def on_unexpected(request: Request, error: Exception) -> Response:
    """What nobody expected: told without its text. The middleware outside logs where it came from."""
    return failure(PeygirError(), request.scope["path"], request.scope["headers"])
