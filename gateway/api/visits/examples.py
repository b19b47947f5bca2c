"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID, STAFF_ID

VISIT: dict[str, Any] = {
    "visit_id": "4d0f5a3c-8c0e-4c43-9a2b-1b7e5d0f9c21",
    "state": "booked",
    "asked_at": "2026-11-23T08:30:00Z",
    "slot_id": "6e1f5a3c-8c0e-4c43-9a2b-1b7e5d0f9c22",
    "starts_at": "2026-12-05T05:30:00Z",
    "ends_at": "2026-12-05T06:00:00Z",
    "place_fa": "ساختمان بازرسی، اتاق ۱",
    "place_en": "Inspection building, room 1",
}
VISIT_VIEW: dict[str, Any] = {
    **VISIT,
    "state_text": "وقت گرفته شد",
    "starts_text": "۱۴ آذر ۱۴۰۵، ساعت ۰۹:۰۰",
    "place": "ساختمان بازرسی، اتاق ۱",
}
STAFF_VISIT: dict[str, Any] = {**VISIT, "inspector": STAFF_ID, "offered": []}
OFFERED: dict[str, Any] = {
    **{name: VISIT[name] for name in ("slot_id", "starts_at", "ends_at", "place_fa", "place_en")},
    "free": 1,
    "starts_text": "۱۴ آذر ۱۴۰۵، ساعت ۰۹:۰۰",
    "place": "ساختمان بازرسی، اتاق ۱",
}
ROOM: dict[str, Any] = {
    "room_id": "4f4b1c0e-6f0e-4b1a-9d38-2f1c5f3f8a12",
    "name_fa": "ساختمان بازرسی، اتاق ۱",
    "name_en": "Inspection building, room 1",
    "active": True,
}
SLOT_CASE: dict[str, Any] = {"case_id": CASE_ID, "number": "1405-000123", "state": "booked"}
SLOT: dict[str, Any] = {
    **{name: VISIT[name] for name in ("slot_id", "starts_at", "ends_at", "place_fa", "place_en")},
    "room_id": ROOM["room_id"],
    "inspector": STAFF_ID,
    "capacity": 1,
    "taken": 1,
    "closed": False,
    "cases": [SLOT_CASE],
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "OfferedSlotView": OFFERED,
    "OfferedSlotsView": {"items": [OFFERED]},
    "Room": ROOM,
    "Rooms": {"items": [ROOM]},
    "Slot": SLOT,
    "SlotCase": SLOT_CASE,
    "Slots": {"items": [SLOT], "next": None},
    "StaffVisit": STAFF_VISIT,
    "VisitView": VISIT_VIEW,
}
