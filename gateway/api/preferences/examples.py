"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "Preferences": {
        "channel": "push",
        "language": "fa",
        "quiet": {"start": "22:30", "until": "08:00"},
        "office_quiet": {"start": "22:00", "until": "07:00"},
        "chosen": True,
    },
    "QuietTimes": {"start": "22:30", "until": "08:00"},
}
