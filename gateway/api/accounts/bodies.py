"""Bodies of signing in and out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gateway.api.fields import LINE_PATTERN, Body, example

Short = Annotated[str, StringConstraints(pattern=LINE_PATTERN, min_length=1, max_length=40)]


Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.~+/=-]+$", min_length=1, max_length=200)]


OtpSession = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", min_length=1, max_length=100)]


class MobileBody(Body):
    """`mobile`: 0912…, +98912…, 0098912…, in any digits. `otp_session`: of the answer before, when asking again."""

    mobile: Short
    otp_session: OtpSession | None = None
    model_config = example(mobile="09121234567")


class OneTimeCodeBody(Body):
    """`code`: the one-time code of the SMS, in any digits. `otp_session`: as it came when the code was asked for; without it
    wrong codes are counted by address, together with those of others there."""

    mobile: Short
    code: Annotated[str, StringConstraints(pattern=LINE_PATTERN, min_length=1, max_length=20)]
    otp_session: OtpSession | None = None
    model_config = example(mobile="09121234567", code="482109")


class StaffBody(Body):
    """`device_token`: as it came with the last sign-in on this device. Such a device is not held up by others' wrong attempts."""

    username: Annotated[str, StringConstraints(pattern=LINE_PATTERN, min_length=1, max_length=100)]
    password: Annotated[str, Field(min_length=1, max_length=200)]
    totp: Annotated[str, StringConstraints(pattern=LINE_PATTERN, min_length=1, max_length=20)]
    device_token: Token | None = None
    model_config = example(username="screener", password="correct horse battery staple", totp="492039")  # noqa: S106  # an example


class RefreshBody(Body):
    refresh_token: Token
    model_config = example(refresh_token="9hXv0aG3Jt6xB1sYw8Rd0A2mZ5kq3v9mZ2Jt6xB1sYw8")  # noqa: S106  # an example
