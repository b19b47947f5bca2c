"""Handlers of queues: acknowledged only when their effect is committed, retried with growing pauses, never lost.

What becomes of a message whose handler raised:

| the error                                   | where the message goes                                             |
| ------------------------------------------- | ------------------------------------------------------------------ |
| the database is out of reach                | it stays unacknowledged and is tried until the database is back     |
| `TryLater` (something else must come first) | a delay queue: 1 s, 10 s, 1 min, 10 min, then every 10 minutes     |
| `Invalid`, `CannotOpen`, undecodable        | the dead letters, at once, with the reason                         |
| anything else                               | the delay queues, counted in a header; after `MAX_FAILURES` dead   |

A consumer killed at its work has its messages delivered again by the broker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import eventlet
from eventlet.event import Event as Signal
from nameko.extensions import Entrypoint
from prometheus_client import Counter
from pydantic import ValidationError

from backbone import sealing
from backbone.messaging import amqp
from backbone.messaging.broker import Consumption, Delivery
from backbone.messaging.topology import DEAD_LETTERS, DELAYS
from backbone.process import logs
from backbone.process import traces as trace
from backbone.process.dependencies import BrokerLink
from backbone.process.logs import describe, frames
from backbone.storage import database
from contracts import registry
from contracts.base import Command, Event, now
from contracts.errors import Invalid
from texts.errors import error_text

log = logs.get("consumers")

MAX_FAILURES = 8
"""After pauses of 1 s, 10 s, 1 min and four of 10 min: 41 minutes of trying."""
MAX_WAITS = 300
WAITS = "peygir-waits"

OUTCOMES = Counter("peygir_messages_total", "Messages by queue and what became of them", ["queue", "outcome"])

Message = Event | Command
Method = TypeVar("Method", bound=Callable[..., Any])


class TryLater(Exception):
    """What this message needs is not there yet. Says why; not a failure of the message."""


class _Undecodable(Exception):
    pass


class DurableHandler(Entrypoint):  # type: ignore[misc]  # nameko is untyped
    """Entrypoint on one durable queue of the topology.

    `batch` 1: the method gets one message; more: a list of up to that many that lay ready, handled in one transaction
    (one bad message in it makes the batch be handled one by one). `linger`: seconds to wait for more when the batch is not
    full, where nobody waits for the effect: a batch costs little more than one. `concurrency`: handlers at once.
    """

    link = BrokerLink()

    def __init__(self, queue: str, *, batch: int = 1, linger: float = 0.0, concurrency: int = 4, **kwargs: Any) -> None:
        self.queue, self.batch, self.linger, self.concurrency = queue, batch, linger, concurrency
        self._consumption: Consumption | None = None
        self._stopping = False
        self._workers: list[Any] = []
        super().__init__(**kwargs)

    def setup(self) -> None:
        self._types = registry.messages()

    def start(self) -> None:
        prefetch = self.batch * 2 * self.concurrency if self.batch > 1 else self.concurrency * 2
        self._consumption = self.link.broker.consume(self.queue, prefetch)
        self._workers = [self.container.spawn_managed_thread(self._work) for _ in range(self.concurrency)]

    def stop(self) -> None:
        """Consumes no more, and finishes what it has."""
        self._stopping = True
        if self._consumption is not None:
            self._consumption.cancel()
            for _ in self._workers:
                self._consumption.inbox.put(None)
        for worker in self._workers:
            worker.wait()

    def _work(self) -> None:
        assert self._consumption is not None
        while not self._stopping:
            deliveries = self._take(self._consumption)
            if deliveries:
                self._handle(deliveries)

    def _take(self, consumption: Consumption) -> list[Delivery]:
        first = consumption.inbox.get()
        if first is None:
            return []
        taken = [first]
        if self.linger and consumption.inbox.qsize() < self.batch - 1 and not self._stopping:
            eventlet.sleep(self.linger)
        while len(taken) < self.batch and not consumption.inbox.empty():
            more = consumption.inbox.get_nowait()
            if more is None:
                break
            taken.append(more)
        return [delivery for delivery in taken if delivery.channel.is_open]

    def _handle(self, deliveries: list[Delivery]) -> None:
        decoded: list[tuple[Delivery, Message]] = []
        for delivery in deliveries:
            try:
                decoded.append((delivery, self._decode(delivery)))
            except _Undecodable as error:
                self._dead_letter(delivery, str(error))
        if not decoded:
            return
        failure = self._try([message for _, message in decoded], decoded[0][0])
        if failure is None:
            self.link.broker.ack([delivery for delivery, _ in decoded])
            OUTCOMES.labels(self.queue, "done").inc(len(decoded))
        elif database.is_outage(failure):
            return  # stopping, or cut off from the broker, which gives them to whoever consumes next
        elif len(decoded) == 1:
            self._failed(decoded[0][0], failure)
        elif not self._stopping:
            for delivery, _ in decoded:
                self._handle([delivery])

    def _try(self, messages: list[Message], first: Delivery) -> BaseException | None:
        """Calls the method; while the database is away it keeps the messages unacknowledged and calls again."""
        pause = 0.1
        while True:
            error = self._call(messages if self.batch > 1 else messages[0], first)
            if error is None or not database.is_outage(error):
                return error
            if self._stopping or not first.channel.is_open:
                return error
            log.warning("the database is away; holding", queue=self.queue, messages=len(messages), pause=pause)
            eventlet.sleep(pause)
            pause = min(pause * 2, 2.0)

    def _call(self, argument: Message | list[Message], first: Delivery) -> BaseException | None:
        done = Signal()

        def handle_result(_: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send(exc_info[1] if exc_info else None)
            return result, None

        self.container.spawn_worker(
            self,
            (argument,),
            {},
            context_data={trace.HEADER: first.headers.get(amqp.TRACE)},
            handle_result=handle_result,
        )
        error: BaseException | None = done.wait()
        return error

    def _decode(self, delivery: Delivery) -> Message:
        cls = self._types.get(delivery.name)
        if cls is None:
            raise _Undecodable(f"nobody here knows messages named {delivery.name[:100]}")
        try:
            return cls.model_validate_json(delivery.body)
        except ValidationError as error:
            where = [".".join(str(part) for part in problem["loc"]) or "body" for problem in error.errors()]
            raise _Undecodable(f"not a {delivery.name}: {', '.join(where[:5])}") from None

    def _failed(self, delivery: Delivery, error: BaseException) -> None:
        if isinstance(error, Invalid):
            self._dead_letter(delivery, f"{type(error).__name__}: {error_text(error, 'en')}")
        elif isinstance(error, sealing.CannotOpen):
            self._dead_letter(delivery, f"CannotOpen: {error}")
        elif isinstance(error, TryLater):
            waits = int(delivery.headers.get(WAITS, 0)) + 1
            if waits > MAX_WAITS:
                self._dead_letter(delivery, f"waited {MAX_WAITS} times: {error}")
            else:
                self._delay(delivery, {WAITS: waits}, waits, "waits")
        else:
            failures = int(delivery.headers.get(amqp.FAILURES, 0)) + 1
            reason = describe(error)
            log.error("a handler failed", queue=self.queue, failures=failures, error=reason, frames=frames(error))
            if failures >= MAX_FAILURES:
                self._dead_letter(delivery, reason, {amqp.FAILURES: failures})
            else:
                self._delay(delivery, {amqp.FAILURES: failures, amqp.ERROR: reason}, failures, "retried")

    def _delay(self, delivery: Delivery, headers: dict[str, Any], times: int, outcome: str) -> None:
        delay = list(DELAYS)[min(times, len(DELAYS)) - 1]
        self._move(delivery, delay, headers, outcome)

    def _dead_letter(self, delivery: Delivery, reason: str, headers: dict[str, Any] | None = None) -> None:
        why = {**(headers or {}), amqp.ERROR: reason, amqp.QUEUE: self.queue, amqp.DIED: now().isoformat()}
        log.error("to the dead letters", queue=self.queue, message=delivery.name[:100], reason=reason)
        self._move(delivery, DEAD_LETTERS, why, "dead")

    def _move(self, delivery: Delivery, exchange: str, headers: dict[str, Any], outcome: str) -> None:
        """Published elsewhere, confirmed, before it is acknowledged here: at worst it is in both places.

        While the broker accepts nothing it stays unacknowledged: given back, it would come again at once, and be counted as a
        delivery each time, until the broker itself gave it up.
        """
        kept = {name: value for name, value in delivery.headers.items() if not name.startswith("x-")}
        message_id = str(delivery.properties.message_id or f"{self.queue}-{delivery.tag}")
        moved = amqp.Outgoing(exchange, self.queue, delivery.body, message_id, delivery.name, kept | headers)
        pause = 0.1
        while delivery.channel.is_open:  # closed: it comes again, and a copy would be one too many
            [error] = self.link.broker.publish([moved])
            if error is None:
                self.link.broker.ack([delivery])
                OUTCOMES.labels(self.queue, outcome).inc()
                return
            if self._stopping:
                return
            log.warning("a message cannot be moved yet; holding", queue=self.queue, to=exchange, why=str(error))
            eventlet.sleep(pause)
            pause = min(pause * 2, 2.0)


durable_event_handler: Callable[..., Callable[[Method], Method]] = DurableHandler.decorator
"""`@durable_event_handler("tracking.media")`: the method gets one event (or, with `batch=N`, a list)."""
