"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.decisions.examples import DECISION, FOLLOWED, RECOMMENDATION
from gateway.api.examples import CASE_ID, HASH, MEDIA_ID, QUESTION_ID, STAFF_ID
from gateway.api.inquiry.examples import CHECK, LINKED, REMINDER
from gateway.api.staff.examples import MEMBER
from gateway.api.visits.examples import STAFF_VISIT

QUESTION_ASKED: dict[str, Any] = {
    "code": "since",
    "type": "date",
    "name_fa": "از چه روزی؟",
    "name_en": "Since when?",
    "required": False,
    "options": [],
}
ATTACHMENT: dict[str, Any] = {
    "media_id": MEDIA_ID,
    "state": "accepted",
    "media_type": "image/jpeg",
    "size": 248133,
    "variants": ["evidence", "preview", "thumbnail"],
    "reason": None,
    "from_office": False,
    "number": 1,
    "file_name": "evidence-1.jpg",
    "notes": [],
}
LINE: dict[str, Any] = {
    "case_id": CASE_ID,
    "number": "1405-000123",
    "kind": "complaint",
    "stage": "screening",
    "unit": "dep.urb.permits",
    "unit_name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "ground": "delay",
    "urgent": False,
    "anonymous": False,
    "filed_at": "2026-11-23T08:30:00Z",
    "expected_on": "2026-12-15",
    "excerpt": "پرونده پایان کار من یک ماه است که بی‌پاسخ مانده است.",
    "version": 2,
    "last_activity": "2026-11-24T06:10:00Z",
    "attachments": 1,
    "unread": True,
    "warn_on": "2026-12-09",
    "days_left": 9,
}
CASE_QUESTION: dict[str, Any] = {
    "question_id": QUESTION_ID,
    "unit": "dep.urb.permits",
    "text": "علت تأخیر در این پرونده چیست؟",
    "asked_at": "2026-11-26T07:00:00Z",
    "due_on": "2026-12-05",
    "answer": None,
    "answered_at": None,
    "media": [],
}
STAFF_ENTRY: dict[str, Any] = {
    "sequence": 1,
    "at": "2026-11-23T08:30:00Z",
    "entry": "opened",
    "actor_kind": "citizen",
    "actor_id": None,
    "actor_name": None,
    "stage": "registered",
    "details": {},
    "names": {},
    "hash": HASH,
}
PLACE: dict[str, Any] = {"latitude": 36.27, "longitude": 50.0, "address": "خیابان فلسطین"}
CONSENT: dict[str, Any] = {
    "form": "recorded_call",
    "to": ["filing", "sms"],
    "recorded_by": STAFF_ID,
    "recorded_at": "2026-11-23T08:30:00Z",
}
MERGED: dict[str, Any] = {
    "case_id": "7d3c9a0e-0f6b-4b43-8d53-5a2c1b9d2f10",
    "number": "1405-000124",
    "kind": "complaint",
    "unit": "dep.urb.permits",
    "unit_name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "unit_name_en": "Building Permits Office",
    "ground": "delay",
    "filed_at": "2026-11-24T08:30:00Z",
    "text": "پرونده من هم در همین اداره مانده است.",
    "answers": {},
    "happened_on": None,
    "place": None,
    "reference": None,
    "people": [],
    "visit_wanted": True,
    "answered_questions": [],
    "attachments": [ATTACHMENT],
    "visits": [],
}
NAMED: dict[str, Any] = {"code": "process", "name_fa": "فرایند", "name_en": "Process"}
GROUP: dict[str, Any] = {"members": 12, "common": "ساکنان یک کوچه که آسفالت آن کنده شده است."}
STAFF_CASE: dict[str, Any] = {
    "case_id": CASE_ID,
    "number": "1405-000123",
    "version": 6,
    "kind": "complaint",
    "stage": "decided",
    "unit": "dep.urb.permits",
    "unit_asked": "dep.urb.permits",
    "unit_name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "unit_name_en": "Building Permits Office",
    "ground": "delay",
    "answers": {"since": "2026-10-23"},
    "answered_questions": [QUESTION_ASKED],
    "text": "پرونده پایان کار من یک ماه است که بی‌پاسخ مانده است.",
    "happened_on": "2026-11-20",
    "place": PLACE,
    "reference": None,
    "people": [],
    "visit_wanted": False,
    "urgent": False,
    "anonymous": False,
    "channel": "phone",
    "language": "fa",
    "filed_at": "2026-11-23T08:30:00Z",
    "expected_on": "2026-12-15",
    "handler": STAFF_ID,
    "handler_name": "بازرس نمونه",
    "decision": DECISION,
    "root_causes": ["process"],
    "recommendations": [RECOMMENDATION],
    "merged_into": None,
    "score": None,
    "questions": [CASE_QUESTION],
    "attachments": [ATTACHMENT],
    "visits": [STAFF_VISIT],
    "timeline": [STAFF_ENTRY],
    "closed_reason": None,
    "proposal": None,
    "followed": [FOLLOWED],
    "checklist": [CHECK],
    "reminders": [REMINDER],
    "linked": [LINKED],
    "merged_cases": [MERGED],
    "unit_has_liaison": True,
    "consent": CONSENT,
    "group": GROUP,
    "refusal": None,
    "root_cause_names": [NAMED],
    "co_handlers": [STAFF_ID],
    "consultations": [],
    "commands": [],
}

DEADLINE: dict[str, Any] = {
    "started_on": "2026-11-23",
    "started_text": "۲ آذر ۱۴۰۵",
    "days": 15,
    "due_on": "2026-12-15",
    "due_text": "۲۴ آذر ۱۴۰۵",
    "days_left": 9,
    "warn_on": "2026-12-09",
    "warn_text": "۱۸ آذر ۱۴۰۵",
    "past_mark": False,
    "overdue": False,
    "paused_on": None,
    "first_reading_on": None,
    "rule": "days",
    "rule_text": "۱۵ روز کاری برای شکایت",
}
ASKED: dict[str, Any] = {
    "question_id": QUESTION_ID,
    "to": "unit",
    "to_name": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "unit": "dep.urb.permits",
    "asked_at": "2026-11-26T07:00:00Z",
    "asked_text": "۵ آذر ۱۴۰۵، ساعت ۱۰:۳۰",
    "due_on": "2026-12-05",
    "due_text": "۱۴ آذر ۱۴۰۵",
}
COUNT: dict[str, Any] = {"name": "این هفته", "count": 12, "more": False, "error": None}

EXAMPLES: dict[str, dict[str, Any]] = {
    "CasePresence": {
        "items": [
            {"staff_id": "6f1d2c3b-4a59-4e68-8b77-9c8d7e6f5a4b", "name": "مریم رضایی", "state": "editing"},
        ],
        "renew_in": 20,
        "expires_in": 45,
    },
    "PresentStaff": {"staff_id": "6f1d2c3b-4a59-4e68-8b77-9c8d7e6f5a4b", "name": "مریم رضایی", "state": "editing"},
    "Attachment": ATTACHMENT,
    "CaseLine": LINE,
    "CasePage": {"items": [LINE], "next": None, "masked": False},
    "CaseQuestion": CASE_QUESTION,
    "Consent": CONSENT,
    "Group": GROUP,
    "MergedCase": MERGED,
    "Named": NAMED,
    "Place": PLACE,
    "StaffCase": STAFF_CASE,
    "StaffEntry": STAFF_ENTRY,
    "StaffList": {"items": [MEMBER]},
    "CaseCount": {"count": 12},
    "CaseDeadline": DEADLINE,
    "AskedQuestion": ASKED,
    "StaffDecision": DECISION,
    "CaseCounts": {"items": [COUNT]},
    "NamedCount": COUNT,
}
