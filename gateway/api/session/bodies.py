"""Bodies of opening a session of a browser: one for each way to show who one is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.api.accounts.bodies import OneTimeCodeBody, StaffBody
from gateway.api.digits import TypedCode
from gateway.api.fields import Body, example
from gateway.api.oidc.bodies import OidcSignInBody

Remember = Annotated[
    bool,
    Field(description="Keep the cookie when the browser is closed, until the session ends; not on a shared computer."),
]


class CitizenSessionBody(OneTimeCodeBody):
    """A citizen, by the one-time code that POST /v1/auth/codes had sent."""

    method: Literal["one_time_code"]
    remember: Remember = False
    model_config = example(method="one_time_code", mobile="09121234567", code="482109")


class StaffSessionBody(StaffBody):
    """Staff, by password and a second factor, as POST /v1/auth/staff/tokens takes them."""

    method: Literal["password"]
    remember: Remember = False
    model_config = example(
        method="password",
        username="screener",
        password="correct horse battery staple",  # noqa: S106  # an example
        totp="492039",
    )


class OidcSessionBody(OidcSignInBody):
    """Staff, by the provider of OpenID Connect, as POST /v1/oidc/sessions takes it."""

    method: Literal["oidc"]
    remember: Remember = False
    model_config = example(
        method="oidc", sign_in="x" * 43, code="SplxlOBeZQQYbYS6WxSbIA", state="af0ifjsldkjaf0ifjsldkj"
    )


class CodeSessionBody(Body):
    """Whoever holds a tracking code, for its case alone."""

    method: Literal["tracking_code"]
    tracking_code: TypedCode
    remember: Remember = False
    model_config = example(method="tracking_code", tracking_code="4821 0937 5518 2604")


SessionBody = Annotated[
    CitizenSessionBody | StaffSessionBody | OidcSessionBody | CodeSessionBody, Field(discriminator="method")
]
