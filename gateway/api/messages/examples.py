"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID

MESSAGE: dict[str, Any] = {
    "id": "5b0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11",
    "case_id": CASE_ID,
    "case_number": None,
    "template": "citizen_asked",
    "text": "بازرس پرسشی از شما دارد.",
    "at": "2026-11-25T07:00:01Z",
    "read": False,
    "at_text": "۴ آذر ۱۴۰۵، ساعت ۱۰:۳۰",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "MessageView": MESSAGE,
    "MessagePageView": {"items": [MESSAGE], "next": None},
}
