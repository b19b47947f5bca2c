"""Webhooks of SMS providers: inbound texts, and delivery receipts.

A push is authenticated, bounded, sealed to notify and published as it came; notify parses it with the provider's module. Each
provider has a secret of its own. It is part of the path, since providers can be given nothing but an address; addresses are
never logged.
"""

from __future__ import annotations

import hmac
import secrets
from inspect import cleandoc
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Path, Request, Response
from pydantic import SecretStr
from starlette.responses import PlainTextResponse

from backbone import sealing
from backbone.messaging import amqp
from backbone.messaging.amqp import NotPublished
from backbone.process.settings import secret as secret_bytes
from contracts.base import now
from contracts.errors import NotFound, TooLarge, Unavailable
from contracts.gateway import PushKind, ReceiveSmsPush, SmsPush
from gateway.api.dependencies import ContainerDep, address_key
from gateway.api.openapi_responses import problems
from gateway.api.signatures import parameter, with_signature
from gateway.container import AppContainer
from gateway.settings import Settings

router = APIRouter(prefix="/webhooks/sms", tags=["webhooks"])

MAX_BODY = 65_536
MAX_CONTENT_TYPE = 200

_NOBODYS_SECRET = secrets.token_urlsafe(24)
"""Compared with where there is no such provider."""

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
    await _authenticate(provider, given_secret, request, container)
    if kind not in set(PushKind):
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


async def _authenticate(provider: str, given: str, request: Request, container: AppContainer) -> None:
    """NotFound when the provider is not used, or its secret is another one: in the same time, whichever it is."""
    expected = _secret_of(provider, container.settings)
    secret = _NOBODYS_SECRET if expected is None else expected.get_secret_value()
    if not hmac.compare_digest(given.encode(), secret.encode()):
        # The provider itself, which calls from one address for everybody, is not counted.
        await container.admission.admit_request(address_key(container, request), None)
        raise NotFound


def _secret_of(provider: str, settings: Settings) -> SecretStr | None:
    """None for a provider that is not used."""
    if provider == settings.sms_providers[0]:
        return settings.sms_webhook_secret
    return settings.sms_webhook_secrets.get(provider) if provider in settings.sms_providers else None


async def _body(request: Request) -> bytes:
    """The body as it came; TooLarge beyond its bound."""
    received = bytearray()
    async for part in request.stream():
        received += part
        if len(received) > MAX_BODY:
            raise TooLarge(limit=MAX_BODY)
    return bytes(received)


def _register_push(
    path: str,
    *,
    operation_ids: tuple[str, str],
    summary: str,
    descriptions: tuple[str, str],
    fixed_kind: PushKind | None = None,
) -> None:
    """GET and POST `path`; `operation_ids` and `descriptions` are of these two. `fixed_kind`: what the paths are for that name
    neither provider nor kind; they are the first provider's."""

    async def handle(
        *,
        provider: str | None = None,
        secret: str,
        kind: str | None = None,
        request: Request,
        container: AppContainer,
    ) -> Response:
        return await _receive(
            provider or container.settings.sms_providers[0], secret, fixed_kind or str(kind), request, container
        )

    in_path = [parameter("secret", str)]
    if fixed_kind is None:
        in_path = [parameter("provider", str), *in_path, parameter("kind", Kind)]
    parameters = [*in_path, parameter("request", Request), parameter("container", ContainerDep)]
    for method, operation_id, meaning, description, errors, extra in (
        ("GET", operation_ids[0], f"{summary} (query)", descriptions[0], (404,), None),
        ("POST", operation_ids[1], summary, descriptions[1], (404, 413), _FORM),
    ):
        router.add_api_route(
            path,
            with_signature(handle, operation_id, parameters),
            methods=[method],
            operation_id=operation_id,
            summary=meaning,
            description=cleandoc(description),
            response_class=PlainTextResponse,
            responses={**problems(*errors, calls_service=False), **_OK},
            openapi_extra=extra,
        )


_register_push(
    "/{provider}/{secret}/{kind}",
    operation_ids=("receiveSmsPushByGet", "receiveSmsPush"),
    summary="A provider's push",
    descriptions=(
        """
        `kind` inbound: a handset texted the office's number; delivery: what became of a message. Fields as the provider sends
        them. Answered 200 when it is stored for good; 503: push it again.
        """,
        """
        `kind` inbound: a handset texted the office's number; delivery: what became of a message. Form, JSON or query, as the
        provider sends it. Answered 200 when it is stored for good; 503: push it again.
        """,
    ),
)
_register_push(
    "/{secret}/inbound",
    operation_ids=("receiveSmsByGet", "receiveSms"),
    summary="A handset texted the office",
    descriptions=("The same as `/{provider}/{secret}/inbound` of the first provider.",) * 2,
    fixed_kind=PushKind.INBOUND,
)
_register_push(
    "/{secret}/delivery",
    operation_ids=("reportDeliveryByGet", "reportDelivery"),
    summary="What became of a message",
    descriptions=("The same as `/{provider}/{secret}/delivery` of the first provider.",) * 2,
    fixed_kind=PushKind.DELIVERY,
)
