"""Where a request comes from, as the browser says it."""

from __future__ import annotations

from enum import Enum
from urllib.parse import urlsplit

from starlette.requests import Request


class Origin(Enum):
    """UNKNOWN: the browser does not say, or it was the visitor's own doing (an address typed, a page loaded again)."""

    OWN = "own"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


def origin_of(request: Request, public_url: str) -> Origin:
    """By Sec-Fetch-SiteSettings, which no page can forge; else by Origin, which browsers have sent with forms for longer. Our own
    forms have "Origin: null" there, since our pages ask for no referrer.

    A neighbour under the same domain (same-site) is foreign: other systems of the city live there.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return {"same-origin": Origin.OWN, "none": Origin.UNKNOWN}.get(site.lower(), Origin.FOREIGN)
    origin = request.headers.get("origin")
    if origin is None or origin == "null":
        return Origin.UNKNOWN
    ours = {request.headers.get("host", "").lower(), urlsplit(public_url).netloc.lower()} - {""}
    return Origin.OWN if urlsplit(origin).netloc.lower() in ours else Origin.FOREIGN
