"""Bodies of decisions and of what follows from their recommendations."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from contracts.base import ListCode
from contracts.vocabulary import Outcome
from gateway.api.fields import Body, Day, Flag, LongText, example


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("twice", "one of them appears twice")
    return values


class RecommendationBody(Body):
    text: LongText
    due_on: Day
    model_config = example(text="زمان هر مرحله به شهروند اعلام شود.", due_on="2027-01-20")


class DecisionBody(Body):
    """`reasons` are told to the citizen. An upheld or partly upheld case names at least one root cause of those at
    /v1/lists."""

    outcome: Outcome
    reasons: LongText
    root_causes: Annotated[
        list[ListCode], Field(max_length=6, json_schema_extra={"uniqueItems": True}), AfterValidator(_distinct)
    ] = []
    recommendations: Annotated[list[RecommendationBody], Field(max_length=20)] = []
    model_config = example(
        outcome="upheld",
        reasons="تأخیر بیش از مهلت قانونی بوده است.",
        root_causes=["process"],
        recommendations=[{"text": "زمان هر مرحله به شهروند اعلام شود.", "due_on": "2027-01-20"}],
    )


class ReturnedBody(Body):
    """`reason`: what is still wanted; for the inspector alone."""

    reason: LongText
    model_config = example(reason="پاسخ واحد به تاریخ استعلام در دلایل نیامده است.")


class ReportBody(Body):
    """`reason`: wanted when it was not carried out."""

    done: Flag
    reason: LongText | None = None
    model_config = example(done=True, reason="زمان هر مرحله از این هفته پیامک می‌شود.")


class SettlementBody(Body):
    """`accepted`: the office agrees with the unit's report; else it is sent back, with a reason."""

    accepted: Flag
    reason: LongText | None = None
    model_config = example(accepted=False, reason="نمونه‌ای از پیامک پیوست نشده است.")
