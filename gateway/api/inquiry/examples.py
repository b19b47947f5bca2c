"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID, STAFF_ID

CHECK: dict[str, Any] = {
    "item_id": "3c9b1a52-7d1f-4b0e-8a6d-5f0b9a7c2e44",
    "text": "بازدید از محل",
    "done": True,
    "done_by": STAFF_ID,
    "done_at": "2026-12-02T09:00:00Z",
}
REMINDER: dict[str, Any] = {"staff": STAFF_ID, "on": "2026-12-10", "text": "پیگیری پاسخ استعلام", "said": False}
LINKED: dict[str, Any] = {"case_id": CASE_ID, "number": "1405-000122", "stage": "decided"}

CONSULTATION: dict[str, Any] = {
    "consultation_id": "5e0b9a7c-2e44-4c9b-9a52-7d1f8b0e8a6d",
    "colleague": STAFF_ID,
    "colleague_name": "بازرس دو",
    "asked_by": STAFF_ID,
    "asked_by_name": "بازرس یک",
    "text": "در پرونده مشابه چه کردید؟",
    "asked_at": "2026-12-02T09:00:00Z",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "CheckItem": CHECK,
    "Consultation": CONSULTATION,
    "LinkedCase": LINKED,
    "Reminder": REMINDER,
}
