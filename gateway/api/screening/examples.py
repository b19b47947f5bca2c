"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID, STAFF_ID

SUGGESTION: dict[str, Any] = {"value": "delay", "share": 0.82, "of": 12, "words": ["پروانه", "استعلام"]}
SIMILAR: dict[str, Any] = {
    "case_id": CASE_ID,
    "number": "1405-000122",
    "stage": "investigating",
    "unit": "dep.urb.permits",
    "ground": "delay",
    "filed_at": "2026-11-22T08:30:00Z",
    "excerpt": "پرونده پایان کار من بی‌پاسخ مانده است.",
    "similarity": 0.64,
    "same": ["unit", "ground"],
}
ASSIGNED: dict[str, Any] = {"case_id": CASE_ID, "handler": STAFF_ID, "version": 3, "error": None}
SKILLS: dict[str, Any] = {"inspector": STAFF_ID, "grounds": ["delay"], "open_cases": 4}
WORKLOAD: dict[str, Any] = {
    "inspector": STAFF_ID,
    "active": True,
    "open_cases": 14,
    "due_soon": 3,
    "late": 1,
    "awaiting_citizen": 2,
    "awaiting_unit": 4,
    "average_age": 11.5,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Assigned": {"items": [ASSIGNED]},
    "AssignedCase": ASSIGNED,
    "InspectorSkills": SKILLS,
    "InspectorWorkload": WORKLOAD,
    "SimilarCase": SIMILAR,
    "Skills": {"items": [SKILLS]},
    "Suggestion": SUGGESTION,
    "Workload": {"items": [WORKLOAD]},
    "Suggestions": {"unit": None, "ground": SUGGESTION, "urgent": None, "similar": [SIMILAR]},
}
