"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import STAFF_ID

TEXT_FA, TEXT_EN = "{kind} شما پذیرفته نشد: {reason}.", "Your {kind} was not accepted. {reason}."
NOTIFICATION_TEXT: dict[str, Any] = {
    "channel": "inbox",
    "name": "refused",
    "text_fa": "{kind} شما پذیرفته نشد. دلیل: {reason}",
    "text_en": "Your {kind} was not accepted, since: {reason}",
    "values": ["kind", "office", "reason"],
    "changed": True,
    "shipped_fa": TEXT_FA,
    "shipped_en": TEXT_EN,
    "approved": False,
    "fixed": False,
    "version": 1,
}
TEXT_CHANGE: dict[str, Any] = {
    "id": 4,
    "at": "2026-11-24T08:30:00Z",
    "by": STAFF_ID,
    "channel": "inbox",
    "name": "refused",
    "before_fa": None,
    "before_en": None,
    "after_fa": "{kind} شما پذیرفته نشد. دلیل: {reason}",
    "after_en": "Your {kind} was not accepted, since: {reason}",
}

PREVIEWED: dict[str, Any] = {
    "text": "شکایت شما پذیرفته نشد.",
    "characters": 22,
    "encoding": "ucs2",
    "parts": 1,
    "longest_parts": 1,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "NotificationTexts": {"items": [NOTIFICATION_TEXT]},
    "NotificationTextHistory": {"items": [TEXT_CHANGE], "next": None},
    "NotificationTextChange": TEXT_CHANGE,
    "NotificationText": NOTIFICATION_TEXT,
    "PreviewedText": PREVIEWED,
    "NotificationTextPreview": {
        "fa": PREVIEWED,
        "en": {**PREVIEWED, "text": "Your complaint was not accepted.", "encoding": "gsm", "characters": 32},
        "values_fa": {"kind": "شکایت"},
        "values_en": {"kind": "complaint"},
        "most_parts": 2,
    },
}
