"""The responses that operations name in the OpenAPI document, and handlers that bypass the framework."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute

from gateway.edge.fast_path import DirectHandler
from gateway.edge.problems import MEDIA_TYPE

_MEANINGS = {
    400: "The request cannot be read",
    401: "Not signed in, or the session or code is not valid",
    403: "Known, and not allowed",
    404: "There is no such thing, or it is not for you",
    405: "The method is not for this address",
    408: "The request did not arrive in time",
    409: "It does not fit the present state",
    410: "No longer available",
    412: "It has changed since it was read",
    413: "Too large",
    415: "This type of content is not accepted",
    416: "The range cannot be satisfied",
    422: "Something in the request is wrong; `errors` says what",
    428: "If-Match is needed",
    429: "Too many requests; see Retry-After, and `params.challenge` for what may be solved instead of waiting",
    431: "Too many or too large headers",
    503: "Not available now, nothing was done; see Retry-After",
    504: "No answer came in time; repeating it is safe with its key",
}
_ALWAYS = (400, 429, 500, 503)
_WITH_BODY = (408, 413, 415, 422)


def problems(*statuses: int, body: bool = False, calls_service: bool = True) -> dict[int | str, dict[str, Any]]:
    """`responses=` of an operation: problem+json for each status. `body`: it takes JSON; `calls_service`: it calls a service."""
    every = {*statuses, *_ALWAYS, *(_WITH_BODY if body else ()), *((504,) if calls_service else ())}
    return {
        status: {
            "description": _MEANINGS.get(status, "An error on our side"),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted(every)
    }


def answers(status: int, description: str, **headers: str) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a success: its description and the headers it carries."""
    described = {name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in headers.items()}
    return {status: {"description": description, **({"headers": described} if described else {})}}


NOT_CHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Not changed since the ETag that was given"}}
"""`responses=` of an operation that takes If-None-Match."""
CASE = answers(200, "The case", ETag="Its version")
"""`responses=` of an operation that answers a case with its version."""


def directly(handler: DirectHandler) -> Callable[[Any], Any]:
    """Marks an endpoint as handled by `handler(request)`, before and without the framework: for what is called thousands
    of times a second. The endpoint says in the document what the handler takes and answers, and answers the same; requests
    for which the handler returns None go on to it."""

    def mark(endpoint: Any) -> Any:
        endpoint.direct = handler
        return endpoint

    return mark


def direct_handlers(router: APIRouter, prefix: str) -> dict[tuple[str, str], DirectHandler]:
    """The handlers that were marked by `directly`, by method and path."""
    return {
        (method, prefix + route.path): route.endpoint.direct
        for route in router.routes
        if isinstance(route, APIRoute) and hasattr(route.endpoint, "direct")
        for method in route.methods or ()
    }
