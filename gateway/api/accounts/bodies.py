"""Bodies of signing in and out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from contracts.accounts import SecondFactor
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


Totp = Annotated[str, StringConstraints(pattern=LINE_PATTERN, min_length=1, max_length=20)]
Base64Url = StringConstraints(pattern=r"^[A-Za-z0-9_-]+={0,2}$", min_length=1, max_length=8_192)
Encoded = Annotated[str, Base64Url]


class TotpBody(Body):
    """The digits of the authenticator app, of any script."""

    kind: Literal["totp"]
    code: Totp
    model_config = example(kind="totp", code="492039")

    def factor(self) -> SecondFactor:
        return SecondFactor(totp=self.code)


class RecoveryCodeBody(Body):
    """One of the ten codes that were told once; with or without its dash, in letters of either size."""

    kind: Literal["recovery_code"]
    code: Annotated[str, StringConstraints(pattern=LINE_PATTERN, min_length=1, max_length=40)]
    model_config = example(kind="recovery_code", code="7k3mq-x0w2p")

    def factor(self) -> SecondFactor:
        return SecondFactor(recovery_code=self.code)


class FromBrowser(Body):
    """What a browser made of a credential (`toJSON()`): it may hold more than is read of it."""

    model_config = ConfigDict(extra="ignore")


_ASSERTION: dict[str, Any] = {
    "id": "AQIDBA",
    "rawId": "AQIDBA",
    "type": "public-key",
    "response": {
        "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
        "authenticatorData": "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAQ",
        "signature": "MEUCIQDx0A",
        "userHandle": "D4_2qQ",
    },
}


class AssertionResponseBody(FromBrowser):
    clientDataJSON: Encoded  # noqa: N815  # as browsers name it
    authenticatorData: Encoded  # noqa: N815
    signature: Encoded
    userHandle: Encoded | None = None  # noqa: N815
    model_config = example(**_ASSERTION["response"])


class AssertionBody(FromBrowser):
    """`navigator.credentials.get(…)`, as JSON."""

    id: Encoded
    rawId: Encoded  # noqa: N815
    type: Literal["public-key"]
    response: AssertionResponseBody
    model_config = example(**_ASSERTION)


class PasskeyBody(Body):
    """The answer of a passkey to a challenge of `POST /v1/auth/staff/passkey-challenges`."""

    kind: Literal["passkey"]
    credential: AssertionBody
    model_config = example(kind="passkey", credential=_ASSERTION)

    def factor(self) -> SecondFactor:
        return SecondFactor(passkey=self.credential.model_dump_json(exclude_none=True))


SecondFactorBody = Annotated[TotpBody | RecoveryCodeBody | PasskeyBody, Field(discriminator="kind")]


class StaffBody(Body):
    """`totp`: the digits of the authenticator app, or `second_factor`: these, a recovery code, or a passkey. `device_token`: as
    it came with the last sign-in on this device. Such a device is not held up by others' wrong attempts."""

    username: Annotated[str, StringConstraints(pattern=LINE_PATTERN, min_length=1, max_length=100)]
    password: Annotated[str, Field(min_length=1, max_length=200)]
    totp: Totp | None = None
    second_factor: SecondFactorBody | None = None
    device_token: Token | None = None
    model_config = example(username="screener", password="correct horse battery staple", totp="492039")  # noqa: S106  # an example


class RefreshBody(Body):
    refresh_token: Token
    model_config = example(refresh_token="9hXv0aG3Jt6xB1sYw8Rd0A2mZ5kq3v9mZ2Jt6xB1sYw8")  # noqa: S106  # an example
