"""RPC entrypoints: one request contract in, one answer contract out, errors of `contracts.errors` across the wire.

    @rpc
    def get_case(self, request: GetCase) -> StaffCase: ...

The caller gives `kwargs={"request": {...}}`, the header `nameko.deadline` (epoch milliseconds) and an expiry on the message.
nameko has the entrypoints, workers and dependencies; the queue is consumed on the process's own pika connection (`broker`).

Guaranteed:

- A request whose deadline has passed when its turn comes is dropped, not executed.
- At most `rpc_prefetch` requests are in hand, at most `max_workers` at work; the rest waits for other processes of the service.
- Each request in hand is answered, with the result or with an error of `contracts.errors`: an outage of the database is
  `unavailable`, a request that does not fit its contract or is no JSON `invalid_field`, an unknown method `internal`, like any
  other error, which is logged without its text.
- A request is acknowledged when its answer has been sent, so it is executed again where the process was killed before, or its
  connection lost. Answers are not confirmed: one that is lost with the broker, or whose caller is gone, is not sent again.
  No request is begun while there is no connection for its answer.
- Told to stop, the process takes no more requests, answers those in hand (as long as `shutdown_seconds` allows) and ends; those
  still in hand then are delivered to another process.
- The worker runs under the trace that came in the header `nameko.traceparent`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, get_type_hints

import pika
from nameko.exceptions import ContainerBeingKilled, MethodNotFound
from nameko.extensions import Entrypoint, SharedExtension
from pydantic import BaseModel, ValidationError

from backbone.messaging import amqp, topology
from backbone.messaging.broker import Consumption, Delivery
from backbone.messaging.json_answer import JsonAnswer
from backbone.process import logs
from backbone.process import traces as trace
from backbone.process.dependencies import BrokerLink
from backbone.storage import database
from contracts.errors import InvalidField, PeygirError, Unavailable

log = logs.get("rpc")

DEADLINE = "nameko.deadline"

_BEFORE_REQUEST, _AFTER_REQUEST = b'{"args":[],"kwargs":{"request":', b"}}"


class RpcConsumer(SharedExtension):  # type: ignore[misc]  # nameko is untyped
    """Consumes the service's queue of requests, for all its methods."""

    link = BrokerLink()

    def __init__(self) -> None:
        self._methods: dict[str, Rpc] = {}  # by routing key
        self._consumption: Consumption | None = None
        self._dispatcher: Any = None
        super().__init__()

    def register(self, method: Rpc) -> None:
        self._methods[f"{self.container.service_name}.{method.method_name}"] = method

    def start(self) -> None:
        """Returns when requests are delivered: until then the service is not ready."""
        queue = topology.rpc_queue(self.container.service_name)
        self._consumption = self.link.broker.consume(
            queue, self.container.config["settings"].rpc_prefetch, self._declare
        )
        self._dispatcher = self.container.spawn_managed_thread(self._dispatch)
        self._consumption.started.wait()

    def stop(self) -> None:
        """Takes no more requests, and returns when each of those in hand has a worker."""
        self._cancel()
        if self._dispatcher is not None:
            self._dispatcher.wait()

    def kill(self) -> None:
        self._cancel()

    def answer(self, delivery: Delivery, result: Any, error: BaseException | None) -> None:
        """Sends the answer, and acknowledges the request."""
        failure = None if error is None else _error(error)
        value = result.model_dump_json() if isinstance(result, BaseModel | JsonAnswer) else json.dumps(result)
        body = f'{{"result":{"null" if failure else value},"error":{json.dumps(failure)}}}'.encode()
        if delivery.properties.reply_to:
            properties = pika.BasicProperties(
                correlation_id=delivery.properties.correlation_id,
                content_type="application/json",
                content_encoding="utf-8",
                headers=_version_header(result),
            )
            self.link.broker.send(topology.RPC, delivery.properties.reply_to, body, properties)
        self.link.broker.ack([delivery])

    def _declare(self, channel: Any) -> None:
        # Each time, as a broker without its data has lost them. Without a callback nothing is waited for.
        name = self.container.service_name
        channel.exchange_declare(topology.RPC, "topic", durable=True)
        channel.queue_declare(topology.rpc_queue(name), durable=True)
        channel.queue_bind(topology.rpc_queue(name), topology.RPC, f"{name}.*")

    def _cancel(self) -> None:
        consumption = self._consumption
        if consumption is not None and not consumption.cancelled:
            consumption.cancel()
            consumption.inbox.put(None)
            if not consumption.started.ready():
                consumption.started.send(None)

    def _dispatch(self) -> None:
        assert self._consumption is not None
        while (delivery := self._consumption.inbox.get()) is not None:
            self.link.broker.wait_until_sending()  # executed before, it would be answered to nobody
            if not delivery.channel.is_open:
                continue  # it is delivered again
            try:
                self._handle(delivery)
            except ContainerBeingKilled:
                return  # unacknowledged, it is delivered to another process
            except Exception as error:  # noqa: BLE001  # whoever asked is told
                self.answer(delivery, None, error)

    def _handle(self, delivery: Delivery) -> None:
        deadline = (delivery.properties.headers or {}).get(DEADLINE)
        if isinstance(deadline, int | float) and deadline < time.time() * 1000:
            self.link.broker.ack([delivery])
            return
        method = self._methods.get(delivery.routing_key)
        if method is None:
            raise MethodNotFound(delivery.routing_key)
        method.handle(delivery)


class Rpc(Entrypoint):  # type: ignore[misc]  # nameko is untyped
    consumer = RpcConsumer()

    def setup(self) -> None:
        self.consumer.register(self)
        self._request = get_type_hints(getattr(self.container.service_cls, self.method_name))["request"]

    def stop(self) -> None:
        """All methods of a service are asked before their dependencies end; the first one ends the consuming of all."""
        self.consumer.stop()

    def handle(self, delivery: Delivery) -> None:
        """Gives the request to a worker, as soon as one is free. Raises InvalidField."""
        request = parse(self._request, delivery.body)
        headers = delivery.properties.headers or {}

        def handle_result(_: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            self.consumer.answer(delivery, result, exc_info[1] if exc_info else None)
            return result, exc_info

        self.container.spawn_worker(
            self,
            (),
            {"request": request},
            context_data={trace.HEADER: headers.get(f"nameko.{trace.HEADER}")},
            handle_result=handle_result,
        )


def _version_header(result: Any) -> dict[str, int] | None:
    version = getattr(result, "version", None)
    return {amqp.VERSION: version} if isinstance(version, int) else None


def parse(model: Any, body: bytes) -> Any:
    """The request contract, or InvalidField naming what is wrong with it."""
    if body.startswith(_BEFORE_REQUEST) and body.endswith(_AFTER_REQUEST):  # as the gateway writes it: read once
        with suppress(ValidationError):
            return model.model_validate_json(body[len(_BEFORE_REQUEST) : -len(_AFTER_REQUEST)])
    try:
        return model.model_validate_json(json.dumps(json.loads(body)["kwargs"]["request"]))
    except ValidationError as error:
        raise InvalidField(fields=fields(error)) from None
    except (KeyError, TypeError):
        raise InvalidField(fields=[{"field": "request", "reason": "missing"}]) from None
    except ValueError:
        raise InvalidField(fields=[{"field": "request", "reason": "json_invalid"}]) from None


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
