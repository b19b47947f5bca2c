"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.cases.examples import ATTACHMENT
from gateway.api.decisions.examples import DECISION
from gateway.api.examples import CASE_ID, QUESTION_ID
from gateway.api.visits.examples import VISIT_VIEW

OWN_ATTACHMENT: dict[str, Any] = {**ATTACHMENT, "file_name": "IMG_20261123.jpg", "reason_text": None}
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
    "happened_text": "۲۹ آبان ۱۴۰۵",
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
    "Registering": {"stage": "registering", "stage_text": "در حال ثبت"},
}
