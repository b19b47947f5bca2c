"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.cases.examples import ATTACHMENT
from gateway.api.examples import QUESTION_ID

UNIT_QUESTION: dict[str, Any] = {
    "question_id": QUESTION_ID,
    "unit": "dep.urb.permits",
    "text": "علت تأخیر در این پرونده چیست؟",
    "asked_at": "2026-11-26T07:00:00Z",
    "due_on": "2026-12-05",
    "answer": "پرونده منتظر استعلام است و این هفته تمام می‌شود.",
    "answered_at": "2026-11-29T10:15:00Z",
    "media": [ATTACHMENT],
}

UNIT: dict[str, Any] = {"code": "dep.civ.roads", "name_fa": "اداره راه‌ها", "name_en": "Roads Office"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "UnitQuestion": UNIT_QUESTION,
    "NamedUnit": UNIT,
    "UnansweredUnits": {"items": [UNIT]},
    "UnitQuestions": {"items": [UNIT_QUESTION], "next": None},
}
