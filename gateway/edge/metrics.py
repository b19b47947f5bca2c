"""What the gateway counts, for /metrics, and the route that a request is counted under."""

from __future__ import annotations

from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import Scope

REQUESTS = Counter("peygir_http_requests_total", "Answered requests", ["route", "method", "status"])
SECONDS = Histogram(
    "peygir_http_seconds",
    "Time to the last byte of an answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
RPC_CALLS = Counter("peygir_rpc_calls_total", "RPC calls of services", ["callee", "method", "outcome"])
CASE_CACHE = Counter("peygir_case_cache_total", "Cases by code", ["outcome"])
BROKER = Gauge("peygir_broker_connected", "1 when submissions can be published")
UNITS_WITHOUT_SUBSTITUTE = Gauge(
    "peygir_units_without_substitute", "Units of the inspection itself for whose cases no substitute is named"
)
STREAMS = Gauge("peygir_streams", "Open streams")
LIMITED = Counter("peygir_limited_total", "Requests refused by a limit", ["budget"])
FILED = Counter("peygir_filed_total", "Submissions", ["kind", "outcome"])

FAST_PATH = "peygir.fast_path"
"""Where the ASGI scope names the route of a request that FastPath answers."""
RouteTemplates = dict[tuple[Any, frozenset[str]], str]
"""Endpoint and names of its path parameters → the path template, such as "/v1/cases/{case_id}"."""


def route_of(scope: Scope) -> str:
    """The route's template, never the path: paths may hold what must not be in a log."""
    if FAST_PATH in scope:
        return str(scope[FAST_PATH])
    templates: RouteTemplates = getattr(scope.get("app"), "templates", {})
    return templates.get((scope.get("endpoint"), frozenset(scope.get("path_params", ()))), "unrouted")
