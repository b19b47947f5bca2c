"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "SessionView": {
        "kind": "staff",
        "by": "cookie",
        "id": "6f1d2c3b-4a59-4e68-8b77-9c8d7e6f5a4b",
        "name": "مریم رضایی",
        "roles": ["inspector"],
        "unit": None,
        "mobile": None,
        "expires_at": "2026-11-24T20:30:00Z",
        "ended": False,
        "device_token": None,
    },
}
