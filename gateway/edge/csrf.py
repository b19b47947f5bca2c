"""Requests that a page of another site makes a browser send, with the cookie of its session (cross-site request forgery)."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from contracts.errors import CsrfRefused

CSRF_HEADER = "X-Peygir-CSRF"
"""With any value. A page of another site cannot send it: a form has no headers, and a script would have to be allowed it by a
preflight, which the gateway allows to nobody."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They change nothing (tests/unit/test_gateway_browser_sessions.py)."""


def refuse_other_sites(connection: HTTPConnection, public_url: str) -> None:
    """CsrfRefused unless a page of this very origin sends the request. By Sec-Fetch-Site, which no page can forge; else by
    Origin, which older browsers send with all but GET. A neighbour under the same domain (same-site) is another site: other
    systems of the city live there."""
    headers: Headers = connection.headers
    if not headers.get(CSRF_HEADER, "").strip():
        raise CsrfRefused(why="header")
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site.lower() != "same-origin":
            raise CsrfRefused(why="origin")
        return
    scheme = public_url.partition("://")[0].lower()
    own = {public_url.lower(), f"{scheme}://{headers.get('host', '').lower()}"}
    if headers.get("origin", "null").lower() not in own:
        raise CsrfRefused(why="origin")
