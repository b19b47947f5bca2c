"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID, STAFF_ID

_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
PACKAGED_FILE: dict[str, Any] = {"name": "letter.pdf", "size": 40112, "sha256": _HASH}
PACKAGE: dict[str, Any] = {"sha256": _HASH, "size": 512034, "made_at": "2026-11-23T08:30:00Z"}
REFERRAL_ANSWER: dict[str, Any] = {
    "answer_id": "8b1f4b1e-7d35-4a80-9b6e-51d0c3a7e842",
    "answered_on": "2026-11-24",
    "number": "۱۴۰۵/۸۸۱",
    "outcome": "accepted",
    "text": "پرونده پذیرفته شد و رسیدگی آغاز شده است.",
    "recorded_by": STAFF_ID,
    "recorded_by_name": "مدیر بازرسی",
    "recorded_at": "2026-11-24T09:00:00Z",
}
REFERRAL: dict[str, Any] = {
    "referral_id": "5f0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11",
    "case_id": CASE_ID,
    "case_number": "1405-000123",
    "body": "inspection_organisation",
    "body_name_fa": "سازمان بازرسی کل کشور، استان قزوین",
    "body_name_en": "General Inspection Organisation, Qazvin Province",
    "key_fingerprint": _HASH,
    "identity": False,
    "consented_by": None,
    "consented_by_name": None,
    "reason": "رسیدگی به آن در صلاحیت آن سازمان است.",
    "contents": [PACKAGED_FILE],
    "packages": [PACKAGE],
    "made_by": STAFF_ID,
    "made_by_name": "مدیر بازرسی",
    "made_at": "2026-11-23T08:30:00Z",
    "answers": [REFERRAL_ANSWER],
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "PackagedFile": PACKAGED_FILE,
    "Package": PACKAGE,
    "ReferralAnswer": REFERRAL_ANSWER,
    "Referral": REFERRAL,
    "Referrals": {"items": [REFERRAL], "next": None},
}
