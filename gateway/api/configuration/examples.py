"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID, STAFF_ID

OPTION: dict[str, Any] = {"value": "ignored", "name_fa": "بی‌اعتنایی", "name_en": "Being ignored"}
QUESTION: dict[str, Any] = {
    "code": "what",
    "type": "choice",
    "name_fa": "چه شد؟",
    "name_en": "What happened?",
    "required": False,
    "options": [OPTION],
}
CONDITION: dict[str, Any] = {"question": "what", "values": ["ignored"]}
CONDITIONAL: dict[str, Any] = {
    "code": "counter",
    "type": "text",
    "name_fa": "باجه",
    "name_en": "Counter",
    "required": True,
    "options": [],
    "when": CONDITION,
}
GROUND: dict[str, Any] = {
    "code": "conduct",
    "kinds": ["complaint", "criticism"],
    "name_fa": "رفتار نامناسب کارکنان",
    "name_en": "Staff conduct",
    "hint_fa": "روز، ساعت و باجه را بنویسید.",
    "hint_en": "",
    "questions": [QUESTION, CONDITIONAL],
}
UNIT: dict[str, Any] = {
    "code": "dep.urb.permits",
    "parent": "dep.urb",
    "level": "office",
    "name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "name_en": "Building Permits Office",
    "active": True,
}
REASON: dict[str, Any] = {
    "code": "outside_remit",
    "name_fa": "موضوع در صلاحیت شهرداری نیست",
    "name_en": "It is outside the municipality's remit",
    "address_fa": "سامانه ۱۱۱",
    "address_en": "The 111 line",
    "active": True,
}
CAUSE: dict[str, Any] = {"code": "process", "name_fa": "فرایند", "name_en": "Process", "active": True}
TEMPLATE: dict[str, Any] = {
    "code": "delay_upheld",
    "kind": "complaint",
    "ground": "delay",
    "text_fa": "شکایت شما وارد است.",
    "text_en": "Your complaint is upheld.",
    "articles": ["municipality_100"],
}
ARTICLE: dict[str, Any] = {
    "code": "municipality_100",
    "title_fa": "قانون شهرداری",
    "title_en": "Municipality Act",
    "number": "۱۰۰",
    "text_fa": "مالکین اراضی باید قبل از هر اقدام عمرانی از شهرداری پروانه بگیرند.",
    "text_en": "",
    "valid_from": "1977-08-15",
    "valid_until": None,
}
OUTSIDE_BODY: dict[str, Any] = {
    "code": "inspection_organisation",
    "name_fa": "سازمان بازرسی کل کشور، استان قزوین",
    "name_en": "General Inspection Organisation, Qazvin Province",
    "age_key": "age103hxfpfsdnsgsenjntpdafc4dqpry7ls37pcuc65mq7ra39jfgfsqjzukx",
    "active": True,
}
DEADLINE: dict[str, Any] = {"kind": "information", "ground": None, "urgent": None, "step": "decision", "days": 30}
RETENTION: dict[str, Any] = {
    "kind": "information",
    "outcome": None,
    "identity_months": 12,
    "evidence_months": 24,
    "text_months": None,
}
EARLIER_DECISIONS: dict[str, Any] = {"before": "2026-11-24T08:30:00Z", "four_eyes": [], "auto_close_days": 15}
EARLIER_RETENTION: dict[str, Any] = {"before": "2026-11-24T08:30:00Z", "retention": []}
FORM: dict[str, Any] = {
    "version": 3,
    "units": [UNIT],
    "grounds": [GROUND],
    "holidays": ["2027-03-21"],
    "weekend": [3, 4],
}
CONFIGURATION: dict[str, Any] = {
    **FORM,
    "deadlines": [DEADLINE],
    "refusal_reasons": [REASON],
    "root_causes": [CAUSE],
    "answer_templates": [TEMPLATE],
    "articles": [ARTICLE],
    "four_eyes": ["complaint"],
    "auto_close_days": 10,
    "transfers_without_head": 2,
    "retention": [RETENTION],
    "earlier_decisions": [EARLIER_DECISIONS],
    "earlier_retention": [EARLIER_RETENTION],
    "open_case_rules": 1,
    "outside_bodies": [OUTSIDE_BODY],
}
CONFIGURATION_CHANGE: dict[str, Any] = {
    "id": 12,
    "at": "2026-11-24T08:30:00Z",
    "by": STAFF_ID,
    "what": "units",
    "code": "dep.urb.permits",
    "before": {**UNIT, "name_en": "Permits Office"},
    "after": UNIT,
    "version": 3,
}

MOVED: dict[str, Any] = {"step": "decision", "working_days": -5, "cases": 12, "late_at_once": 3}
MOVED_CASE: dict[str, Any] = {
    "case_id": CASE_ID,
    "number": "1405-000123",
    "kind": "complaint",
    "due_on": "2026-12-14",
    "due_on_after": "2026-12-07",
    "late_at_once": False,
}
DUE_ERASURE: dict[str, Any] = {"part": "identity", "cases": 4, "before": 1}

EXAMPLES: dict[str, dict[str, Any]] = {
    "OutsideBody": OUTSIDE_BODY,
    "RetentionRule": {"kind": "complaint", "outcome": None, "identity_months": 24, "evidence_months": 60},
    "ListedReason": {
        "code": "outside_remit",
        "name_fa": "خارج از صلاحیت شهرداری",
        "name_en": "Outside the municipality's remit",
        "address_fa": "شرکت آب و فاضلاب، تلفن ۱۲۲",
        "address_en": "The water company, telephone 122",
        "active": True,
    },
    "ListedCause": {"code": "process", "name_fa": "فرایند", "name_en": "Process", "active": True},
    "DeadlineRule": {"kind": "complaint", "ground": None, "urgent": None, "step": "decision", "days": 15},
    "ConfigurationHistory": {"items": [CONFIGURATION_CHANGE], "next": None},
    "ConfigurationChange": CONFIGURATION_CHANGE,
    "Configuration": CONFIGURATION,
    "Condition": {"question": "what", "values": ["ignored"]},
    "RulesPreview": {
        "open_cases": 40,
        "moved": 12,
        "late_at_once": 3,
        "by": [MOVED],
        "approvals_added": 0,
        "approvals_dropped": 0,
        "closed_at_once": 0,
        "erased": [DUE_ERASURE],
        "items": [MOVED_CASE],
        "next": None,
    },
    "MovedDays": MOVED,
    "MovedCase": MOVED_CASE,
    "DueErasure": DUE_ERASURE,
    "Article": ARTICLE,
    "EarlierDecisionRules": EARLIER_DECISIONS,
    "EarlierRetention": EARLIER_RETENTION,
    "AnswerTemplate": {
        "code": "thanks",
        "kind": "criticism",
        "ground": None,
        "text_fa": "از پیشنهاد شما سپاسگزاریم.",
        "text_en": "Thank you for your suggestion.",
        "articles": [],
    },
    "Ground": GROUND,
    "Option": OPTION,
    "Question": QUESTION,
    "Unit": UNIT,
}
