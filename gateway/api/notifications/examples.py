"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from contracts.notify import MessageState
from gateway.api.examples import CASE_ID

LOGGED: dict[str, Any] = {
    "notification_id": "5b0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11",
    "channel": "sms",
    "template": "decided",
    "event": "case.decided.v1",
    "state": "undelivered",
    "reason": MessageState.UNDELIVERED.value,
    "audience": "citizen",
    "staff_id": None,
    "role": None,
    "unit": None,
    "case_id": CASE_ID,
    "case_number": "1405-000123",
    "created_at": "2026-11-25T07:00:01Z",
    "attempts": 7,
    "provider": "kavenegar",
    "next_attempt_at": None,
    "sent_at": None,
    "delivered_at": None,
    "resends": 0,
    "resendable": True,
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "LoggedNotification": LOGGED,
    "Notifications": {"items": [LOGGED], "next": None},
}
