"""What the two pika adapters (select under eventlet, asyncio in the gateway) have in common."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pika
from pydantic import BaseModel

from backbone.process import traces as trace
from contracts.base import Command, Event

FAILURES = "peygir-failures"
ERROR = "peygir-error"
QUEUE = "peygir-queue"
DIED = "peygir-died"
VERSION = "peygir-version"  # of what an RPC answers, for callers that pass the answer on unread
TRACE = trace.HEADER
WITHOUT_UPLOADS = ".without_uploads"

Waiter = TypeVar("Waiter")


class NotPublished(Exception):
    """The broker did not take a message: no connection, no route, no confirm in time, or it refused. Nothing is known
    to be stored; publishing again is right (consumers take each message once)."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way out. `message_id` tells doubles apart; `name` is its type and usually its routing key."""

    exchange: str
    routing_key: str
    body: bytes
    message_id: str
    name: str
    headers: dict[str, Any] = field(default_factory=dict)

    def properties(self) -> pika.BasicProperties:
        return pika.BasicProperties(
            delivery_mode=2,
            message_id=self.message_id,
            type=self.name,
            content_type="application/json",
            content_encoding="utf-8",
            headers=self.headers,
        )


def event(message: Event) -> Outgoing:
    """An event on its producer's exchange, under the present trace. Its routing key is its name; with an ending where it
    could name uploads and names none, so that it does not go to who only keeps these."""
    names_none = not getattr(message, "uploads", True)
    return Outgoing(
        f"{message.producer}.events",
        message.name + (WITHOUT_UPLOADS if names_none else ""),
        encode(message),
        str(message.id),
        message.name,
        {TRACE: trace.current()},
    )


def command(message: Command, message_id: str) -> Outgoing:
    """A command of the gateway, under the present trace."""
    return Outgoing(
        "gateway.commands", message.name, encode(message), message_id, message.name, {TRACE: trace.current()}
    )


def encode(model: BaseModel) -> bytes:
    """The JSON that travels."""
    return model.model_dump_json().encode()


def parameters(url: str, name: str) -> pika.URLParameters:
    """Connection parameters: heartbeat 15 s, so that a hanging peer is known after 30 s; blocked after 60 s is lost."""
    separator = "&" if "?" in url else "?"
    parsed = pika.URLParameters(
        f"{url}{separator}heartbeat=15&blocked_connection_timeout=60&socket_timeout=5&stack_timeout=10"
        "&connection_attempts=1"
    )
    parsed.client_properties = {"connection_name": name}
    return parsed


class Confirms(Generic[Waiter]):
    """Which published messages still wait for the broker's confirm, on one channel in confirm mode.

    The broker counts publications from 1; one ack may cover all up to its tag; a message nobody can take is returned
    before it is acked. `settle(waiter, error)` is called once for each.
    """

    def __init__(self, settle: Callable[[Waiter, NotPublished | None], None]) -> None:
        self._settle = settle
        self._next = 1
        self._waiting: OrderedDict[int, tuple[str, Waiter]] = OrderedDict()
        self._returned: set[str] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def sent(self, message_id: str, waiter: Waiter) -> None:
        self._waiting[self._next] = (message_id, waiter)
        self._next += 1

    def on_confirm(self, frame: Any) -> None:
        method = frame.method
        acked = isinstance(method, pika.spec.Basic.Ack)
        if method.multiple:
            tags = [tag for tag in self._waiting if tag <= method.delivery_tag]
        else:
            tags = [method.delivery_tag] if method.delivery_tag in self._waiting else []
        for tag in tags:
            message_id, waiter = self._waiting.pop(tag)
            if message_id in self._returned:
                self._returned.discard(message_id)
                self._settle(waiter, NotPublished("no queue takes it"))
            else:
                self._settle(waiter, None if acked else NotPublished("the broker refused it"))

    def on_return(self, properties: Any) -> None:
        self._returned.add(properties.message_id)

    def lost(self, why: str) -> None:
        """The channel is closed: no confirm will come for these."""
        waiting, self._waiting = list(self._waiting.values()), OrderedDict()
        for _, waiter in waiting:
            self._settle(waiter, NotPublished(why))
