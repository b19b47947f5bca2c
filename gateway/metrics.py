"""What the gateway counts, for /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("peygir_http_requests_total", "Answered requests", ["route", "method", "status"])
SECONDS = Histogram(
    "peygir_http_seconds",
    "Time to the last byte of an answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ASKED = Counter("peygir_rpc_asked_total", "Questions to services", ["service", "method", "outcome"])
CACHE = Counter("peygir_case_cache_total", "Cases by code", ["outcome"])
BROKER = Gauge("peygir_broker_connected", "1 when submissions can be published")
STREAMS = Gauge("peygir_streams", "Open streams")
LIMITED = Counter("peygir_limited_total", "Requests refused by a limit", ["budget"])
FILED = Counter("peygir_filed_total", "Submissions", ["kind", "outcome"])
