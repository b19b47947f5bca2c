"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.cases.examples import ATTACHMENT
from gateway.api.decisions.examples import DECISION
from gateway.api.examples import CASE_ID, QUESTION_ID
from gateway.api.visits.examples import VISIT_VIEW

OWN_ATTACHMENT: dict[str, Any] = {
    **ATTACHMENT,
    "file_name": "IMG_20261123.jpg",
    "reason_text": None,
    "sent_at": "2026-11-23T08:30:00Z",
    "sent_text": "۲ آذر ۱۴۰۵، ساعت ۱۲:۰۰",
    "can_withdraw_until": "2026-11-23T09:30:00Z",
    "can_withdraw_until_text": "۲ آذر ۱۴۰۵، ساعت ۱۳:۰۰",
    "withdrawn_text": None,
}
ENTRY: dict[str, Any] = {
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
    "message_id": None,
    "uploads": [],
    "corrected_at": None,
    "withdrawn_at": None,
    "can_correct_until": None,
    "corrected_text": None,
    "withdrawn_text": None,
    "can_correct_until_text": None,
}
MERGED: dict[str, Any] = {
    "outcome": "upheld",
    "decided_at": "2026-12-06T09:00:00Z",
    "final": False,
    "outcome_text": "وارد",
    "decided_text": "۱۵ آذر ۱۴۰۵، ساعت ۱۲:۳۰",
}
DECISION_VIEW: dict[str, Any] = {
    **DECISION,
    "outcome_text": "وارد",
    "decided_text": "۱۵ آذر ۱۴۰۵، ساعت ۱۲:۳۰",
    "objection_until_text": "۲۹ آذر ۱۴۰۵",
}
OPEN_QUESTION: dict[str, Any] = {
    "question_id": QUESTION_ID,
    "text": "تاریخ مراجعه شما چه روزی بود؟",
    "asked_at": "2026-11-25T07:00:00Z",
}
FILED_TEXT: dict[str, Any] = {
    "text": "پرونده پایان کار من یک ماه است که بی‌پاسخ مانده است.",
    "answers": {"since": "2026-10-23", "file_number": "1405-1234"},
    "answered_questions": [],
    "happened_on": "2026-11-20",
    "address": "خیابان فلسطین",
    "reference": None,
    "people": [],
    "place": {"latitude": 36.27, "longitude": 50.0, "address": "خیابان فلسطین"},
    "visit_wanted": False,
    "group": None,
    "corrected_at": None,
    "can_correct_until": None,
    "happened_text": "۲۹ آبان ۱۴۰۵",
    "corrected_text": None,
    "can_correct_until_text": None,
}
CASE: dict[str, Any] = {
    "case_id": CASE_ID,
    "kind": "criticism",
    "stage": "awaiting_citizen",
    "unit_name_fa": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "unit_name_en": "Building Permits Office",
    "ground": "delay",
    "filed_at": "2026-11-23T08:30:00Z",
    "filed": FILED_TEXT,
    "expected_on": None,
    "question": OPEN_QUESTION,
    "decision": None,
    "refusal_reason": None,
    "refusal_name_fa": None,
    "refusal_name_en": None,
    "refusal_explanation": None,
    "refusal_address": None,
    "closed_reason": None,
    "answer_until": None,
    "joined": None,
    "joined_refusal": None,
    "score": None,
    "can": ["answer_question", "withdraw"],
    "visits": [VISIT_VIEW],
    "visit_can": ["move_visit", "cancel_visit"],
    "attachments": [OWN_ATTACHMENT],
    "evidence_left": 49,
    "messages_left": 50,
    "anonymous": False,
    "timeline": [ENTRY],
    "version": 4,
    "kind_text": "انتقاد",
    "stage_text": "در انتظار پاسخ شما",
    "unit_name": "اداره صدور پروانه و گواهی‌های ساختمانی",
    "ground_name": "اطاله رسیدگی",
    "filed_text": "۲ آذر ۱۴۰۵، ساعت ۱۲:۰۰",
    "expected_text": None,
    "refusal_text": None,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "AttachmentView": OWN_ATTACHMENT,
    "CaseView": CASE,
    "FiledView": FILED_TEXT,
    "DecisionView": DECISION_VIEW,
    "EntryView": ENTRY,
    "OpenQuestion": OPEN_QUESTION,
    "MergedRefusalView": {
        "refusal_reason": "outside_remit",
        "refusal_name_fa": "موضوع در صلاحیت شهرداری نیست",
        "refusal_name_en": "It is outside the municipality's remit",
        "refusal_address": "شرکت آب و فاضلاب، تلفن ۱۲۲",
        "refused_at": "2026-12-01T06:15:00Z",
        "refusal_text": "موضوع در صلاحیت شهرداری نیست",
        "refused_text": "۱۰ آذر ۱۴۰۵، ساعت ۰۹:۴۵",
    },
    "MergedOutcomeView": MERGED,
    "CodeOnItsWay": {"mobile": "4567"},
    "Registering": {"stage": "registering", "stage_text": "در حال ثبت"},
}
