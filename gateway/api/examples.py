"""Ids that several examples use, and examples that belong to no area."""

from __future__ import annotations

from typing import Any

CASE_ID = "0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11"
STAFF_ID = "b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21"
QUESTION_ID = "3c9b1a52-7d1f-4b0e-8a6d-5f0b9a7c2e44"
MEDIA_ID = "kq3v9mZ2Jt6xB1sYw8Rd0A"
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

EXAMPLES: dict[str, dict[str, Any]] = {
    "FieldProblem": {"field": "text", "reason": "string_too_short", "message": "At least 10 characters are needed."},
}
