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
    "ground": "delay",
    "ground_name": "اطاله رسیدگی",
    "question": None,
    "asked_text": None,
    "last_activity_at": "2026-11-25T07:00:00Z",
    "last_activity_text": "۴ آذر ۱۴۰۵، ساعت ۱۰:۳۰",
    "unread": 2,
}

SIMILAR_OWN_CASE: dict[str, Any] = {**OWN_CASE, "same_unit": True, "same_ground": True, "likeness": 0.62}

EXAMPLES: dict[str, dict[str, Any]] = {
    "OwnCaseView": OWN_CASE,
    "OwnContact": {"name": "شاکی نمونه", "mobile_end": "4567", "national_id_end": None},
    "SimilarOwnCaseView": SIMILAR_OWN_CASE,
    "SimilarOwnCasesView": {
        "items": [SIMILAR_OWN_CASE],
        "text": "شاید همین را پیش‌تر ثبت کرده باشید. به جای ثبت دوباره می‌توانید در همان پرونده پیام یا مدرک بفرستید.",
    },
    "OwnCasesView": {"items": [OWN_CASE], "next": None},
}
