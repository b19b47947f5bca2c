"""Sample values, with which an administrator sees a text as its reader would."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.vocabulary import RefusalReason
from services.notify.wording.rules import Value
from services.notify.wording.templates import Templates

_PARAMS = {
    "kind": "complaint",
    "date": "2026-12-14",
    "number": "1405-000123",
    "stage": "investigating",
    "outcome": "upheld",
    "reason": RefusalReason.REPEAT.value,
    "code": "4821093755182604",
    "codes": "4821093755182604 7302448190561127",
    "when": "2026-12-01T06:30:00+00:00",
    "place_fa": "اتاق ۱۲",
    "place_en": "Room 12",
    "otp": "123456",
    "account": "inspector.one",
    "roles": "head",
    "requester": "نمونه یک",
    "decider": "نمونه دو",
    "webhook": "137",
}
"""As they are stored with a message."""


def sample_values(templates: Templates, language: str, values: Mapping[str, Value]) -> dict[str, str]:
    """Every value that a text may name but the office's name, as it is read in this language."""
    return templates.write(_PARAMS, language, values)
