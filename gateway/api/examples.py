"""A true example for each schema that is not ours to annotate: the answers of services, and what stands in them."""

from __future__ import annotations

from typing import Any

_CASE_ID = "0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11"
_STAFF_ID = "b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21"
_QUESTION_ID = "3c9b1a52-7d1f-4b0e-8a6d-5f0b9a7c2e44"
_MEDIA_ID = "kq3v9mZ2Jt6xB1sYw8Rd0A"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

_ATTACHMENT: dict[str, Any] = {
    "media_id": _MEDIA_ID,
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
_OWN_ATTACHMENT: dict[str, Any] = {**_ATTACHMENT, "file_name": "IMG_20261123.jpg", "reason_text": None}
_ENTRY: dict[str, Any] = {
    "sequence": 1,
    "at": "2026-11-23T08:30:00Z",
    "entry": "opened",
    "by": "you",
    "stage": "registered",
    "text": None,
    "at_text": "۲ آذر ۱۴۰۵، ساعت ۱۲:۰۰",
    "stage_text": "ثبت شد",
    "outcome": None,
    "outcome_text": None,
}
_JOINED: dict[str, Any] = {
    "outcome": "upheld",
    "decided_at": "2026-12-06T09:00:00Z",
    "final": False,
    "outcome_text": "وارد",
    "decided_text": "۱۵ آذر ۱۴۰۵، ساعت ۱۲:۳۰",
}
_DECISION: dict[str, Any] = {
    "outcome": "upheld",
    "reasons": "تأخیر بیش از مهلت قانونی بوده است.",
    "decided_at": "2026-12-06T09:00:00Z",
    "final": False,
    "objection_until": "2026-12-20",
}
_DECISION_VIEW: dict[str, Any] = {
    **_DECISION,
    "outcome_text": "وارد",
    "decided_text": "۱۵ آذر ۱۴۰۵، ساعت ۱۲:۳۰",
    "objection_until_text": "۲۹ آذر ۱۴۰۵",
}
_OPEN_QUESTION: dict[str, Any] = {
    "question_id": _QUESTION_ID,
    "text": "تاریخ مراجعه شما چه روزی بود؟",
    "asked_at": "2026-11-25T07:00:00Z",
}
_VISIT: dict[str, Any] = {
    "visit_id": "4d0f5a3c-8c0e-4c43-9a2b-1b7e5d0f9c21",
    "state": "booked",
    "asked_at": "2026-11-23T08:30:00Z",
    "slot_id": "6e1f5a3c-8c0e-4c43-9a2b-1b7e5d0f9c22",
    "starts_at": "2026-12-05T05:30:00Z",
    "ends_at": "2026-12-05T06:00:00Z",
    "place_fa": "ساختمان بازرسی، اتاق ۱",
    "place_en": "Inspection building, room 1",
}
_VISIT_VIEW: dict[str, Any] = {
    **_VISIT,
    "state_text": "وقت گرفته شد",
    "starts_text": "۱۴ آذر ۱۴۰۵، ساعت ۰۹:۰۰",
    "place": "ساختمان بازرسی، اتاق ۱",
}
_STAFF_VISIT: dict[str, Any] = {**_VISIT, "inspector": _STAFF_ID, "offered": []}
_OFFERED: dict[str, Any] = {
    **{name: _VISIT[name] for name in ("slot_id", "starts_at", "ends_at", "place_fa", "place_en")},
    "free": 1,
    "starts_text": "۱۴ آذر ۱۴۰۵، ساعت ۰۹:۰۰",
    "place": "ساختمان بازرسی، اتاق ۱",
}
_ROOM: dict[str, Any] = {
    "room_id": "4f4b1c0e-6f0e-4b1a-9d38-2f1c5f3f8a12",
    "name_fa": "ساختمان بازرسی، اتاق ۱",
    "name_en": "Inspection building, room 1",
    "active": True,
}
_SLOT_CASE: dict[str, Any] = {"case_id": _CASE_ID, "number": "1405-000123", "state": "booked"}
_SLOT: dict[str, Any] = {
    **{name: _VISIT[name] for name in ("slot_id", "starts_at", "ends_at", "place_fa", "place_en")},
    "room_id": _ROOM["room_id"],
    "inspector": _STAFF_ID,
    "capacity": 1,
    "taken": 1,
    "closed": False,
    "cases": [_SLOT_CASE],
}
_FILED_TEXT: dict[str, Any] = {
    "text": "پرونده پایان کار من یک ماه است که بی‌پاسخ مانده است.",
    "answers": {"since": "2026-10-23", "file_number": "1405-1234"},
    "happened_on": "2026-11-20",
    "address": "خیابان فلسطین",
    "reference": None,
    "people": [],
    "happened_text": "۲۹ آبان ۱۴۰۵",
}
_CASE: dict[str, Any] = {
    "case_id": _CASE_ID,
    "kind": "criticism",
    "stage": "awaiting_citizen",
    "unit_name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "unit_name_en": "Building Permits Office",
    "ground": "delay",
    "filed_at": "2026-11-23T08:30:00Z",
    "filed": _FILED_TEXT,
    "expected_on": None,
    "question": _OPEN_QUESTION,
    "decision": None,
    "refusal_reason": None,
    "refusal_name_fa": None,
    "refusal_name_en": None,
    "refusal_explanation": None,
    "refusal_address": None,
    "joined": None,
    "joined_refusal": None,
    "score": None,
    "can": ["answer_question", "withdraw"],
    "visits": [_VISIT_VIEW],
    "visit_can": ["move_visit", "cancel_visit"],
    "attachments": [_OWN_ATTACHMENT],
    "evidence_left": 49,
    "timeline": [_ENTRY],
    "version": 4,
    "kind_text": "انتقاد",
    "stage_text": "در انتظار پاسخ شما",
    "unit_name": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "ground_name": "اطاله رسیدگی",
    "filed_text": "۲ آذر ۱۴۰۵، ساعت ۱۲:۰۰",
    "expected_text": None,
    "refusal_text": None,
}
_OWN_CASE: dict[str, Any] = {
    "case_id": _CASE_ID,
    "kind": "complaint",
    "stage": "investigating",
    "unit_name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "unit_name_en": "Building Permits Office",
    "filed_at": "2026-11-23T08:30:00Z",
    "expected_on": "2026-12-15",
    "kind_text": "شکایت",
    "stage_text": "در دست بازرس",
    "unit_name": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "filed_text": "۲ آذر ۱۴۰۵، ساعت ۱۲:۰۰",
    "expected_text": "۲۴ آذر ۱۴۰۵",
}
_LINE: dict[str, Any] = {
    "case_id": _CASE_ID,
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
    "handler": None,
    "outcome": None,
    "excerpt": "پرونده پایان کار من یک ماه است که بی‌پاسخ مانده است.",
    "version": 2,
    "group_members": None,
}
_CHECK: dict[str, Any] = {
    "item_id": "3c9b1a52-7d1f-4b0e-8a6d-5f0b9a7c2e44",
    "text": "بازدید از محل",
    "done": True,
    "done_by": _STAFF_ID,
    "done_at": "2026-12-02T09:00:00Z",
}
_REMINDER: dict[str, Any] = {"staff": _STAFF_ID, "on": "2026-12-10", "text": "پیگیری پاسخ استعلام", "said": False}
_LINKED: dict[str, Any] = {"case_id": _CASE_ID, "number": "1405-000122", "stage": "decided"}
_FOLLOWED: dict[str, Any] = {
    "recommendation_id": "5b0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11",
    "case_id": _CASE_ID,
    "number": "1405-000123",
    "unit": "dep.urb.permits",
    "text": "زمان هر مرحله به شهروند اعلام شود.",
    "due_on": "2027-01-20",
    "state": "reported_done",
    "reason": "زمان هر مرحله از این هفته پیامک می‌شود.",
    "reported_at": "2026-12-20T08:00:00Z",
    "settled_at": None,
}
_RECOMMENDATION: dict[str, Any] = {"text": "زمان هر مرحله به شهروند اعلام شود.", "due_on": "2027-01-20"}
_CASE_QUESTION: dict[str, Any] = {
    "question_id": _QUESTION_ID,
    "unit": "dep.urb.permits",
    "text": "علت تأخیر در این پرونده چیست؟",
    "asked_at": "2026-11-26T07:00:00Z",
    "due_on": "2026-12-05",
    "answer": None,
    "answered_at": None,
    "media": [],
}
_STAFF_ENTRY: dict[str, Any] = {
    "sequence": 1,
    "at": "2026-11-23T08:30:00Z",
    "entry": "opened",
    "actor_kind": "citizen",
    "actor_id": None,
    "stage": "registered",
    "details": {},
    "hash": _HASH,
}
_PLACE: dict[str, Any] = {"latitude": 36.27, "longitude": 50.0, "address": "خیابان فلسطین"}
_CONSENT: dict[str, Any] = {
    "form": "recorded_call",
    "to": ["filing", "sms"],
    "recorded_by": _STAFF_ID,
    "recorded_at": "2026-11-23T08:30:00Z",
}
_NAMED: dict[str, Any] = {"code": "process", "name_fa": "فرایند", "name_en": "Process"}
_GROUP: dict[str, Any] = {"members": 12, "common": "ساکنان یک کوچه که آسفالت آن کنده شده است."}
_GROUP_MEMBER: dict[str, Any] = {"name": "همسایه نمونه", "mobile": "+989351234567"}
_STAFF_CASE: dict[str, Any] = {
    "case_id": _CASE_ID,
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
    "text": "پرونده پایان کار من یک ماه است که بی‌پاسخ مانده است.",
    "happened_on": "2026-11-20",
    "place": _PLACE,
    "reference": None,
    "people": [],
    "visit_wanted": False,
    "urgent": False,
    "anonymous": False,
    "channel": "phone",
    "language": "fa",
    "filed_at": "2026-11-23T08:30:00Z",
    "expected_on": "2026-12-15",
    "handler": _STAFF_ID,
    "decision": _DECISION,
    "root_causes": ["process"],
    "recommendations": [_RECOMMENDATION],
    "merged_into": None,
    "score": None,
    "questions": [_CASE_QUESTION],
    "attachments": [_ATTACHMENT],
    "visits": [_STAFF_VISIT],
    "timeline": [_STAFF_ENTRY],
    "proposal": None,
    "followed": [_FOLLOWED],
    "checklist": [_CHECK],
    "reminders": [_REMINDER],
    "linked": [_LINKED],
    "consent": _CONSENT,
    "group": _GROUP,
    "refusal": None,
    "root_cause_names": [_NAMED],
}
_PROPOSAL: dict[str, Any] = {
    "outcome": "upheld",
    "reasons": "تأخیر بیش از مهلت قانونی بوده است.",
    "root_causes": ["process"],
    "recommendations": [_RECOMMENDATION],
    "by": _STAFF_ID,
    "at": "2026-12-05T09:00:00Z",
}
_UNIT_QUESTION: dict[str, Any] = {
    "question_id": _QUESTION_ID,
    "unit": "dep.urb.permits",
    "text": "علت تأخیر در این پرونده چیست؟",
    "asked_at": "2026-11-26T07:00:00Z",
    "due_on": "2026-12-05",
    "answer": "پرونده منتظر استعلام است و این هفته تمام می‌شود.",
    "answered_at": "2026-11-29T10:15:00Z",
    "media": [_ATTACHMENT],
}
_MESSAGE: dict[str, Any] = {
    "id": "5b0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11",
    "case_id": _CASE_ID,
    "case_number": None,
    "template": "citizen_asked",
    "text": "بازرس پرسشی از شما دارد.",
    "at": "2026-11-25T07:00:01Z",
    "read": False,
}
_MEMBER: dict[str, Any] = {
    "staff_id": _STAFF_ID,
    "display_name": "بازرس نمونه",
    "roles": ["inspector"],
    "unit": "mayor.insp",
    "active": True,
}
_OPTION: dict[str, Any] = {"value": "ignored", "name_fa": "بی‌اعتنایی", "name_en": "Being ignored"}
_QUESTION: dict[str, Any] = {
    "code": "what",
    "type": "choice",
    "name_fa": "چه شد؟",
    "name_en": "What happened?",
    "required": False,
    "options": [_OPTION],
}
_CONDITION: dict[str, Any] = {"question": "what", "values": ["ignored"]}
_CONDITIONAL: dict[str, Any] = {
    "code": "counter",
    "type": "text",
    "name_fa": "باجه",
    "name_en": "Counter",
    "required": True,
    "options": [],
    "when": _CONDITION,
}
_GROUND: dict[str, Any] = {
    "code": "conduct",
    "kinds": ["complaint", "criticism"],
    "name_fa": "رفتار نامناسب کارکنان",
    "name_en": "Staff conduct",
    "hint_fa": "روز، ساعت و باجه را بنویسید.",
    "hint_en": "",
    "questions": [_QUESTION, _CONDITIONAL],
}
_UNIT: dict[str, Any] = {
    "code": "dep.urb.permits",
    "parent": "dep.urb",
    "level": "office",
    "name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "name_en": "Building Permits Office",
    "active": True,
}
_REASON: dict[str, Any] = {
    "code": "outside_remit",
    "name_fa": "موضوع در صلاحیت شهرداری نیست",
    "name_en": "It is outside the municipality's remit",
    "address_fa": "سامانه ۱۱۱",
    "address_en": "The 111 line",
    "active": True,
}
_CAUSE: dict[str, Any] = {"code": "process", "name_fa": "فرایند", "name_en": "Process", "active": True}
_TEMPLATE: dict[str, Any] = {
    "code": "delay_upheld",
    "kind": "complaint",
    "ground": "delay",
    "text_fa": "شکایت شما وارد است.",
    "text_en": "Your complaint is upheld.",
}
_DEADLINE: dict[str, Any] = {"kind": "information", "ground": None, "urgent": None, "step": "decision", "days": 30}
_RETENTION: dict[str, Any] = {
    "kind": "information",
    "outcome": None,
    "identity_months": 12,
    "evidence_months": 24,
    "text_months": None,
}
_FORM: dict[str, Any] = {
    "version": 3,
    "units": [_UNIT],
    "grounds": [_GROUND],
    "holidays": ["2027-03-21"],
    "weekend": [3, 4],
}
_CONFIGURATION: dict[str, Any] = {
    **_FORM,
    "deadlines": [_DEADLINE],
    "refusal_reasons": [_REASON],
    "root_causes": [_CAUSE],
    "answer_templates": [_TEMPLATE],
    "four_eyes": ["complaint"],
    "auto_close_days": 10,
    "retention": [_RETENTION],
}
_CONFIGURATION_CHANGE: dict[str, Any] = {
    "id": 12,
    "at": "2026-11-24T08:30:00Z",
    "by": _STAFF_ID,
    "what": "units",
    "code": "dep.urb.permits",
    "before": {**_UNIT, "name_en": "Permits Office"},
    "after": _UNIT,
    "version": 3,
}
_ACCOUNT: dict[str, Any] = {**_MEMBER, "username": "inspector-1", "version": 2}
_STAFF_CHANGE: dict[str, Any] = {
    "id": 7,
    "at": "2026-11-24T08:30:00Z",
    "by": "b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e22",
    "staff_id": _STAFF_ID,
    "action": "changed",
    "before": {**_ACCOUNT, "roles": ["screener"], "version": 1},
    "after": _ACCOUNT,
}
_REQUESTED_STAFF_CHANGE: dict[str, Any] = {
    "change_id": "4d1f0c7a-2b9e-4c55-8f0e-6a1d2c3b4e5f",
    "number": 3,
    "action": "change",
    "state": "pending",
    "staff_id": _STAFF_ID,
    "before": _ACCOUNT,
    "after": {**_ACCOUNT, "roles": ["head"], "version": 4},
    "new_credentials": True,
    "asked_by": "b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e22",
    "asked_at": "2026-11-24T08:30:00Z",
    "expires_at": "2026-12-01T08:30:00Z",
    "decided_by": None,
    "decided_at": None,
    "outdated": False,
    "actions": ["confirm", "deny"],
}
_CONFIRMED_STAFF_CHANGE: dict[str, Any] = {
    **_REQUESTED_STAFF_CHANGE,
    "state": "confirmed",
    "decided_by": "b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e23",
    "decided_at": "2026-11-24T09:10:00Z",
    "actions": [],
}
_TEXT_FA, _TEXT_EN = "{kind} شما پذیرفته نشد: {reason}.", "Your {kind} was not accepted. {reason}."
_NOTIFICATION_TEXT: dict[str, Any] = {
    "channel": "inbox",
    "name": "refused",
    "text_fa": "{kind} شما پذیرفته نشد. دلیل: {reason}",
    "text_en": "Your {kind} was not accepted, since: {reason}",
    "values": ["kind", "office", "reason"],
    "changed": True,
    "shipped_fa": _TEXT_FA,
    "shipped_en": _TEXT_EN,
    "approved": False,
    "fixed": False,
    "version": 1,
}
_TEXT_CHANGE: dict[str, Any] = {
    "id": 4,
    "at": "2026-11-24T08:30:00Z",
    "by": _STAFF_ID,
    "channel": "inbox",
    "name": "refused",
    "before_fa": None,
    "before_en": None,
    "after_fa": "{kind} شما پذیرفته نشد. دلیل: {reason}",
    "after_en": "Your {kind} was not accepted, since: {reason}",
}
_IDENTITY: dict[str, Any] = {"name": "شاکی نمونه", "national_id": None, "mobile": "+989121234567"}
_IDENTITY_REQUEST: dict[str, Any] = {
    "request_id": "2c9f4b1e-7d35-4a80-9b6e-51d0c3a7e842",
    "case_id": _CASE_ID,
    "kind": "complaint",
    "asked_by": _STAFF_ID,
    "asked_at": "2026-11-24T08:30:00Z",
    "reason": "برای دعوت به جلسه رسیدگی",
    "minutes": 60,
    "state": "waiting",
    "decided_by": None,
    "decided_at": None,
    "answer": None,
    "open_until": None,
}
_RECEIPT: dict[str, Any] = {
    "payload": f'{{"content_hash":"{_HASH}","filed_at":"2026-11-23T08:30:00Z","kind":"criticism",'
    f'"submission_id":"{_CASE_ID}"}}',
    "signature": "V6hG2tqk0pWlq7V2v7Y0m3a0jH4m1o6mZ4JbYw8Rd0Akq3v9mZ2Jt6xB1sYw8Rd0Akq3v9mZ2Jt6xB1sYw8Rd==",
    "key": "6f1ed002ab559585",
}
_VISIT_FIGURES: dict[str, Any] = {"asked": 20, "held": 10, "avoided": 5, "cancelled": None, "no_show": 0}
_VISIT_CELL: dict[str, Any] = {"key": ["1405-09"], **_VISIT_FIGURES}
_CELL: dict[str, Any] = {"key": ["complaint"], "count": 35}

_SUGGESTION: dict[str, Any] = {"value": "delay", "share": 0.82, "of": 12, "words": ["پروانه", "استعلام"]}
_SIMILAR: dict[str, Any] = {
    "case_id": _CASE_ID,
    "number": "1405-000122",
    "stage": "investigating",
    "unit": "dep.urb.permits",
    "ground": "delay",
    "filed_at": "2026-11-22T08:30:00Z",
    "excerpt": "پرونده پایان کار من بی‌پاسخ مانده است.",
    "similarity": 0.64,
    "same": ["unit", "ground"],
}
_ASSIGNED: dict[str, Any] = {"case_id": _CASE_ID, "handler": _STAFF_ID, "version": 3, "error": None}
_SKILLS: dict[str, Any] = {"inspector": _STAFF_ID, "grounds": ["delay"], "open_cases": 4}

EXAMPLES: dict[str, dict[str, Any]] = {
    "StaffCredentials": {
        "member": _ACCOUNT,
        "password": "k7Qm-4vRt-9xWd-2bNs",
        "totp_secret": "JBSWY3DPEHPK3PXP",
        "totp_address": "otpauth://totp/Peygir:inspector-1?secret=JBSWY3DPEHPK3PXP&issuer=Peygir",
    },
    "RequestedStaffChange": _REQUESTED_STAFF_CHANGE,
    "StaffChanges": {"items": [_REQUESTED_STAFF_CHANGE], "next": None},
    "StaffChangeAsked": {
        "change": {**_REQUESTED_STAFF_CHANGE, "actions": ["cancel"]},
        "password": "k7Qm-4vRt-9xWd-2bNs",
    },
    "StaffChangeConfirmed": {
        "change": _CONFIRMED_STAFF_CHANGE,
        "member": _CONFIRMED_STAFF_CHANGE["after"],
        "totp_secret": "JBSWY3DPEHPK3PXP",
        "totp_address": "otpauth://totp/Peygir:inspector-1?secret=JBSWY3DPEHPK3PXP&issuer=Peygir",
    },
    "StaffLists": {
        "refusal_reasons": [_REASON],
        "root_causes": [_CAUSE],
        "answer_templates": [_TEMPLATE],
    },
    "StaffHistory": {"items": [_STAFF_CHANGE], "next": None},
    "StaffChange": _STAFF_CHANGE,
    "RetentionRule": _RETENTION,
    "NotificationTexts": {"items": [_NOTIFICATION_TEXT]},
    "NotificationTextHistory": {"items": [_TEXT_CHANGE], "next": None},
    "NotificationTextChange": _TEXT_CHANGE,
    "NotificationText": _NOTIFICATION_TEXT,
    "ListedReason": _REASON,
    "ListedCause": _CAUSE,
    "DeadlineRule": _DEADLINE,
    "ConfigurationHistory": {"items": [_CONFIGURATION_CHANGE], "next": None},
    "ConfigurationChange": _CONFIGURATION_CHANGE,
    "Configuration": _CONFIGURATION,
    "Condition": _CONDITION,
    "AnswerTemplate": _TEMPLATE,
    "Assigned": {"items": [_ASSIGNED]},
    "AssignedCase": _ASSIGNED,
    "Attachment": _ATTACHMENT,
    "AttachmentView": _OWN_ATTACHMENT,
    "CheckItem": _CHECK,
    "LinkedCase": _LINKED,
    "Reminder": _REMINDER,
    "InspectorSkills": _SKILLS,
    "SimilarCase": _SIMILAR,
    "Skills": {"items": [_SKILLS]},
    "Suggestion": _SUGGESTION,
    "Suggestions": {"unit": None, "ground": _SUGGESTION, "urgent": None, "similar": [_SIMILAR]},
    "CaseLine": _LINE,
    "CasePage": {"items": [_LINE], "next": None, "masked": False},
    "CaseQuestion": _CASE_QUESTION,
    "CaseView": _CASE,
    "FiledView": _FILED_TEXT,
    "Catalogue": _FORM,
    "Cell": _CELL,
    "VisitCell": _VISIT_CELL,
    "VisitCounts": {"by": ["month"], "cells": [_VISIT_CELL], "totals": _VISIT_FIGURES, "until": None},
    "VisitFigures": _VISIT_FIGURES,
    "Counts": {"by": ["kind"], "cells": [_CELL], "total": 35, "until": "2026-11-20"},
    "Consent": _CONSENT,
    "Decision": _DECISION,
    "DecisionView": _DECISION_VIEW,
    "EntryView": _ENTRY,
    "FieldProblem": {"field": "text", "reason": "string_too_short", "message": "At least 10 characters are needed."},
    "Filed": {
        "tracking_code": "4821 0937 5518 2604",
        "submission_id": _CASE_ID,
        "receipt": _RECEIPT,
        "stage": "registered",
        "stage_text": "ثبت شد",
        "next_steps": ["کد رهگیری را جایی یادداشت کنید؛ تنها راه پیگیری شماست."],
    },
    "Ground": _GROUND,
    "Identity": _IDENTITY,
    "IdentityRequest": _IDENTITY_REQUEST,
    "IdentityRequests": {"items": [_IDENTITY_REQUEST], "next": None},
    "IdentityBody": {"name": "شاکی نمونه", "national_id": "0012345679"},
    "Me": {
        "id": _STAFF_ID,
        "kind": "citizen",
        "name": None,
        "roles": [],
        "unit": None,
        "mobile": "4567",
    },
    "Message": _MESSAGE,
    "MessagePage": {"items": [_MESSAGE], "next": None},
    "OpenQuestion": _OPEN_QUESTION,
    "Group": _GROUP,
    "JoinedRefusalView": {
        "refusal_reason": "outside_remit",
        "refusal_name_fa": "موضوع در صلاحیت شهرداری نیست",
        "refusal_name_en": "It is outside the municipality's remit",
        "refusal_address": "شرکت آب و فاضلاب، تلفن ۱۲۲",
        "refused_at": "2026-12-01T06:15:00Z",
        "refusal_text": "موضوع در صلاحیت شهرداری نیست",
        "refused_text": "۱۰ آذر ۱۴۰۵، ساعت ۰۹:۴۵",
    },
    "JoinedView": _JOINED,
    "Named": _NAMED,
    "GroupMember": _GROUP_MEMBER,
    "OpenedIdentity": {"identity": _IDENTITY, "members": [_GROUP_MEMBER]},
    "Option": _OPTION,
    "OtpSent": {"resend_after": 60, "expires_in": 300, "otp_session": "vT3kq9mZ2Jt6xB1sYw8Rd0A2mZ5kq3v9"},
    "OfferedSlotView": _OFFERED,
    "OfferedSlotsView": {"items": [_OFFERED]},
    "OwnCaseView": _OWN_CASE,
    "OwnCasesView": {"items": [_OWN_CASE]},
    "Place": _PLACE,
    "PlaceBody": _PLACE,
    "Question": _QUESTION,
    "Receipt": _RECEIPT,
    "ReceiptKey": {"key": "6f1ed002ab559585", "public_key": _HASH},
    "ReceiptView": {"registered": True, "registered_at": "2026-11-23T08:30:01Z", "new_tracking_code": None},
    "FollowedRecommendation": _FOLLOWED,
    "Proposal": _PROPOSAL,
    "Recommendation": _RECOMMENDATION,
    "Recommendations": {"items": [_FOLLOWED]},
    "RecommendationBody": _RECOMMENDATION,
    "Registering": {"stage": "registering", "stage_text": "در حال ثبت"},
    "Revoked": {},
    "Room": _ROOM,
    "Rooms": {"items": [_ROOM]},
    "Slot": _SLOT,
    "SlotCase": _SLOT_CASE,
    "Slots": {"items": [_SLOT]},
    "StaffCase": _STAFF_CASE,
    "StaffEntry": _STAFF_ENTRY,
    "StaffList": {"items": [_MEMBER]},
    "StaffMember": _MEMBER,
    "StaffVisit": _STAFF_VISIT,
    "Tokens": {
        "access_token": "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwZjhmIn0.c2lnbmF0dXJl",
        "refresh_token": "9hXv0aG3Jt6xB1sYw8Rd0A2mZ5kq3v9mZ2Jt6xB1sYw8",
        "expires_in": 900,
        "token_type": "Bearer",
        "device_token": "d1.kq3v9mZ2Jt6xB1sY.1795680000.5b1f0c2a9d384e1b8f7f6f0e1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
    },
    "Unit": _UNIT,
    "UnitQuestion": _UNIT_QUESTION,
    "UnitQuestions": {"items": [_UNIT_QUESTION]},
    "VisitView": _VISIT_VIEW,
}

EXAMPLES.update(
    {
        "AnswerTemplate": {
            "code": "thanks",
            "kind": "criticism",
            "ground": None,
            "text_fa": "از پیشنهاد شما سپاسگزاریم.",
            "text_en": "Thank you for your suggestion.",
        },
        "Condition": {"question": "what", "values": ["ignored"]},
        "DeadlineRule": {"kind": "complaint", "ground": None, "urgent": None, "step": "decision", "days": 15},
        "ListedCause": {"code": "process", "name_fa": "فرایند", "name_en": "Process", "active": True},
        "ListedReason": {
            "code": "outside_remit",
            "name_fa": "خارج از صلاحیت شهرداری",
            "name_en": "Outside the municipality's remit",
            "address_fa": "شرکت آب و فاضلاب، تلفن ۱۲۲",
            "address_en": "The water company, telephone 122",
            "active": True,
        },
        "RetentionRule": {"kind": "complaint", "outcome": None, "identity_months": 24, "evidence_months": 60},
    }
)

_FILTER: dict[str, Any] = {
    "number": [],
    "stage": ["investigating"],
    "kind": [],
    "unit": ["dep.urb"],
    "below": True,
    "ground": [],
    "handler": [],
    "outcome": [],
    "urgent": None,
    "filed_from": "2026-09-23",
    "filed_until": "2026-12-21",
    "filed_since": None,
    "filed_before": None,
    "decided_from": None,
    "decided_until": None,
    "due_from": None,
    "due_until": None,
    "attached": ["image"],
    "text": "پایان کار",
}
_SEARCH: dict[str, Any] = {
    "search_id": "2a6f0c1e-5d3b-4b1a-9d38-2f1c5f3f8a14",
    "name": "شهرسازی، در دست بررسی",
    "filters": _FILTER,
    "sort": "due_on",
    "shared_with": "inspector",
    "owner": _STAFF_ID,
    "own": True,
    "version": 1,
    "made_at": "2026-11-23T08:30:00Z",
    "changed_at": "2026-11-23T08:30:00Z",
}
_EXPORT: dict[str, Any] = {
    "export_id": "7c1d0c1e-5d3b-4b1a-9d38-2f1c5f3f8a15",
    "state": "running",
    "format": "xlsx",
    "language": "fa",
    "filters": _FILTER,
    "search": None,
    "rows_done": 500,
    "rows_total": 1240,
    "size": None,
    "error": None,
    "asked_at": "2026-11-23T08:30:00Z",
    "finished_at": None,
    "expires_at": None,
}
EXAMPLES.update(
    {
        "CaseCount": {"count": 12},
        "Filter": _FILTER,
        "Search": _SEARCH,
        "SearchPage": {"items": [_SEARCH], "next": None},
        "Export": _EXPORT,
        "ExportPage": {"items": [_EXPORT]},
    }
)
