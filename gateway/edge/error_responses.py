"""The answer to an error: an HTML page where a browser asks for one outside of /v1, else problem+json."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from starlette.responses import Response

from backbone.process import logs
from contracts.errors import PeygirError
from gateway.edge import language
from gateway.edge.problems import MEDIA_TYPE, problem

log = logs.get("problems")

RawHeaders = Iterable[tuple[bytes, bytes]]
_PATHS_WITHOUT_PAGES = ("/v1", "/healthz", "/readyz", "/metrics")


def error_response(
    error: PeygirError, path: str, headers: RawHeaders, more: Mapping[str, str] | None = None
) -> Response:
    """The answer to a request of these headers for this path: a page for a browser, else problem+json. `more`: headers of it."""
    request_headers = list(headers)
    if not is_page_path(path):
        return problem(error, language.of(request_headers), more)
    vary = {"vary": "Accept, Accept-Language, Cookie"}
    if not prefers_html(request_headers):
        return problem(error, language.of(request_headers), {**(more or {}), **vary})
    from gateway.pages.failure import failure_page  # pages import this module

    try:
        return failure_page(error, request_headers, {**(more or {}), **vary})
    except Exception as broken:  # noqa: BLE001  # the client is answered in any case
        log.error(
            "the page for an error could not be rendered", error=logs.describe(broken), frames=logs.frames(broken)
        )
        return problem(error, language.of(request_headers), {**(more or {}), **vary})


def is_page_path(path: str) -> bool:
    """Whether people open this address in a browser, rather than a program calls it."""
    return not any(path == prefix or path.startswith(f"{prefix}/") for prefix in _PATHS_WITHOUT_PAGES)


def prefers_html(headers: RawHeaders) -> bool:
    """Whether Accept names HTML, and does not prefer JSON (RFC 9110, 12.5.1)."""
    quality = {"html": 0.0, "json": 0.0}
    accepted = b",".join(value for name, value in headers if name == b"accept").decode("latin-1")
    for part in accepted.split(",")[:40]:
        media_type, _, parameters = part.strip().lower().partition(";")
        kind = {"text/html": "html", "application/xhtml+xml": "html"}.get(media_type.strip())
        if kind is None and media_type.strip() in ("application/json", MEDIA_TYPE):
            kind = "json"
        if kind is not None:
            quality[kind] = max(quality[kind], _quality(parameters))
    return quality["html"] > 0 and quality["html"] >= quality["json"]


def _quality(parameters: str) -> float:
    match = re.search(r"(?:^|;)\s*q=([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", parameters)
    return float(match.group(1)) if match else 1.0
