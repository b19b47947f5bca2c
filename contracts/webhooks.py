"""Webhooks: what administrators ask of notify, and what partner systems may be told of cases (docs/explanation/webhooks.md)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Moment, PageRequest, Request
from contracts.gateway import Actor

WebhookName = Annotated[str, Field(min_length=1, max_length=100)]
WebhookUrl = Annotated[str, Field(min_length=1, max_length=500)]
IdempotencyKey = Annotated[str, Field(max_length=100)]


class WebhookEventType(StrEnum):
    """The public types of events; a type is only ever added. `case.stage_changed`: a stage that no other type tells of."""

    CASE_OPENED = "case.opened"
    CASE_CORRECTED = "case.corrected"
    CASE_ASSIGNED = "case.assigned"
    CASE_STAGE_CHANGED = "case.stage_changed"
    CASE_DECIDED = "case.decided"
    CASE_OBJECTED = "case.objected"
    CASE_REFUSED = "case.refused"
    CASE_MERGED = "case.merged"
    CASE_WITHDRAWN = "case.withdrawn"
    CASE_REOPENED = "case.reopened"
    CASE_CLOSED = "case.closed"
    CASE_ESCALATED = "case.escalated"


class WebhookState(StrEnum):
    """`paused`: by an administrator, and it misses what happens meanwhile. `failing`: by Peygir, since it does not answer; what
    happens meanwhile waits for it."""

    ACTIVE = "active"
    PAUSED = "paused"
    FAILING = "failing"


class WebhookDeliveryState(StrEnum):
    """`failed`: given up. `skipped`: the subscription may not be told of it any more."""

    DUE = "due"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"


EventTypes = Annotated[list[WebhookEventType], Field(min_length=1, max_length=len(WebhookEventType))]


class ListWebhookSubscriptions(Request):
    """RPC notify.list_webhook_subscriptions → WebhookSubscriptions. For the administrator; those that fail come first."""

    actor: Actor


class WebhookSubscription(Answer):
    """A partner system that is told of events. `information`: also of reports of wrongdoing, without unit and ground and a day
    later. `failures`: attempts since the last success, `failing_since` the first of them, `last_error` why the last one failed.
    `old_secret_until`: until then deliveries are signed with the secret before the last rotation as well. `waiting`: deliveries
    that are still to be made."""

    subscription_id: UUID
    name: str
    url: str
    events: list[WebhookEventType]
    information: bool
    state: WebhookState
    failures: int
    failing_since: Moment | None = None
    last_error: str | None = None
    last_success_at: Moment | None = None
    old_secret_until: Moment | None = None
    waiting: int = 0
    created_at: Moment
    version: int


class WebhookSubscriptions(Answer):
    items: list[WebhookSubscription]


class GetWebhookSubscription(Request):
    """RPC notify.get_webhook_subscription → WebhookSubscription. For the administrator. NotFound."""

    actor: Actor
    subscription_id: UUID


class CreateWebhookSubscription(Request):
    """RPC notify.create_webhook_subscription → WebhookSubscriptionWithSecret. For the administrator.

    InvalidField for an address that is never called. Repeated under its key it is made once, and the secret is not shown again.
    """

    actor: Actor
    idempotency_key: IdempotencyKey
    name: WebhookName
    url: WebhookUrl
    events: EventTypes
    information: bool = False


class WebhookSubscriptionWithSecret(WebhookSubscription):
    """`secret`: whsec_ and base64 of the key, shown this once; None in the answer to a repeated command."""

    secret: str | None = None


class ChangeWebhookSubscription(Request):
    """RPC notify.change_webhook_subscription → WebhookSubscription. For the administrator.

    NotFound, StaleVersion; InvalidField as when it is created. `active`: False pauses it; True sends again, also after failures.
    """

    actor: Actor
    idempotency_key: IdempotencyKey
    subscription_id: UUID
    expected_version: int
    name: WebhookName
    url: WebhookUrl
    events: EventTypes
    information: bool = False
    active: bool = True


class DeleteWebhookSubscription(Request):
    """RPC notify.delete_webhook_subscription → WebhookSubscriptionDeleted. For the administrator: with its secret and its log.

    NotFound, StaleVersion."""

    actor: Actor
    idempotency_key: IdempotencyKey
    subscription_id: UUID
    expected_version: int


class WebhookSubscriptionDeleted(Answer):
    subscription_id: UUID


class RotateWebhookSecret(Request):
    """RPC notify.rotate_webhook_secret → WebhookSubscriptionWithSecret. For the administrator. `overlap_hours`: for which
    deliveries are signed with the old secret as well; 0: it is of no use at once. NotFound."""

    actor: Actor
    idempotency_key: IdempotencyKey
    subscription_id: UUID
    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24


class SendWebhookTest(Request):
    """RPC notify.send_webhook_test → WebhookDelivery. For the administrator: an event of the type webhook.test, which
    tells of no case; also to a subscription that is paused or fails. NotFound."""

    actor: Actor
    idempotency_key: IdempotencyKey
    subscription_id: UUID


class WebhookDelivery(Answer):
    """One event to one subscription. `delivery_id` is the header webhook-id, the same in each attempt. `type`: of the event, or
    webhook.test. `error`: why the last attempt failed; `answer`: the beginning of what was answered to it."""

    delivery_id: UUID
    type: str
    state: WebhookDeliveryState
    attempts: int
    response_code: int | None = None
    error: str | None = None
    answer: str | None = None
    created_at: Moment
    next_attempt_at: Moment | None = None
    last_attempt_at: Moment | None = None
    delivered_at: Moment | None = None


class ListWebhookDeliveries(PageRequest):
    """RPC notify.list_webhook_deliveries → WebhookDeliveryPage. For the administrator; the newest first. `state`: those alone.

    NotFound."""

    actor: Actor
    subscription_id: UUID
    state: WebhookDeliveryState | None = None


class WebhookDeliveryPage(Answer):
    items: list[WebhookDelivery]
    next: str | None = None


class ReplayWebhookDeliveries(Request):
    """RPC notify.replay_webhook_deliveries → WebhookReplay. For the administrator: one delivery that has ended, or all that were
    made since a moment, once more under their ids. NotFound; InvalidField unless it is one of the two."""

    actor: Actor
    idempotency_key: IdempotencyKey
    subscription_id: UUID
    delivery_id: UUID | None = None
    since: Moment | None = None


class WebhookReplay(Answer):
    """`replayed`: how many deliveries are made again; 0 in the answer to a repeated command."""

    replayed: int
