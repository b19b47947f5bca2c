"""The kinds of text and the names that tracking's contracts share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contracts.text_limits import LONGEST_SHORT_TEXT, LONGEST_TEXT

PRODUCER = "tracking"


LongText = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


DeadlineStep = Literal["decision", "first_reading", "unit", "citizen", "recommendation"]


ShortText = Annotated[str, Field(max_length=LONGEST_SHORT_TEXT)]


ColleagueChange = Literal[
    "co_handler_added", "co_handler_removed", "colleague_consulted", "consultation_answered", "consultation_ended"
]


Mistake = Literal["refused", "decided", "closed", "merged"]
"""What the office takes back; `closed`: neither decided nor refused."""
