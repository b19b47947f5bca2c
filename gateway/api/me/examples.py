"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import STAFF_ID

EXAMPLES: dict[str, dict[str, Any]] = {
    "DeletedAccountView": {
        "gone": "حساب شما، نشست‌های آن و پیوند آن با پرونده‌ها پاک شد.",
        "kept": ["پرونده‌هایی که ثبت کرده‌اید می‌ماند و رسیدگی به آنها ادامه دارد."],
    },
    "Me": {
        "id": STAFF_ID,
        "kind": "citizen",
        "name": None,
        "roles": [],
        "unit": None,
        "mobile": "4567",
    },
}
