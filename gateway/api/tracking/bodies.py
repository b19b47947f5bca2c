"""The body that a tracking code comes in."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from gateway.api.digits import TypedCode
from gateway.api.fields import LINE_PATTERN, Body, example


class NamedMobileBody(Body):
    """`mobile`: 0912…, +98912…, 0098912…, in any digits."""

    mobile: Annotated[str, StringConstraints(pattern=LINE_PATTERN, min_length=1, max_length=40)]

    model_config = example(mobile="09121234567")


class TrackingCodeBody(Body):
    """`tracking_code`: its 16 digits, in any digits and grouping, or a whole message in which it is."""

    tracking_code: TypedCode

    model_config = example(tracking_code="4821 0937 5518 2604")
