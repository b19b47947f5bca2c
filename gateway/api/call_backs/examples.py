"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.call_backs.bodies import CALL

_STATE: dict[str, Any] = {"state": "waiting", "attempts": 1, "next_on": "2026-11-29"}
_WEEK: dict[str, Any] = {
    "week": "2026-11-28",
    "size": 50,
    "share": 10,
    "eligible": 212,
    "drawn": 22,
    "waiting": 9,
    "rated": 8,
    "declined": 2,
    "not_reached": 1,
    "unreachable": 2,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "CallStateView": _STATE,
    "CallBackView": {"call": CALL, "attempt": 1, "mobile": "+989121234567", "code_digits": "2604"},
    "CallBackWeek": _WEEK,
    "CallBackWeeks": {"items": [_WEEK], "next": None},
}
