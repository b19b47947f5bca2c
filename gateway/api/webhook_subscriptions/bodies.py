"""The bodies of webhook subscriptions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints

from contracts.webhooks import WebhookEventType
from gateway.api.fields import NAME_PATTERN, Body, Distinct, Flag, Moment, NotBlank, example, whole

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=100), NotBlank]
Url = Annotated[
    str,
    StringConstraints(pattern=r"^[\x21-\x7e]+$", min_length=1, max_length=500),
    Field(description="https, to a public address, on an allowed port; without a user name and a part after #."),
]
Events = Annotated[Distinct[WebhookEventType], Field(min_length=1, max_length=len(WebhookEventType))]


class WebhookBody(Body):
    """`events`: which the partner is told of. `information`: also of reports of wrongdoing, without unit and ground, a day
    later."""

    name: Name
    url: Url
    events: Events
    information: Flag = False
    model_config = example(
        name="سامانه ۱۳۷", url="https://partner.example/peygir", events=["case.opened", "case.decided", "case.closed"]
    )


class WebhookChangeBody(WebhookBody):
    """The whole subscription as it is to be. `active`: false pauses it; true sends again, also after failures."""

    active: Flag = True
    model_config = example(
        name="سامانه ۱۳۷", url="https://partner.example/peygir", events=["case.decided"], active=True
    )


class RotationBody(Body):
    """`overlap_hours`: for which deliveries are signed with the old secret as well; 0 where it has become known to others."""

    overlap_hours: Annotated[int, Field(ge=0, le=168), BeforeValidator(whole)] = 24
    model_config = example(overlap_hours=24)


class ReplayBody(Body):
    """Either one delivery, or all that were made since a moment."""

    delivery_id: UUID | None = None
    since: Moment | None = None
    model_config = example(since="2026-11-24T08:30:00Z")
