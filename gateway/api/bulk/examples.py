"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID

REFUSALS: dict[str, Any] = {"code": "wrong_stage", "label": "این کار در مرحله کنونی پرونده شدنی نیست.", "count": 3}
BULK: dict[str, Any] = {
    "bulk_id": "5e1d0c1e-5d3b-4b1a-9d38-2f1c5f3f8a17",
    "state": "running",
    "command": "start_screening",
    "macro_id": None,
    "macro_name": None,
    "preview": False,
    "total": 1240,
    "done": 403,
    "succeeded": 400,
    "refused": 3,
    "cancelled": 0,
    "refusals": [REFUSALS],
    "asked_at": "2026-11-23T08:30:00Z",
    "started_at": "2026-11-23T08:30:01Z",
    "finished_at": None,
    "expires_at": None,
}
LINE: dict[str, Any] = {
    "place": 12,
    "case_id": CASE_ID,
    "number": "1405-000123",
    "result": "refused",
    "version": None,
    "code": "wrong_stage",
    "detail": "این کار در مرحله «در دست بررسی» شدنی نیست.",
    "params": {"stage": "investigating", "command": "start_screening"},
    "at": "2026-11-23T08:30:04Z",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "BulkLineView": LINE,
    "BulkPageView": {"items": [BULK], "next": None},
    "BulkReportView": {"items": [LINE], "next": 12},
    "BulkView": BULK,
    "RefusalCountView": REFUSALS,
}
