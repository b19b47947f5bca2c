"""Bodies of what the citizen of a case sends: its tracking code, and commands."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from contracts import tracking_codes
from gateway.api.fields import (
    Body,
    Flag,
    LongText,
    ShortText,
    Uploads,
    example,
    whole,
)


class TrackingCodeBody(Body):
    """`tracking_code`: its 16 digits, in any digits and grouping, or a whole message in which it is."""

    tracking_code: str = Field(
        min_length=1, max_length=tracking_codes.LONGEST_TEXT, json_schema_extra={"format": "password"}
    )

    model_config = example(tracking_code="4821 0937 5518 2604")


class AnswerBody(Body):
    text: LongText
    uploads: Uploads = []
    model_config = example(text="تاریخ مراجعه من دوم آبان بود.", uploads=[])


class WithdrawalBody(Body):
    reason: ShortText | None = None
    model_config = example(reason="کارم انجام شد.")


class ObjectionBody(Body):
    text: LongText
    model_config = example(text="به مدرک دوم من توجه نشده است.")


class RatingBody(Body):
    """`score` 1–5; the four questions may be left out."""

    score: Annotated[int, Field(ge=1, le=5), BeforeValidator(whole)]
    informed_clearly: Flag | None = None
    treated_well: Flag | None = None
    on_time: Flag | None = None
    asked_improper: Flag | None = None
    model_config = example(score=4, informed_clearly=True, treated_well=True, on_time=False, asked_improper=False)
