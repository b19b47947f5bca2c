"""Bodies of what somebody changes about their own account."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from gateway.api.accounts.bodies import Encoded, FromBrowser, SecondFactorBody, Totp
from gateway.api.fields import NAME_PATTERN, Body, NotBlank, example

Password = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", min_length=1, max_length=200)]
PasskeyName = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=60), NotBlank]


class ChangePasswordBody(Body):
    """`new_password`: any characters, `PASSWORD_MIN_LENGTH` of them or more."""

    current_password: Password
    new_password: Password
    model_config = example(
        current_password="correct horse battery staple",  # noqa: S106  # an example
        new_password="seven green boats under a bridge",  # noqa: S106
    )


class GuardedBody(Body):
    """`second_factor`: one that the account has at present; each code is good once."""

    second_factor: SecondFactorBody
    model_config = example(second_factor={"kind": "totp", "code": "492039"})

    def request_fields(self) -> dict[str, Any]:
        return {"second_factor": self.second_factor.factor()}


class TotpCodeBody(Body):
    """`totp`: a code of the app that is being enrolled."""

    totp: Totp
    model_config = example(totp="492039")


class AttestationResponseBody(FromBrowser):
    clientDataJSON: Encoded  # noqa: N815  # as browsers name it
    attestationObject: Encoded  # noqa: N815
    transports: Annotated[list[Annotated[str, Field(max_length=30)]], Field(max_length=10)] | None = None
    model_config = example(
        clientDataJSON="eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0",
        attestationObject="o2NmbXRkbm9uZQ",
        transports=["internal"],
    )


class AttestationBody(FromBrowser):
    """`navigator.credentials.create(…)`, as JSON."""

    id: Encoded
    rawId: Encoded  # noqa: N815
    type: Literal["public-key"]
    response: AttestationResponseBody
    model_config = example(
        id="AQIDBA",
        rawId="AQIDBA",
        type="public-key",
        response={"clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0", "attestationObject": "o2NmbXRkbm9uZQ"},
    )


class AddPasskeyBody(Body):
    """`name`: by which its owner knows it."""

    name: PasskeyName
    credential: AttestationBody
    model_config = example(
        name="گوشی من",
        credential={
            "id": "AQIDBA",
            "rawId": "AQIDBA",
            "type": "public-key",
            "response": {
                "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0",
                "attestationObject": "o2NmbXRkbm9uZQ",
            },
        },
    )

    def request_fields(self) -> dict[str, Any]:
        return {"name": self.name, "credential": self.credential.model_dump_json(exclude_none=True)}


class PasskeyNameBody(Body):
    name: PasskeyName
    model_config = example(name="کلید سخت‌افزاری")
