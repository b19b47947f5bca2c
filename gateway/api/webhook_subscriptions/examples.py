"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

SUBSCRIPTION: dict[str, Any] = {
    "subscription_id": "7d3f0c7e-54d8-4d7e-8d3a-0c3a5f2b9b11",
    "name": "سامانه ۱۳۷",
    "url": "https://partner.example/peygir",
    "events": ["case.decided", "case.opened"],
    "information": False,
    "state": "failing",
    "failures": 23,
    "failing_since": "2026-11-24T08:30:00Z",
    "last_error": "timed_out",
    "last_success_at": "2026-11-24T08:12:00Z",
    "old_secret_until": None,
    "waiting": 4,
    "created_at": "2026-11-01T08:30:00Z",
    "version": 3,
}
DELIVERY: dict[str, Any] = {
    "delivery_id": "2b0d3c1a-7a55-5a5e-9a3c-3f1c5d1e8a77",
    "type": "case.decided",
    "state": "due",
    "attempts": 2,
    "response_code": 503,
    "error": "refused",
    "answer": "maintenance",
    "created_at": "2026-11-24T08:30:00Z",
    "next_attempt_at": "2026-11-24T08:36:10Z",
    "last_attempt_at": "2026-11-24T08:31:10Z",
    "delivered_at": None,
}
NEW_SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # noqa: S105  # an example

EXAMPLES: dict[str, dict[str, Any]] = {
    "WebhookSubscriptions": {"items": [SUBSCRIPTION]},
    "WebhookSubscription": SUBSCRIPTION,
    "WebhookSubscriptionWithSecret": {
        **SUBSCRIPTION,
        "state": "active",
        "failures": 0,
        "failing_since": None,
        "last_error": None,
        "secret": NEW_SECRET,
    },
    "WebhookDelivery": DELIVERY,
    "WebhookDeliveryPage": {"items": [DELIVERY], "next": None},
    "WebhookReplay": {"replayed": 4},
}
