"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "CalendarAddress": {
        "path": "/v1/calendars/0123456789abcdefghijABCDEFGHIJ0123456789_-a.ics",
        "made_at": "2026-12-02T09:00:00Z",
    },
    "CalendarFeed": {"made_at": "2026-12-02T09:00:00Z"},
}
