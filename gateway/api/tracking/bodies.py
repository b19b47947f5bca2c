"""The body that a tracking code comes in."""

from __future__ import annotations

from gateway.api.digits import TypedCode
from gateway.api.fields import Body, example


class TrackingCodeBody(Body):
    """`tracking_code`: its 16 digits, in any digits and grouping, or a whole message in which it is."""

    tracking_code: TypedCode

    model_config = example(tracking_code="4821 0937 5518 2604")
