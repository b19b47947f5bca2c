"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID, HASH

_ENTRY: dict[str, Any] = {
    "service": "tracking",
    "position": 4021,
    "at": "2026-11-23T08:30:00Z",
    "actor_kind": "staff",
    "actor_id": "b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21",
    "actor_name": "بازرس یک",
    "roles": ["inspector"],
    "command": "get_case",
    "subjects": [CASE_ID],
    "subject_names": [],
    "result": "done",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "hash": HASH,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "AuditEntryView": _ENTRY,
    "AuditPage": {"items": [_ENTRY], "next": "accounts.12:tracking.4021"},
}
