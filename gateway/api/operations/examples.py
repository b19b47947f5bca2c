"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

SERVICE: dict[str, Any] = {
    "version": "1.4.0",
    "revision": "0010_log_order",
    "known_revision": "0010_log_order",
    "outbox_waiting": 0,
    "outbox_since": None,
}
QUEUE: dict[str, Any] = {"name": "notify.cases", "waiting": 3, "consumers": 2}
LETTER: dict[str, Any] = {
    "letter_id": "9f86d081884c7d659a2feaa0c55ad015",
    "queue": "notify.cases",
    "type": "case.decided.v1",
    "failures": 8,
    "reason": "KeyError at wording/templates.py:88",
    "died_at": "2026-11-25T07:00:01Z",
    "size": 812,
}
FIELD: dict[str, Any] = {"name": "outcome", "holds": "text of 6 characters"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "ServiceStatus": SERVICE,
    "NamedServiceStatus": {"name": "notify", "status": SERVICE, "migrated": True},
    "QueueStatus": QUEUE,
    "OperationsStatus": {
        "gateway_version": "1.4.0",
        "ready": True,
        "services": [{"name": "notify", "status": SERVICE, "migrated": True}],
        "queues": [QUEUE],
    },
    "DeadLetterSummary": LETTER,
    "DeadLettersOfQueue": {"queue": "notify.cases", "count": 1},
    "DeadLetters": {"items": [LETTER], "by_queue": [{"queue": "notify.cases", "count": 1}]},
    "DeadLetterField": FIELD,
    "DeadLetterDetails": {
        **LETTER,
        "event_id": "5b0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "fields": [FIELD],
    },
    "HandledDeadLetter": {"letter_id": LETTER["letter_id"], "queue": "notify.cases"},
}
