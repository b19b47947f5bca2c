"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import STAFF_ID

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
}
DEADLINE: dict[str, Any] = {"kind": "information", "ground": None, "urgent": None, "step": "decision", "days": 30}
RETENTION: dict[str, Any] = {
    "kind": "information",
    "outcome": None,
    "identity_months": 12,
    "evidence_months": 24,
    "text_months": None,
}
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
    "four_eyes": ["complaint"],
    "auto_close_days": 10,
    "retention": [RETENTION],
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

EXAMPLES: dict[str, dict[str, Any]] = {
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
    "AnswerTemplate": {
        "code": "thanks",
        "kind": "criticism",
        "ground": None,
        "text_fa": "از پیشنهاد شما سپاسگزاریم.",
        "text_en": "Thank you for your suggestion.",
    },
    "Ground": GROUND,
    "Option": OPTION,
    "Question": QUESTION,
    "Unit": UNIT,
}
