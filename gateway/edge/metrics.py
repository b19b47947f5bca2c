"""What the gateway counts, for /metrics, and the names of routes in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fastapi.routing import iter_route_contexts
from prometheus_client import Counter, Gauge, Histogram
from starlette.routing import BaseRoute
from starlette.types import Scope

REQUESTS = Counter("peygir_http_requests_total", "Answered requests", ["route", "method", "status"])
SECONDS = Histogram(
    "peygir_http_seconds",
    "Time to the last byte of an answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ASKED = Counter("peygir_rpc_asked_total", "Questions to services", ["asked", "method", "outcome"])
CACHE = Counter("peygir_case_cache_total", "Cases by code", ["outcome"])
BROKER = Gauge("peygir_broker_connected", "1 when submissions can be published")
STREAMS = Gauge("peygir_streams", "Open streams")
LIMITED = Counter("peygir_limited_total", "Requests refused by a limit", ["budget"])
FILED = Counter("peygir_filed_total", "Submissions", ["kind", "outcome"])

Templates = dict[tuple[Any, frozenset[str]], str]
"""Endpoint and names of its path's parameters → the whole path template, such as "/v1/cases/{case_id}"."""


def templates(routes: Sequence[BaseRoute]) -> Templates:
    """Of an application's routes, those of included routers with their prefix: a route itself knows only its own end."""
    return {
        (route.endpoint, frozenset(re.findall(r"\{(\w+)", route.path))): re.sub(r":\w+\}", "}", route.path)
        for route in iter_route_contexts(routes)
        if route.path is not None
    }


def route_of(scope: Scope) -> str:
    """The route's template, never the path: paths may hold what nobody should read in a log."""
    if "express" in scope:
        return str(scope["express"])
    signed_in: Templates = getattr(scope.get("app"), "templates", {})
    return signed_in.get((scope.get("endpoint"), frozenset(scope.get("path_params", ()))), "unrouted")
