"""RPC entrypoints: one request contract in, one answer contract out, errors of `contracts.errors` across the wire.

    @rpc
    def get_case(self, request: GetCase) -> StaffCase: ...

The caller gives `kwargs={"request": {...}}`, the header `nameko.deadline` (epoch milliseconds) and an expiry on the
message: a request that nobody waits for any more is dropped, not executed. Answers go out through the process's pika
connection without waiting; one lost with the broker is asked for again by its caller.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

import nameko.rpc
import pika
from nameko.exceptions import ContainerBeingKilled
from nameko.messaging import QueueConsumer
from pydantic import BaseModel, ValidationError

from backbone.messaging.topology import close_silently
from backbone.process import logs
from backbone.process import traces as trace
from backbone.process.dependencies import BrokerLink
from backbone.storage import database
from contracts.errors import InvalidField, PeygirError, Unavailable

log = logs.get("rpc")

DEADLINE = "nameko.deadline"


class EagerQueueConsumer(QueueConsumer):  # type: ignore[misc]  # nameko is untyped
    """nameko's consumer, back within a second of the broker's return instead of after growing pauses of up to 30 s."""

    @property
    def prefetch_count(self) -> int:
        return int(self.container.config["settings"].rpc_prefetch)

    def establish_connection(self) -> Any:
        return _eager(self)


class _eager:  # noqa: N801  # a context manager used like the function it replaces
    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    def __enter__(self) -> Any:
        self._connection = self._consumer.create_connection()
        self._connection.ensure_connection(
            self._consumer.on_connection_error, None, interval_start=0.1, interval_step=0.2, interval_max=1.0
        )
        return self._connection

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            self._connection.release()
        else:
            close_silently(self._connection)


class RpcConsumer(nameko.rpc.RpcConsumer):  # type: ignore[misc]  # nameko is untyped
    queue_consumer = EagerQueueConsumer()
    link = BrokerLink()

    def handle_result(self, message: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        error = _error(exc_info[1]) if exc_info else None
        answer = result.model_dump_json() if isinstance(result, BaseModel) else json.dumps(result)
        body = f'{{"result":{"null" if error else answer},"error":{json.dumps(error)}}}'.encode()
        self.link.broker.send(
            "nameko-rpc",
            message.properties["reply_to"],
            body,
            pika.BasicProperties(
                correlation_id=message.properties.get("correlation_id"),
                content_type="application/json",
                content_encoding="utf-8",
            ),
        )
        self.queue_consumer.ack_message(message)
        return result, exc_info


class Rpc(nameko.rpc.Rpc):  # type: ignore[misc]  # nameko is untyped
    rpc_consumer = RpcConsumer()

    def setup(self) -> None:
        super().setup()
        method = getattr(self.container.service_cls, self.method_name)
        self._request = get_type_hints(method)["request"]

    def handle_message(self, body: Any, message: Any) -> None:
        deadline = message.headers.get(DEADLINE)
        if isinstance(deadline, int | float) and deadline < time.time() * 1000:
            self.rpc_consumer.queue_consumer.ack_message(message)
            return
        request = parse(self._request, body)
        context = {trace.HEADER: message.headers.get(f"nameko.{trace.HEADER}")}

        def handle_result(_: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            return self.rpc_consumer.handle_result(message, result, exc_info)

        try:
            self.container.spawn_worker(
                self, (), {"request": request}, context_data=context, handle_result=handle_result
            )
        except ContainerBeingKilled:
            self.rpc_consumer.requeue_message(message)


def parse(model: Any, body: Any) -> Any:
    """The request contract, or InvalidField naming what is wrong with it."""
    try:
        return model.model_validate_json(json.dumps(body["kwargs"]["request"]))
    except ValidationError as error:
        raise InvalidField(fields=fields(error)) from None
    except (KeyError, TypeError):
        raise InvalidField(fields=[{"field": "request", "reason": "missing"}]) from None


def fields(error: ValidationError) -> list[dict[str, str]]:
    """Which fields, and why, without quoting what was given."""
    return [
        {"field": ".".join(str(part) for part in problem["loc"]), "reason": str(problem["type"])}
        for problem in error.errors()
    ]


def _error(raised: BaseException) -> dict[str, Any]:
    if database.is_outage(raised):
        raised = Unavailable(retry_after=5)
    if not isinstance(raised, PeygirError):
        log.error("an RPC failed", error=logs.describe(raised), frames=logs.frames(raised))
        raised = PeygirError()
    return {
        "exc_type": type(raised).__name__,
        "exc_path": f"contracts.errors.{type(raised).__name__}",
        "exc_args": [raised.params],
        "value": type(raised).code,
    }


Method = TypeVar("Method", bound=Callable[..., Any])

rpc: Callable[[Method], Method] = Rpc.decorator
