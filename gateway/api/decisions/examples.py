"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import CASE_ID, STAFF_ID

ARTICLE: dict[str, Any] = {
    "code": "municipality_100",
    "title_fa": "قانون شهرداری",
    "title_en": "Municipality Act",
    "number": "۱۰۰",
}
DECISION: dict[str, Any] = {
    "outcome": "upheld",
    "reasons": "تأخیر بیش از مهلت قانونی بوده است.",
    "decided_at": "2026-12-06T09:00:00Z",
    "final": False,
    "objection_until": "2026-12-20",
    "articles": [ARTICLE],
}
FOLLOWED: dict[str, Any] = {
    "recommendation_id": "5b0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11",
    "case_id": CASE_ID,
    "number": "1405-000123",
    "unit": "dep.urb.permits",
    "text": "زمان هر مرحله به شهروند اعلام شود.",
    "due_on": "2027-01-20",
    "state": "reported_done",
    "reason": "زمان هر مرحله از این هفته پیامک می‌شود.",
    "reported_at": "2026-12-20T08:00:00Z",
    "settled_at": None,
}
RECOMMENDATION: dict[str, Any] = {"text": "زمان هر مرحله به شهروند اعلام شود.", "due_on": "2027-01-20"}
PROPOSAL: dict[str, Any] = {
    "outcome": "upheld",
    "reasons": "تأخیر بیش از مهلت قانونی بوده است.",
    "root_causes": ["process"],
    "recommendations": [RECOMMENDATION],
    "articles": ["municipality_100"],
    "by": STAFF_ID,
    "at": "2026-12-05T09:00:00Z",
}
DECIDED_CASE: dict[str, Any] = {"case_id": CASE_ID, "result": "decided", "version": 5, "problem": None}

EXAMPLES: dict[str, dict[str, Any]] = {
    "CitedArticle": ARTICLE,
    "DecidedCase": DECIDED_CASE,
    "DecidedGroup": {"items": [DECIDED_CASE]},
    "Decision": DECISION,
    "FollowedRecommendation": FOLLOWED,
    "Proposal": PROPOSAL,
    "Recommendation": RECOMMENDATION,
    "Recommendations": {"items": [FOLLOWED], "next": None},
    "RecommendationBody": RECOMMENDATION,
}
