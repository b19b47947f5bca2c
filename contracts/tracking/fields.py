"""The kinds of text and the names that tracking's contracts share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

PRODUCER = "tracking"


LongText = Annotated[str, Field(min_length=1, max_length=10_000)]


DeadlineStep = Literal["decision", "first_reading", "unit", "citizen", "recommendation"]


ShortText = Annotated[str, Field(max_length=1_000)]


Mistake = Literal["refused", "decided", "closed", "merged"]
"""What the office takes back; `closed`: neither decided nor refused."""
