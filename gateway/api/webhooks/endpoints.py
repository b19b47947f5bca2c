"""Webhooks of SMS providers: inbound texts, and delivery receipts.

A push is authenticated, bounded, sealed to notify and published as it came; notify parses it with the provider's module. The
secret is part of the path, since providers can be given nothing but an address; addresses are never logged.
"""

from __future__ import annotations

import hmac
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Path, Request, Response
from starlette.responses import PlainTextResponse

from backbone import sealing
from backbone.messaging import amqp
from backbone.messaging.amqp import NotPublished
from backbone.process.settings import secret as secret_bytes
from contracts.base import now
from contracts.errors import NotFound, TooLarge, Unavailable
from contracts.gateway import PushKind, ReceiveSmsPush, SmsPush
from gateway.api import dependencies as deps
from gateway.api.dependencies import ContainerDep
from gateway.api.openapi_responses import problems
from gateway.container import AppContainer

router = APIRouter(prefix="/webhooks/sms", tags=["webhooks"])

MAX_BODY = 65_536
MAX_CONTENT_TYPE = 200

_OK: dict[int | str, dict[str, Any]] = {
    200: {"description": "Taken", "content": {"text/plain": {"schema": {"type": "string", "examples": ["OK"]}}}},
}
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": False,
        "content": {
            kind: {"schema": {"type": "object", "additionalProperties": True}}
            for kind in ("application/json", "application/x-www-form-urlencoded")
        },
    }
}


Kind = Annotated[str, Path(json_schema_extra={"enum": [kind.value for kind in PushKind]})]
"""Any other is NotFound, after the secret was checked: whoever guesses paths is counted."""


async def _receive(provider: str, given_secret: str, kind: str, request: Request, container: AppContainer) -> Response:
    await _authenticate(given_secret, request, container)
    if provider not in container.settings.sms_providers or kind not in set(PushKind):
        raise NotFound
    push = SmsPush(
        kind=PushKind(kind),
        query=request.url.query,
        content_type=request.headers.get("content-type", "")[:MAX_CONTENT_TYPE],
        body=await _body(request) if request.method == "POST" else b"",
    )
    sealed = sealing.seal(push, secret_bytes(container.settings.notify_public_key))
    command = ReceiveSmsPush(provider=provider, sealed_push=sealed, received_at=now())
    try:
        await container.rabbit.publish(amqp.command(command, f"sms_push:{uuid4()}"))
    except NotPublished:
        raise Unavailable(retry_after=container.settings.retry_after) from None
    return PlainTextResponse("OK")


async def _authenticate(given: str, request: Request, container: AppContainer) -> None:
    """NotFound when the secret is another one."""
    expected = container.settings.sms_webhook_secret.get_secret_value().encode()
    if not expected or not hmac.compare_digest(given.encode(), expected):
        # The provider itself, which calls from one address for everybody, is not counted.
        await container.admission.admit_request(deps.address_key(container, request), None)
        raise NotFound


async def _body(request: Request) -> bytes:
    """The body as it came; TooLarge beyond its bound."""
    received = bytearray()
    async for part in request.stream():
        received += part
        if len(received) > MAX_BODY:
            raise TooLarge(limit=MAX_BODY)
    return bytes(received)


def _first_provider(container: AppContainer) -> str:
    """The provider of the paths that name none."""
    return container.settings.sms_providers[0]


@router.get(
    "/{provider}/{secret}/{kind}",
    operation_id="receiveSmsPushByGet",
    summary="A provider's push (query)",
    response_class=PlainTextResponse,
    responses={**problems(404, asks=False), **_OK},
)
async def push_by_get(provider: str, secret: str, kind: Kind, request: Request, container: ContainerDep) -> Response:
    """`kind` inbound: a handset texted the office's number; delivery: what became of a message. Fields as the provider sends
    them. Answered 200 when it is stored for good; 503: push it again."""
    return await _receive(provider, secret, kind, request, container)


@router.post(
    "/{provider}/{secret}/{kind}",
    operation_id="receiveSmsPush",
    summary="A provider's push",
    response_class=PlainTextResponse,
    responses={**problems(404, 413, asks=False), **_OK},
    openapi_extra=_FORM,
)
async def push(provider: str, secret: str, kind: Kind, request: Request, container: ContainerDep) -> Response:
    """`kind` inbound: a handset texted the office's number; delivery: what became of a message. Form, JSON or query, as the
    provider sends it. Answered 200 when it is stored for good; 503: push it again."""
    return await _receive(provider, secret, kind, request, container)


@router.get(
    "/{secret}/inbound",
    operation_id="receiveSmsByGet",
    summary="A handset texted the office (query)",
    response_class=PlainTextResponse,
    responses={**problems(404, asks=False), **_OK},
)
async def inbound_by_get(secret: str, request: Request, container: ContainerDep) -> Response:
    """The same as `/{provider}/{secret}/inbound` of the first provider."""
    return await _receive(_first_provider(container), secret, PushKind.INBOUND, request, container)


@router.post(
    "/{secret}/inbound",
    operation_id="receiveSms",
    summary="A handset texted the office",
    response_class=PlainTextResponse,
    responses={**problems(404, 413, asks=False), **_OK},
    openapi_extra=_FORM,
)
async def inbound(secret: str, request: Request, container: ContainerDep) -> Response:
    """The same as `/{provider}/{secret}/inbound` of the first provider."""
    return await _receive(_first_provider(container), secret, PushKind.INBOUND, request, container)


@router.get(
    "/{secret}/delivery",
    operation_id="reportDeliveryByGet",
    summary="What became of a message (query)",
    response_class=PlainTextResponse,
    responses={**problems(404, asks=False), **_OK},
)
async def delivery_by_get(secret: str, request: Request, container: ContainerDep) -> Response:
    """The same as `/{provider}/{secret}/delivery` of the first provider."""
    return await _receive(_first_provider(container), secret, PushKind.DELIVERY, request, container)


@router.post(
    "/{secret}/delivery",
    operation_id="reportDelivery",
    summary="What became of a message",
    response_class=PlainTextResponse,
    responses={**problems(404, 413, asks=False), **_OK},
    openapi_extra=_FORM,
)
async def delivery(secret: str, request: Request, container: ContainerDep) -> Response:
    """The same as `/{provider}/{secret}/delivery` of the first provider."""
    return await _receive(_first_provider(container), secret, PushKind.DELIVERY, request, container)
