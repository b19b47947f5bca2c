"""Bodies of what a signed-in person does about themselves."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from gateway.api.accounts.bodies import OtpSession
from gateway.api.fields import LINE_PATTERN, Body, example


class DeletionBody(Body):
    """`code`: the one-time code of the SMS, in any digits. `otp_session`: as it came when the code was asked for."""

    code: Annotated[str, StringConstraints(pattern=LINE_PATTERN, min_length=1, max_length=20)]
    otp_session: OtpSession | None = None
    model_config = example(code="482109")
