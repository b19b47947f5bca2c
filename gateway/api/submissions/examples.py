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

ANSWERED: dict[str, Any] = {
    "code": "since",
    "question": "از چه روزی؟",
    "value": "2026-10-23",
    "value_text": "۱ آبان ۱۴۰۵",
}
PREVIEWED_PLACE: dict[str, Any] = {"latitude": 36.27, "longitude": 50.0, "address": "خیابان فلسطین"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "Filed": {
        "tracking_code": "4821 0937 5518 2604",
        "submission_id": CASE_ID,
        "receipt": RECEIPT,
        "stage": "registered",
        "stage_text": "ثبت شد",
        "next_steps": ["کد رهگیری را جایی یادداشت کنید؛ تنها راه پیگیری شماست."],
    },
    "AnsweredQuestion": ANSWERED,
    "PreviewedPlace": PREVIEWED_PLACE,
    "SubmissionPreview": {
        "kind": "criticism",
        "kind_text": "انتقاد",
        "unit": "dep.urb.permits",
        "unit_name": "اداره صدور پروانه",
        "unit_trail": ["شهرداری قزوین", "معاونت شهرسازی"],
        "ground": "delay",
        "ground_name": "اطاله رسیدگی",
        "handled_by": "بازرسی شهرداری قزوین",
        "elsewhere": None,
        "first_reading_days": 2,
        "decision_days": 15,
        "expected_on": "2026-12-15",
        "expected_text": "۲۴ آذر ۱۴۰۵",
        "anonymous": True,
        "name": None,
        "code_by_sms": False,
        "text": "پرونده پایان کار من یک ماه است که بی‌پاسخ مانده است.",
        "answers": [ANSWERED],
        "happened_on": "2026-11-20",
        "happened_text": "۲۹ آبان ۱۴۰۵",
        "place": PREVIEWED_PLACE,
        "reference": "1405-1234",
        "people": [],
        "visit_wanted": False,
        "uploads": [],
        "group_members": None,
        "next_steps": ["کد رهگیری را جایی یادداشت کنید؛ تنها راه پیگیری شماست."],
    },
    "IdentityBody": {"name": "شاکی نمونه", "national_id": "0012345679"},
    "PlaceBody": PLACE,
    "Receipt": RECEIPT,
    "ReceiptKey": {"key": "6f1ed002ab559585", "public_key": HASH},
    "ReceiptView": {"registered": True, "registered_at": "2026-11-23T08:30:01Z", "new_tracking_code": None},
}
