"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID, STAFF_ID

GROUP_MEMBER: dict[str, Any] = {"name": "همسایه نمونه", "mobile": "+989351234567"}
IDENTITY: dict[str, Any] = {"name": "شاکی نمونه", "national_id": None, "mobile": "+989121234567"}
IDENTITY_REQUEST: dict[str, Any] = {
    "request_id": "2c9f4b1e-7d35-4a80-9b6e-51d0c3a7e842",
    "case_id": CASE_ID,
    "kind": "complaint",
    "asked_by": STAFF_ID,
    "asked_by_name": "مدیر بازرسی",
    "asked_at": "2026-11-24T08:30:00Z",
    "reason": "برای دعوت به جلسه رسیدگی",
    "minutes": 60,
    "state": "waiting",
    "decided_by": None,
    "decided_at": None,
    "answer": None,
    "open_until": None,
    "number": "1405-000123",
    "stage": "investigating",
    "unit": "dep.urb.permits",
    "unit_name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "unit_name_en": "Building Permits Office",
    "for_head": False,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Identity": IDENTITY,
    "IdentityRequest": IDENTITY_REQUEST,
    "IdentityRequests": {"items": [IDENTITY_REQUEST], "next": None},
    "GroupMember": GROUP_MEMBER,
    "OpenedIdentity": {"identity": IDENTITY, "members": [GROUP_MEMBER]},
}
