"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.cases.examples import PLACE
from gateway.api.examples import CASE_ID, HASH

RECEIPT: dict[str, Any] = {
    "payload": f'{{"content_hash":"{HASH}","filed_at":"2026-11-23T08:30:00Z","kind":"criticism",'
    f'"submission_id":"{CASE_ID}"}}',
    "signature": "V6hG2tqk0pWlq7V2v7Y0m3a0jH4m1o6mZ4JbYw8Rd0Akq3v9mZ2Jt6xB1sYw8Rd0Akq3v9mZ2Jt6xB1sYw8Rd==",
    "key": "6f1ed002ab559585",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Filed": {
        "tracking_code": "4821 0937 5518 2604",
        "submission_id": CASE_ID,
        "receipt": RECEIPT,
        "stage": "registered",
        "stage_text": "ثبت شد",
        "next_steps": ["کد رهگیری را جایی یادداشت کنید؛ تنها راه پیگیری شماست."],
    },
    "IdentityBody": {"name": "شاکی نمونه", "national_id": "0012345679"},
    "PlaceBody": PLACE,
    "Receipt": RECEIPT,
    "ReceiptKey": {"key": "6f1ed002ab559585", "public_key": HASH},
    "ReceiptView": {"registered": True, "registered_at": "2026-11-23T08:30:01Z", "new_tracking_code": None},
}
