"""Bodies of signing in by OpenID Connect."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from gateway.api.accounts.bodies import SecondFactorBody, Token
from gateway.api.fields import Body, example


class OidcSignInBody(Body):
    """`sign_in`: as it came when the sign-in was begun; `code`, `state`: as the provider put them into the address to which the
    browser came back. `second_factor`: after 401 `second_factor_needed`, with the rest as it was."""

    sign_in: Token
    code: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]+$", min_length=1, max_length=4_096)]
    state: Token
    second_factor: SecondFactorBody | None = None
    device_token: Token | None = None
    model_config = example(
        sign_in="q0N5c2m1Zk1vT3kq9mZ2Jt6xB1sYw8Rd0A2mZ5kq3v8",
        code="SplxlOBeZQQYbYS6WxSbIA",
        state="vT3kq9mZ2Jt6xB1sYw8Rd0A2mZ5kq3v9",
    )
