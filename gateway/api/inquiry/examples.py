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

EXAMPLES: dict[str, dict[str, Any]] = {
    "CheckItem": CHECK,
    "LinkedCase": LINKED,
    "Reminder": REMINDER,
}
