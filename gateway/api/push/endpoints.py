"""Devices on which a person is told that there is news (docs/explanation/push.md)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from contracts import push
from gateway.api.dependencies import ContainerDep, VisitorDep, answer
from gateway.api.openapi_responses import problems
from gateway.api.push.bodies import DeviceBody
from gateway.api.request_endpoints import PERSON, Field, RequestEndpoint, Rpc, Success, register_requests

router = APIRouter(prefix="/push", tags=["push"])


@router.get(
    "/key",
    operation_id="getPushKey",
    summary="The key with which browsers subscribe",
    response_model=push.PushKey,
    responses=problems(404),
)
async def get_push_key(container: ContainerDep, visitor: VisitorDep) -> Response:
    """The `applicationServerKey` of `pushManager.subscribe`. 404 where this installation sends no pushes."""
    return answer(await container.rabbit.call("notify", "get_push_key", push.GetPushKey(), push.PushKey))


register_requests(
    router,
    RequestEndpoint(
        "POST /subscriptions",
        "subscribePush",
        "Tell me on this device",
        """For a signed-in person, citizen or staff; with `Tracking-Code` for the case of that code alone. The same device again
        replaces its keys; of more than ten the oldest goes. A push says that there is news, and by which `message_id` to open
        it: nothing of what the case is.""",
        PERSON,
        Rpc("notify.subscribe_push", push.SubscribePush, push.PushSubscription),
        body=DeviceBody,
        success=Success(status=201, description="The device"),
        errors=(409,),
    ),
    RequestEndpoint(
        "GET /subscriptions",
        "listPushSubscriptions",
        "My devices",
        "Newest first: one's own, or with `Tracking-Code` those of its case.",
        PERSON,
        Rpc("notify.list_push_subscriptions", push.ListPushSubscriptions, push.PushSubscriptions),
        errors=(409,),
    ),
    RequestEndpoint(
        "DELETE /subscriptions/{subscription_id}",
        "unsubscribePush",
        "No more on this device",
        "What waits for it is not sent; what must arrive goes by SMS.",
        PERSON,
        Rpc("notify.unsubscribe_push", push.UnsubscribePush, push.PushUnsubscribed),
        parameters={"subscription_id": Field(Annotated[UUID, Path(description="The device's id.")])},
        success=Success(status=204),
        errors=(409,),
    ),
)
