"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID

_CASE: dict[str, Any] = {
    "case_id": CASE_ID,
    "number": "1405-000123",
    "kind": "complaint",
    "unit": "dep.urb.permits",
    "unit_name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "unit_name_en": "Building Permits Office",
    "ground": "delay",
    "stage": "screening",
    "channel": "counter",
    "filed_at": "2026-11-23T08:30:00Z",
    "anonymous": False,
    "consent": "signed",
    "to_sms": True,
    "confirmed": False,
    "correctable_until": "2026-11-29",
}
_FOR_ME: dict[str, Any] = {
    "case_id": CASE_ID,
    "kind": "complaint",
    "unit_name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "unit_name_en": "Building Permits Office",
    "channel": "counter",
    "filed_at": "2026-11-23T08:30:00Z",
    "kind_text": "شکایت",
    "unit_name": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "filed_text": "۲ آذر ۱۴۰۵، ساعت ۱۲:۰۰",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "DeskCase": _CASE,
    "DeskCases": {"items": [_CASE], "next": None},
    "FiledForMeItemView": _FOR_ME,
    "FiledForMeView": {"items": [_FOR_ME]},
    "ReplacedCodeView": {
        "by_sms": True,
        "tracking_code": None,
        "next_steps": ["کد تازه با پیامک به شماره شهروند می‌رود."],
    },
}
