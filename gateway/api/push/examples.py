"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

DEVICE: dict[str, Any] = {
    "subscription_id": "9d5f7a52-6f0a-5c2e-8b8a-0d3f5e6a7b21",
    "service": "updates.push.services.mozilla.com",
    "created_at": "2026-11-24T08:30:00Z",
    "last_sent_at": "2026-11-25T07:00:01Z",
    "expires_at": None,
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "PushKey": {"key": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"},
    "PushSubscription": DEVICE,
    "PushSubscriptions": {"items": [DEVICE]},
}
