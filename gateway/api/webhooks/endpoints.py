"""What an SMS provider pushes: texts from handsets, and what became of ours.

Providers differ and change (reference: sms-providers): GET or POST; query, form or JSON; several names for each field. The
secret stands in the address, since that is all they can be given; addresses are never logged.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse

from backbone import sealing
from backbone.messaging import amqp
from backbone.messaging.amqp import NotPublished
from backbone.process.settings import secret
from contracts import identifiers
from contracts.base import Command, now
from contracts.characters import latin_digits
from contracts.errors import InvalidField, NotFound, TooLarge, Unavailable
from contracts.gateway import InboundSms, ReceiveSms, ReportDelivery
from gateway.api import dependencies as deps
from gateway.api.dependencies import ContainerDep
from gateway.api.openapi_responses import problems
from gateway.container import AppContainer
from gateway.edge.problems import BadRequest

router = APIRouter(prefix="/webhooks/sms", tags=["webhooks"])

_MOST = 65_536
_SENDER = ("from", "sender", "sendernumber", "mobile")
_TEXT = ("message", "text", "body", "messagetext", "messagebody")
_ID = ("messageid", "message_id", "id", "msgid", "recid")
_STATUS = ("status", "deliverystatus", "deliverystate")
_LONGEST_TEXT = 4_000

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


async def _inbound(secret_: str, request: Request, container: AppContainer) -> Response:
    pushed = await _pushed(secret_, request, container)
    for one in pushed:
        sender, text = _first(one, _SENDER), _first(one, _TEXT)
        wrong = [
            {"field": field, "reason": "missing"}
            for field, value in (("from", sender), ("message", text))
            if value is None
        ]
        if wrong or sender is None or text is None:
            raise InvalidField(fields=wrong)
        mobile = identifiers.mobile(sender)
        if mobile is None:
            continue  # a short code or a name: nobody to answer, and nothing that a retry would mend
        at = now()
        # Without an id of the provider's, the same words within a minute are a repetition.
        id_ = _first(one, _ID) or hashlib.sha256(f"{mobile}\0{text}\0{at:%Y%m%d%H%M}".encode()).hexdigest()
        sealed = sealing.seal(
            InboundSms(mobile=mobile, text=text[: _room(text)]), secret(container.settings.notify_public_key)
        )
        message = ReceiveSms(
            provider=container.settings.sms_provider,
            provider_message_id=id_[:100],
            sealed_message=sealed,
            received_at=at,
        )
        await _publish(container, message, f"sms:{id_[:100]}")
    return PlainTextResponse("OK")


async def _delivery(secret_: str, request: Request, container: AppContainer) -> Response:
    for one in await _pushed(secret_, request, container):
        id_, status = _first(one, _ID), _first(one, _STATUS)
        wrong = [
            {"field": field, "reason": "missing"}
            for field, value in (("messageid", id_), ("status", status))
            if value is None
        ]
        if wrong or id_ is None or status is None:
            raise InvalidField(fields=wrong)
        digits = latin_digits(status.strip())
        bare = digits.removeprefix("-")
        if not (bare.isascii() and bare.isdigit() and len(bare) <= 6):
            raise InvalidField(fields=[{"field": "status", "reason": "int_parsing"}])
        message = ReportDelivery(
            provider=container.settings.sms_provider,
            provider_message_id=id_[:100],
            status=int(digits),
            reported_at=now(),
        )
        await _publish(container, message, f"delivery:{id_[:100]}:{digits}")
    return PlainTextResponse("OK")


async def _publish(container: AppContainer, message: Command, message_id: str) -> None:
    try:
        await container.rabbit.publish(amqp.command(message, message_id))
    except NotPublished:
        raise Unavailable(retry_after=container.settings.retry_after) from None


async def _pushed(given: str, request: Request, container: AppContainer) -> list[dict[str, str]]:
    """What came, one or several, with names in lower case; NotFound when the secret is another."""
    expected = container.settings.sms_webhook_secret.get_secret_value().encode()
    if not expected or not hmac.compare_digest(given.encode(), expected):
        # The provider itself, who comes by one address for everybody, is not counted.
        await container.admission.admit_request(deps.address_key(container, request), None)
        raise NotFound
    query = dict(_flat(parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=50)))
    bodies: list[dict[str, str]] = [{}]
    if request.method == "POST":
        raw = await _body(request)
        try:
            bodies = _read(raw, request.headers.get("content-type", ""))
        except (ValueError, RecursionError):
            raise BadRequest(fields=[{"field": "body", "reason": "json_invalid"}]) from None
    return [{**query, **body} for body in bodies]


async def _body(request: Request) -> bytes:
    taken = bytearray()
    async for part in request.stream():
        taken += part
        if len(taken) > _MOST:
            raise TooLarge(limit=_MOST)
    return bytes(taken)


def _read(raw: bytes, content_type: str) -> list[dict[str, str]]:
    if not raw.strip():
        return [{}]
    # Some send JSON under another name; what begins like JSON is JSON.
    if "json" in content_type.lower() or raw.lstrip()[:1] in (b"{", b"["):
        parsed = json.loads(raw)
        listed = parsed if isinstance(parsed, list) else [parsed]
        if not listed or len(listed) > 100 or not all(isinstance(one, dict) for one in listed):
            raise ValueError("no object")
        return [dict(_flat(one.items())) for one in listed]
    return [dict(_flat(parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=50)))]


def _flat(pairs: Any) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if isinstance(value, bool) or value is None or isinstance(value, dict | list):
            continue
        text = str(value).replace("\x00", "").encode("utf-8", "replace").decode()
        yield str(name).strip().lower(), text


def _first(given: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((given[name] for name in names if given.get(name)), None)


def _room(text: str) -> int:
    """How many characters of it fit into a sealed field: its base64 may have 4,096."""
    size = min(len(text), _LONGEST_TEXT)
    while len(json.dumps(text[:size], ensure_ascii=False).encode()) > 2_800:
        size = size * 2 // 3
    return size


@router.get(
    "/{secret}/inbound",
    operation_id="receiveSmsByGet",
    summary="A handset texted the office (query)",
    response_class=PlainTextResponse,
    responses={**problems(404, 422, asks=False), **_OK},
)
async def inbound_by_get(secret: str, request: Request, container: ContainerDep) -> Response:
    """`from`, `to`, `message`, `messageid`, or their aliases."""
    return await _inbound(secret, request, container)


@router.post(
    "/{secret}/inbound",
    operation_id="receiveSms",
    summary="A handset texted the office",
    response_class=PlainTextResponse,
    responses={**problems(404, 413, 422, asks=False), **_OK},
    openapi_extra=_FORM,
)
async def inbound(secret: str, request: Request, container: ContainerDep) -> Response:
    """Form, JSON or query. Answered 200 when it is stored for good; 503: push it again."""
    return await _inbound(secret, request, container)


@router.get(
    "/{secret}/delivery",
    operation_id="reportDeliveryByGet",
    summary="What became of a message (query)",
    response_class=PlainTextResponse,
    responses={**problems(404, 422, asks=False), **_OK},
)
async def delivery_by_get(secret: str, request: Request, container: ContainerDep) -> Response:
    """`messageid` and `status`, or their aliases."""
    return await _delivery(secret, request, container)


@router.post(
    "/{secret}/delivery",
    operation_id="reportDelivery",
    summary="What became of a message",
    response_class=PlainTextResponse,
    responses={**problems(404, 413, 422, asks=False), **_OK},
    openapi_extra=_FORM,
)
async def delivery(secret: str, request: Request, container: ContainerDep) -> Response:
    """Form, JSON or query. Answered 200 when it is stored for good; 503: push it again."""
    return await _delivery(secret, request, container)
