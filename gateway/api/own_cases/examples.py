"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID

OWN_CASE: dict[str, Any] = {
    "case_id": CASE_ID,
    "kind": "complaint",
    "stage": "investigating",
    "unit_name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "unit_name_en": "Building Permits Office",
    "filed_at": "2026-11-23T08:30:00Z",
    "expected_on": "2026-12-15",
    "kind_text": "شکایت",
    "stage_text": "در دست بازرس",
    "unit_name": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "filed_text": "۲ آذر ۱۴۰۵، ساعت ۱۲:۰۰",
    "expected_text": "۲۴ آذر ۱۴۰۵",
}

EXAMPLES: dict[str, dict[str, Any]] = {"OwnCaseView": OWN_CASE, "OwnCasesView": {"items": [OWN_CASE]}}
