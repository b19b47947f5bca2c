"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import STAFF_ID

FILTER: dict[str, Any] = {
    "ids": [],
    "number": [],
    "stage": ["investigating"],
    "kind": [],
    "unit": ["dep.urb"],
    "below": True,
    "ground": [],
    "handler": [],
    "channel": [],
    "waiting_for": [],
    "outcome": [],
    "urgent": None,
    "overdue": None,
    "past_mark": None,
    "filed_from": "2026-09-23",
    "filed_until": "2026-12-21",
    "filed_since": None,
    "filed_before": None,
    "changed_from": None,
    "changed_until": None,
    "changed_since": None,
    "decided_from": None,
    "decided_until": None,
    "due_from": None,
    "due_until": "P2D",
    "attached": ["image"],
    "has_attachments": None,
    "text": "پایان کار",
}
SEARCH: dict[str, Any] = {
    "search_id": "2a6f0c1e-5d3b-4b1a-9d38-2f1c5f3f8a14",
    "name": "شهرسازی، در دست بررسی",
    "filters": FILTER,
    "sort": "due_on",
    "columns": ["number", "stage", "expected_on", "excerpt"],
    "shared_with": "inspector",
    "position": 1,
    "owner": STAFF_ID,
    "own": True,
    "version": 1,
    "made_at": "2026-11-23T08:30:00Z",
    "changed_at": "2026-11-23T08:30:00Z",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Filter": FILTER,
    "Search": SEARCH,
    "SearchPage": {"items": [SEARCH], "next": None},
}
