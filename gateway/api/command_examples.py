"""Examples of commands as the answers show them, in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.decisions.examples import FOLLOWED
from gateway.api.examples import CASE_ID, QUESTION_ID
from gateway.api.unit_questions.examples import UNIT_QUESTION

CHOICE: dict[str, Any] = {"value": "upheld", "label": "وارد"}
CHOICES_FROM: dict[str, Any] = {"path": "/v1/articles", "items": "items", "value": "code"}
REQUIRED_WHEN: dict[str, Any] = {"field": "outcome", "values": ["partly_upheld", "upheld"]}
REASONS: dict[str, Any] = {
    "name": "reasons",
    "label": "دلایل برای شهروند",
    "kind": "text",
    "place": "body",
    "required": True,
    "min_length": 1,
    "max_length": 10_000,
}
OUTCOME: dict[str, Any] = {
    "name": "outcome",
    "label": "نتیجه",
    "kind": "choice",
    "place": "body",
    "required": True,
    "choices": [CHOICE],
}
DECIDE: dict[str, Any] = {
    "type": "decide",
    "label": "اعلام نتیجه",
    "possible": True,
    "method": "POST",
    "path": f"/v1/cases/{CASE_ID}/decision",
    "needs": [OUTCOME, REASONS],
    "next_stage": "decided",
    "next_stage_text": "نتیجه اعلام شد",
    "four_eyes": False,
}
ANSWER: dict[str, Any] = {
    "type": "answer_unit_question",
    "label": "پاسخ به پرسش بازرسی",
    "possible": True,
    "method": "POST",
    "path": f"/v1/unit-questions/{QUESTION_ID}/answer",
    "needs": [
        {"name": "text", "label": "متن", "kind": "text", "place": "body", "required": True, "max_length": 10_000}
    ],
    "four_eyes": False,
}
_QUESTION: dict[str, Any] = {**UNIT_QUESTION, "commands": [ANSWER]}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Choice": CHOICE,
    "ChoicesFrom": CHOICES_FROM,
    "RequiredWhen": REQUIRED_WHEN,
    "CommandField": OUTCOME,
    "Command": DECIDE,
    "ShownCommand": {"type": "report_recommendation", "possible": True},
    "UnitQuestionView": _QUESTION,
    "UnitQuestionsView": {"items": [_QUESTION]},
    "FollowedRecommendationView": FOLLOWED,
    "RecommendationsView": {"items": [FOLLOWED]},
}
