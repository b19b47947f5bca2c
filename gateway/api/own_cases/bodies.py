"""Bodies of what citizens do with their case."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from gateway.api.fields import Body, Flag, LongText, ShortText, Uploads, example, whole


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
