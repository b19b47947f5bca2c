"""Bodies of requests to open a sealed identity."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from gateway.api.fields import Body, Flag, ReasonText, example, whole


class ReasonBody(Body):
    """`reason`: kept on the record with who opened it."""

    reason: ReasonText
    model_config = example(reason="برای دعوت به جلسه رسیدگی")


class IdentityRequestBody(Body):
    """`minutes`: for how long it may be opened once a custodian has consented."""

    reason: ReasonText
    minutes: Annotated[int, Field(ge=1, le=1_440), BeforeValidator(whole)] = 60
    model_config = example(reason="برای دعوت به جلسه رسیدگی", minutes=60)


class IdentityDecisionBody(Body):
    consent: Flag
    reason: ReasonText | None = None
    model_config = example(consent=True, reason="برای رسیدگی لازم است.")
