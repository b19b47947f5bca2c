"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import STAFF_ID

COLLEAGUE: dict[str, Any] = {
    "id": STAFF_ID,
    "name": "بازرس نمونه",
    "roles": ["inspector"],
    "unit": "inspection",
    "unit_name_fa": "اداره بازرسی",
    "unit_name_en": "Inspection Office",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "Colleague": COLLEAGUE,
    "Colleagues": {"items": [COLLEAGUE], "next": None},
}
