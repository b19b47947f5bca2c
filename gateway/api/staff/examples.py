"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import STAFF_ID

MEMBER: dict[str, Any] = {
    "staff_id": STAFF_ID,
    "display_name": "بازرس نمونه",
    "roles": ["inspector"],
    "unit": "mayor.insp",
    "active": True,
}
ACCOUNT: dict[str, Any] = {**MEMBER, "username": "inspector-1", "version": 2}
STAFF_CHANGE: dict[str, Any] = {
    "id": 7,
    "at": "2026-11-24T08:30:00Z",
    "by": "b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e22",
    "by_name": "راهبر ۱",
    "staff_id": STAFF_ID,
    "action": "changed",
    "before": {**ACCOUNT, "roles": ["screener"], "version": 1},
    "after": ACCOUNT,
}
REQUESTED_STAFF_CHANGE: dict[str, Any] = {
    "change_id": "4d1f0c7a-2b9e-4c55-8f0e-6a1d2c3b4e5f",
    "number": 3,
    "action": "change",
    "state": "pending",
    "staff_id": STAFF_ID,
    "before": ACCOUNT,
    "after": {**ACCOUNT, "roles": ["head"], "version": 4},
    "new_credentials": True,
    "asked_by": "b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e22",
    "asked_by_name": "راهبر ۱",
    "asked_at": "2026-11-24T08:30:00Z",
    "expires_at": "2026-12-01T08:30:00Z",
    "decided_by": None,
    "decided_at": None,
    "outdated": False,
    "actions": ["confirm", "deny"],
}
CONFIRMED_STAFF_CHANGE: dict[str, Any] = {
    **REQUESTED_STAFF_CHANGE,
    "state": "confirmed",
    "decided_by": "b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e23",
    "decided_at": "2026-11-24T09:10:00Z",
    "actions": [],
}

LEAVE: dict[str, Any] = {
    "leave_id": "3f0a5e0e-5b9e-4b0b-8a53-6c2c1b9d2f11",
    "staff_id": "b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21",
    "staff_name": "بازرس ۱",
    "deputy": "b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e22",
    "deputy_name": "بازرس ۲",
    "starts_at": "2026-12-01T04:30:00Z",
    "ends_at": "2026-12-08T13:30:00Z",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "StaffCredentials": {
        "member": ACCOUNT,
        "password": "k7Qm-4vRt-9xWd-2bNs",
        "totp_secret": "JBSWY3DPEHPK3PXP",
        "totp_address": "otpauth://totp/Peygir:inspector-1?secret=JBSWY3DPEHPK3PXP&issuer=Peygir",
    },
    "RequestedStaffChange": REQUESTED_STAFF_CHANGE,
    "StaffChanges": {"items": [REQUESTED_STAFF_CHANGE], "next": None},
    "StaffChangeAsked": {
        "change": {**REQUESTED_STAFF_CHANGE, "actions": ["cancel"]},
        "password": "k7Qm-4vRt-9xWd-2bNs",
    },
    "StaffChangeConfirmed": {
        "change": CONFIRMED_STAFF_CHANGE,
        "member": CONFIRMED_STAFF_CHANGE["after"],
        "totp_secret": "JBSWY3DPEHPK3PXP",
        "totp_address": "otpauth://totp/Peygir:inspector-1?secret=JBSWY3DPEHPK3PXP&issuer=Peygir",
    },
    "Leave": LEAVE,
    "Leaves": {"items": [LEAVE], "next": None},
    "StaffHistory": {"items": [STAFF_CHANGE], "next": None},
    "StaffChange": STAFF_CHANGE,
    "StaffMember": MEMBER,
}
