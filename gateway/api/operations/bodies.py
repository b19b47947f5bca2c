"""The body of a dead letter that is dropped."""

from __future__ import annotations

from gateway.api.fields import Body, ReasonText, example


class DropBody(Body):
    """`reason`: why; it is in the audit who dropped it."""

    reason: ReasonText
    model_config = example(reason="آزمایشی بود و اثری ندارد")
