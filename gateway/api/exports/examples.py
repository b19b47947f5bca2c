"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.searches.examples import FILTER

EXPORT: dict[str, Any] = {
    "export_id": "7c1d0c1e-5d3b-4b1a-9d38-2f1c5f3f8a15",
    "state": "running",
    "format": "xlsx",
    "language": "fa",
    "filters": FILTER,
    "search": None,
    "rows_done": 500,
    "rows_total": 1240,
    "size": None,
    "error": None,
    "asked_at": "2026-11-23T08:30:00Z",
    "finished_at": None,
    "expires_at": None,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Export": EXPORT,
    "ExportPage": {"items": [EXPORT], "next": None},
}
