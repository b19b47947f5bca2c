"""The gateway for unit tests: settings with fresh keys, a client of RabbitMQ in memory, tokens as accounts makes them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import BaseModel

from backbone import sealing
from backbone.messaging.amqp import NotPublished, Outgoing
from backbone.process import keys
from contracts.base import Request
from contracts.errors import PeygirError, Unavailable
from contracts.gateway import FileSubmission
from contracts.intake import Catalogue, Ground, Option, Question, QuestionType, Unit
from contracts.vocabulary import Kind
from gateway.app import create_app
from gateway.container import AppContainer
from gateway.rabbit.client import RabbitClient
from gateway.rabbit.rpc_reply import RawAnswer
from gateway.settings import Settings

Answerer = Callable[[Request], BaseModel]

CATALOGUE = Catalogue(
    version=7,
    units=[
        Unit(code="city", parent=None, level="municipality", name_fa="شهرداری", name_en="City"),
        Unit(code="roads", parent="city", level="office", name_fa="راه‌ها", name_en="Roads"),
        Unit(code="roads.north", parent="roads", level="unit", name_fa="شمال", name_en="North"),
        Unit(code="parks", parent="city", level="office", name_fa="پارک‌ها", name_en="Parks"),
        Unit(code="old", parent="city", level="office", name_fa="قدیم", name_en="Old", active=False),
    ],
    grounds=[
        Ground(code="delay", kinds=[Kind.COMPLAINT, Kind.CRITICISM], name_fa="اطاله", name_en="Delay"),
        Ground(code="waste", kinds=[Kind.INFORMATION], name_fa="تضییع", name_en="Waste"),
        Ground(
            code="conduct",
            kinds=[Kind.CRITICISM],
            name_fa="رفتار",
            name_en="Conduct",
            questions=[
                Question(code="day", type=QuestionType.DATE, name_fa="روز", name_en="Day", required=True),
                Question(code="times", type=QuestionType.NUMBER, name_fa="بار", name_en="Times"),
                Question(
                    code="what",
                    type=QuestionType.CHOICE,
                    name_fa="چه",
                    name_en="What",
                    options=[Option(value="rude", name_fa="تند", name_en="Rude")],
                ),
            ],
        ),
    ],
)


UNLIMITED = {
    f"limit_{budget}": "off"
    for budget in (
        "submissions",
        "codes",
        "one_code",
        "bad_codes",
        "bad_codes_by_network",
        "waited_codes",
        "one_time_codes",
        "sign_in",
        "refresh",
        "bad_tokens",
        "session",
        "anonymous",
        "upload_megabytes",
    )
}


REPORT: dict[str, Any] = {
    "kind": "information",
    "unit": "roads",
    "ground": "waste",
    "text": "مصالح در کنار خیابان رها شده است.",
    "consent": True,
}
CRITICISM = REPORT | {"kind": "criticism", "ground": "delay"}
COMPLAINT = REPORT | {"kind": "complaint", "ground": "delay", "identity": {"name": "شاکی نمونه"}}
"""What each kind of submission needs at least."""


class MemoryRabbitClient(RabbitClient):
    """RabbitMQ in memory: keeps what is published and called, and answers from `answers`, by service and method."""

    def __init__(self) -> None:
        super().__init__("amqp://nowhere")
        self.published: list[Outgoing] = []
        self.calls: list[tuple[str, Request]] = []
        self.patience: list[float | None] = []
        self.answers: dict[str, Answerer] = {}
        self.up, self.takes_nothing = True, False
        self.subscribed = True

    def reset(self) -> None:
        """As at the start: connected, nothing published or called, no answers."""
        self.published.clear()
        self.calls.clear()
        self.patience.clear()
        self.answers.clear()
        self.up, self.takes_nothing = True, False

    @property
    def connected(self) -> bool:
        return self.up

    @property
    def blocked(self) -> bool:
        return self.takes_nothing

    async def start(self) -> None:
        for listener in self._subscription_listeners:
            listener(True)

    async def stop(self) -> None:
        pass

    async def publish(self, message: Outgoing, timeout: float | None = None) -> None:  # noqa: ASYNC109  # as the client has it
        if not self.up:
            raise NotPublished("down")
        self.published.append(message)

    async def call(
        self,
        service: str,
        method: str,
        request: Request,
        answer: Any,
        patience: float | None = None,
    ) -> Any:
        self.calls.append((f"{service}.{method}", request))
        self.patience.append(patience)
        answerer = self.answers.get(f"{service}.{method}")
        if answerer is None:
            raise Unavailable(retry_after=5)
        return answerer(request)

    async def call_raw(self, service: str, method: str, request: Request) -> RawAnswer:
        reply = await self.call(service, method, request, None)
        return RawAnswer(reply.model_dump_json().encode(), getattr(reply, "version", None))

    def deliver_event(self, name: str, body: str | bytes) -> None:
        for listener in self._event_listeners:
            listener(name, body.encode() if isinstance(body, str) else body)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(message.body) for message in self.published]


class Keys:
    """One installation's secrets, and what only other services do with them."""

    def __init__(self) -> None:
        self.environment = keys.generate()

    def settings(self, state: Path, **more: Any) -> Settings:
        first, *further = more.get("sms_providers", ["kavenegar"])
        return Settings.model_validate(
            {
                **{name.lower(): value for name, value in self.environment.items()},
                "amqp_url": "amqp://nowhere",
                "gateway_state_dir": state,
                "public_url": "http://gateway",
                "sms_webhook_secret": self.webhook_secret(first),
                "sms_webhook_secrets": {provider: self.webhook_secret(provider) for provider in further},
                **more,
            }
        )

    def webhook_secret(self, provider: str) -> str:
        """The secret of one SMS provider's webhooks; of any but Kavenegar it is made from the name."""
        return self.environment["SMS_WEBHOOK_SECRET"] if provider == "kavenegar" else f"secret-of-{provider}"

    def token(self, key: bytes | None = None, alg: str = "EdDSA", **claims: Any) -> str:
        seed = key or bytes.fromhex(self.environment["ACCESS_TOKEN_PRIVATE_KEY"])
        given = {"sub": str(uuid4()), "typ": "citizen", "roles": [], "exp": int(time.time()) + 900, **claims}
        private = OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(seed))
        return jwt.encode({"alg": alg}, given, private, algorithms=[alg])

    def citizen(self, mobile: str = "+989121234567", **claims: Any) -> str:
        locked = sealing.encrypt(mobile, bytes.fromhex(self.environment["CONTACT_KEY"]))
        return self.token(ctc=locked, **claims)

    def staff(self, *roles: str, unit: str | None = None, **claims: Any) -> str:
        return self.token(typ="staff", roles=list(roles), unit=unit, **claims)


def refusing(error: PeygirError) -> Answerer:
    """An answerer that raises."""

    def answer(_: Request) -> BaseModel:
        raise error

    return answer


class Gateway:
    """The whole application on RabbitMQ in memory."""

    def __init__(self, state: Path, **settings: Any) -> None:
        self.keys, self.rabbit = Keys(), MemoryRabbitClient()
        self.settings = self.keys.settings(state, **settings)
        self.app = create_app(self.settings, self.rabbit)
        self.container: AppContainer = self.app.state.container

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """`address`: of the caller."""
        address = more.pop("address", "127.0.0.1")

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 40_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                return await client.request(method, path, **more)

        return asyncio.run(go())

    def file(self, body: dict[str, Any], **headers: str) -> httpx.Response:
        return self.send("POST", "/v1/submissions", json=body, headers=headers)

    def last(self) -> FileSubmission:
        return FileSubmission.model_validate_json(self.rabbit.published[-1].body)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def reasons(answer: httpx.Response) -> dict[str, str]:
    """Which fields were wrong, and why."""
    return {error["field"]: error["reason"] for error in answer.json().get("errors", [])}
