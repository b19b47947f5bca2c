"""Webhooks of partner systems, for the administrator (docs/explanation/webhooks.md)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from contracts import webhooks
from gateway.api.request_endpoints import (
    ADMINISTRATOR,
    PAGE,
    Field,
    RequestEndpoint,
    Rpc,
    Success,
    register_requests,
)
from gateway.api.webhook_subscriptions.bodies import ReplayBody, RotationBody, WebhookBody, WebhookChangeBody

router = APIRouter(prefix="/webhook-subscriptions", tags=["webhook subscriptions"])

_SUBSCRIPTION = {"subscription_id": Field(Annotated[UUID, Path(description="The subscription's id.")])}
_STATE = Annotated[webhooks.WebhookDeliveryState | None, Query(description="Those in this state alone.")]


register_requests(
    router,
    RequestEndpoint(
        "GET",
        "listWebhookSubscriptions",
        "Partner systems that are told of events",
        "Those that fail come first, with why the last attempt failed.",
        ADMINISTRATOR,
        Rpc("notify.list_webhook_subscriptions", webhooks.ListWebhookSubscriptions, webhooks.WebhookSubscriptions),
    ),
    RequestEndpoint(
        "POST",
        "createWebhookSubscription",
        "Tell a partner system of events",
        "`secret`, by which it verifies the header `webhook-signature` (Standard Webhooks), is shown in this answer alone.",
        ADMINISTRATOR,
        Rpc(
            "notify.create_webhook_subscription",
            webhooks.CreateWebhookSubscription,
            webhooks.WebhookSubscriptionWithSecret,
        ),
        body=WebhookBody,
        success=Success(
            status=201,
            description="The subscription and its secret",
            etag=True,
            location=("/v1/webhook-subscriptions/{subscription_id}", "Where it is"),
        ),
    ),
    RequestEndpoint(
        "GET /{subscription_id}",
        "getWebhookSubscription",
        "A subscription",
        "Whether its system answers, and how many deliveries wait for it.",
        ADMINISTRATOR,
        Rpc("notify.get_webhook_subscription", webhooks.GetWebhookSubscription, webhooks.WebhookSubscription),
        parameters=_SUBSCRIPTION,
        success=Success(description="The subscription", etag=True),
    ),
    RequestEndpoint(
        "PUT /{subscription_id}",
        "changeWebhookSubscription",
        "Change, pause or resume a subscription",
        "While it is paused it misses what happens. What happened while it failed is sent when it is resumed.",
        ADMINISTRATOR,
        Rpc("notify.change_webhook_subscription", webhooks.ChangeWebhookSubscription, webhooks.WebhookSubscription),
        parameters=_SUBSCRIPTION,
        body=WebhookChangeBody,
        success=Success(description="The subscription", etag=True),
    ),
    RequestEndpoint(
        "DELETE /{subscription_id}",
        "deleteWebhookSubscription",
        "End a subscription",
        "With its secret and its log.",
        ADMINISTRATOR,
        Rpc(
            "notify.delete_webhook_subscription",
            webhooks.DeleteWebhookSubscription,
            webhooks.WebhookSubscriptionDeleted,
        ),
        parameters=_SUBSCRIPTION,
        success=Success(status=204),
    ),
    RequestEndpoint(
        "POST /{subscription_id}/secret",
        "rotateWebhookSecret",
        "Another secret",
        "Shown in this answer alone. For `overlap_hours` deliveries bear a second signature by the old one.",
        ADMINISTRATOR,
        Rpc("notify.rotate_webhook_secret", webhooks.RotateWebhookSecret, webhooks.WebhookSubscriptionWithSecret),
        parameters=_SUBSCRIPTION,
        body=RotationBody,
        success=Success(description="The subscription and its secret", etag=True),
    ),
    RequestEndpoint(
        "POST /{subscription_id}/test",
        "sendWebhookTest",
        "A test delivery",
        "Of the type `webhook.test`, about no case, once, also while the subscription is paused; its log has what came of it.",
        ADMINISTRATOR,
        Rpc("notify.send_webhook_test", webhooks.SendWebhookTest, webhooks.WebhookDelivery),
        parameters=_SUBSCRIPTION,
        success=Success(status=202, description="The delivery"),
    ),
    RequestEndpoint(
        "GET /{subscription_id}/deliveries",
        "listWebhookDeliveries",
        "The log of a subscription",
        "Of 30 days, the newest first. `next` is the `after` of the following page.",
        ADMINISTRATOR,
        Rpc("notify.list_webhook_deliveries", webhooks.ListWebhookDeliveries, webhooks.WebhookDeliveryPage),
        parameters={**_SUBSCRIPTION, "state": Field(_STATE, None), **PAGE},
    ),
    RequestEndpoint(
        "POST /{subscription_id}/replay",
        "replayWebhookDeliveries",
        "Send deliveries again",
        "One, or all that were made since a moment, where they have ended; under their ids, so the partner knows them again.",
        ADMINISTRATOR,
        Rpc("notify.replay_webhook_deliveries", webhooks.ReplayWebhookDeliveries, webhooks.WebhookReplay),
        parameters=_SUBSCRIPTION,
        body=ReplayBody,
        success=Success(status=202, description="How many"),
    ),
)
