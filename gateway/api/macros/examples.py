"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api import steps
from gateway.api.examples import STAFF_ID

MACRO: dict[str, Any] = {
    "macro_id": "3f0d2c1e-5d3b-4b1a-9d38-2f1c5f3f8a16",
    "name": "پرسش از واحد و یادآوری",
    "steps": [
        {
            "type": "ask_unit",
            "text": "{greeting}\nلطفاً درباره پرونده {number} تا {answer_day} پاسخ دهید.",
            "unit": None,
            "media": [],
        },
        {"type": "remind_in_days", "working_days": 5, "text": "پیگیری پاسخ {unit}"},
    ],
    "language": "fa",
    "audience": "inspector",
    "owner": STAFF_ID,
    "owner_name": "مدیر بازرسی",
    "own": True,
    "changeable": True,
    "version": 1,
    "made_at": "2026-11-23T08:30:00Z",
    "changed_at": "2026-11-23T08:30:00Z",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Macro": MACRO,
    "MacroPage": {"items": [MACRO], "next": None},
    **steps.EXAMPLES,
}
