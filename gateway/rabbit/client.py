"""The gateway's one connection to RabbitMQ: confirmed publishing, RPC with a deadline, and what has happened.

pika's asyncio adapter (reference: nameko, "How the asyncio client works"). It comes back by itself within a second of the
broker's return. The three channels live apart: when the exchange of RPC is missing, submissions are still taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import pika
from pika.adapters.asyncio_connection import AsyncioConnection
from pydantic import BaseModel, TypeAdapter, create_model

from backbone.messaging import amqp, topology
from backbone.messaging.amqp import NotPublished, Outgoing
from backbone.process import logs
from backbone.process import traces as trace
from contracts.base import Request
from contracts.errors import DeadlinePassed, PeygirError, Unavailable, from_wire
from gateway.edge.metrics import ASKED, BROKER

log = logs.get("broker")

Answered = TypeVar("Answered", bound=BaseModel)
EventListener = Callable[[str, bytes], None]

EXCHANGE = "nameko-rpc"
SUBSCRIPTIONS = (
    (topology.events_of("tracking"), "#"),
    (topology.events_of("intake"), "catalogue.changed.v1"),
    (topology.events_of("media"), "#"),
    (topology.events_of("notify"), "#"),
    (topology.events_of("accounts"), "staff.changed.v1"),
    (topology.events_of("accounts"), "session.ended.v1"),
)
_PAUSE = 0.3
_LOOK = 0.25
"""Seconds from one look whether a slow service still answers anybody to the next."""
_EVENTS_KEPT = 20_000


class _Wire(BaseModel):
    """What stands around an answer."""

    error: dict[str, Any] | None = None


@dataclass
class _Question:
    """One that waits for its answer: until `until`, or until its service has answered nobody for `patience` seconds."""

    service: str
    waiter: asyncio.Future[bytes | PeygirError]
    until: float
    patience: float
    timer: asyncio.TimerHandle | None = None


class RabbitClient:
    """Start it once; it lives until `stop`. Everything runs on the loop that called `start`."""

    def __init__(
        self,
        url: str,
        name: str = "gateway",
        *,
        publish_timeout: float = 1.5,
        rpc_timeout: float = 5.0,
        rpc_deadline: float = 15.0,
        max_publishing: int = 2_000,
        max_asking: int = 500,
        retry_after: int = 5,
    ) -> None:
        self._url, self._name = url, name
        self._publish_timeout = publish_timeout
        self._rpc_timeout, self._rpc_deadline = rpc_timeout, max(rpc_timeout, rpc_deadline)
        self._max_publishing, self._max_asking = max_publishing, max_asking
        self._retry_after = retry_after
        self._connection: Any = None
        self._publishing: Any = None
        self._confirms: amqp.Confirms[asyncio.Future[NotPublished | None]] | None = None
        self._asking: Any = None
        self._reply_to = ""
        self._questions: dict[str, _Question] = {}
        self._heard: dict[str, float] = {}  # when each service last answered anybody
        self._asked = 0
        self._blocked = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._event_listeners: list[EventListener] = []
        self._subscription_listeners: list[Callable[[bool], None]] = []
        self._connect_listeners: list[Callable[[], Awaitable[None]]] = []
        self._background: set[asyncio.Future[None]] = set()
        self.subscribed = False

    # --- for the rest of the gateway ---

    @property
    def connected(self) -> bool:
        """True when a submission would be published now."""
        return self._publishing is not None and bool(self._publishing.is_open) and not self._blocked

    @property
    def blocked(self) -> bool:
        """True while the broker is there and takes nothing (it is short of memory or disk)."""
        return self._blocked

    @property
    def can_ask(self) -> bool:
        """True when services can be asked."""
        return self._asking is not None and bool(self._asking.is_open) and not self._blocked

    def on_event(self, listener: EventListener) -> None:
        """`listener(name, body)` for each event heard; it must not block, and its errors are its own."""
        self._event_listeners.append(listener)

    def on_subscription(self, listener: Callable[[bool], None]) -> None:
        """`listener(True)` when events are heard from now on, `listener(False)` when some may be missed."""
        self._subscription_listeners.append(listener)

    def on_connect(self, listener: Callable[[], Awaitable[None]]) -> None:
        """`await listener()` each time services can be asked (again)."""
        self._connect_listeners.append(listener)

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Closes the connection in good order."""
        self._stopping = True
        connection = self._connection
        if connection is not None and connection.is_open:
            connection.close()
        if self._task is not None:
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self._task, 3)
        for task in list(self._background):
            task.cancel()

    async def publish(self, message: Outgoing, timeout: float | None = None) -> None:  # noqa: ASYNC109  # a timer is cheaper
        """Returns when the broker has the message for good (persistent, mandatory, confirmed); else NotPublished, within
        `timeout` seconds."""
        channel, confirms = self._publishing, self._confirms
        if channel is None or confirms is None or not channel.is_open:
            raise NotPublished("no connection to the broker")
        if self._blocked:
            raise NotPublished("the broker takes nothing now")
        if len(confirms) >= self._max_publishing:
            raise NotPublished("too many are waiting for the broker")
        waiter: asyncio.Future[NotPublished | None] = self._loop.create_future()
        confirms.sent(message.message_id, waiter)
        try:
            channel.basic_publish(
                message.exchange, message.routing_key, message.body, message.properties(), mandatory=True
            )
        except Exception as error:  # noqa: BLE001  # pika raises many things on a connection that just died
            raise NotPublished(f"the connection closed: {type(error).__name__}") from None
        timer = self._loop.call_later(timeout or self._publish_timeout, _late, waiter)
        try:
            problem = await waiter
        finally:
            timer.cancel()
        if problem is not None:
            raise problem

    async def ask(
        self,
        service: str,
        method: str,
        request: Request,
        answer: type[Answered],
        patience: float | None = None,
    ) -> Answered:
        """The answer of `service.method`. Errors: whatever the service raised; Unavailable (it is not there, or the broker
        is not); DeadlinePassed: when the service has answered nobody for `patience` seconds (else the bus's `rpc_timeout`),
        and at the latest after `rpc_deadline`. One that answers others is slow, and worth waiting for."""
        channel = self._asking
        if channel is None or not channel.is_open or self._blocked or len(self._questions) >= self._max_asking:
            ASKED.labels(service, method, "unavailable").inc()
            raise Unavailable(retry_after=self._retry_after)
        seconds, patience = self._rpc_deadline, patience or self._rpc_timeout
        self._asked += 1
        correlation = str(self._asked)
        question = _Question(service, self._loop.create_future(), self._loop.time() + seconds, patience)
        self._questions[correlation] = question
        question.timer = self._loop.call_later(min(patience, seconds), self._overdue, correlation)
        properties = pika.BasicProperties(
            reply_to=self._reply_to,
            correlation_id=correlation,
            content_type="application/json",
            content_encoding="utf-8",
            expiration=str(int(seconds * 1000)),
            headers={
                "nameko.deadline": int((time.time() + seconds) * 1000),
                f"nameko.{trace.HEADER}": trace.current(),
            },
        )
        body = f'{{"args":[],"kwargs":{{"request":{request.model_dump_json()}}}}}'.encode()
        try:
            channel.basic_publish(EXCHANGE, f"{service}.{method}", body, properties, mandatory=True)
            result = await question.waiter
        except PeygirError:
            raise
        except Exception as error:  # noqa: BLE001  # as above
            log.warning("a question could not be sent", error=type(error).__name__)
            result = Unavailable(retry_after=self._retry_after)
        finally:
            question.timer.cancel()
            self._questions.pop(correlation, None)
        if isinstance(result, PeygirError):
            ASKED.labels(service, method, result.code).inc()
            raise result
        return _read(service, method, result, answer)

    # --- connecting ---

    async def _run(self) -> None:
        while not self._stopping:
            try:
                await self._session()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever a broken broker can raise: this loop is what brings us back
                log.warning("the broker cannot be reached", error=type(error).__name__)
            if not self._stopping:
                await asyncio.sleep(_PAUSE)

    async def _session(self) -> None:
        """From one connection's opening to its end."""
        opened: asyncio.Future[None] = self._loop.create_future()
        closed: asyncio.Future[None] = self._loop.create_future()

        def on_close(_: Any, why: BaseException) -> None:
            self._forget(f"the connection closed: {type(why).__name__}")
            if not closed.done():
                closed.set_result(None)
            if not opened.done():
                opened.set_exception(NotPublished("the connection closed while opening"))

        connection = AsyncioConnection(
            amqp.parameters(self._url, self._name),
            on_open_callback=lambda _: None if opened.done() else opened.set_result(None),
            on_open_error_callback=lambda _, why: None if opened.done() else opened.set_exception(why),
            on_close_callback=on_close,
            custom_ioloop=self._loop,
        )
        self._connection = connection
        keepers: list[asyncio.Task[None]] = []
        try:
            await asyncio.wait_for(opened, 12)
            connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(True))
            connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(False))
            await self._look_at_topology()
            keepers += [
                asyncio.create_task(keep(connection))
                for keep in (self._keep_publishing, self._keep_asking, self._keep_listening)
            ]
            await closed
            if not self._stopping:
                log.warning("the connection to the broker closed")
        finally:
            for keeper in keepers:
                keeper.cancel()
            self._forget("the connection closed")
            self._connection = None
            if connection.is_open:
                connection.close()

    async def _look_at_topology(self) -> None:
        try:
            await asyncio.wait_for(asyncio.to_thread(topology.ensure, self._url, 5.0), 6.0)
        except Exception as error:  # noqa: BLE001  # our user may be forbidden to declare; then somebody else has done it
            log.warning("the topology could not be looked at", error=type(error).__name__)

    async def _keep(
        self, connection: Any, open_: Callable[[_Channel], Awaitable[None]], close: Callable[[], None]
    ) -> None:
        """Keeps one channel open as long as its connection is."""
        while connection.is_open:
            channel = _Channel(self._loop)
            try:
                await channel.open(connection)
                await open_(channel)
                await channel.closed
                log.warning("a channel closed", why=channel.why)
            except Exception as error:  # noqa: BLE001  # a missing exchange closes the channel; it may be there in a moment
                log.warning("a channel could not be set up", error=type(error).__name__, why=channel.why)
            finally:
                close()
                channel.close()
            await asyncio.sleep(0.5)

    async def _keep_publishing(self, connection: Any) -> None:
        async def set_up(channel: _Channel) -> None:
            confirms: amqp.Confirms[asyncio.Future[NotPublished | None]] = amqp.Confirms(_settle)
            channel.raw.add_on_return_callback(lambda _c, _m, properties, _b: confirms.on_return(properties))
            # Before the close is known to anybody else, the waiting hear of it.
            channel.raw.add_on_close_callback(lambda _c, _w: confirms.lost("the channel closed"))
            await channel.done(lambda done: channel.raw.confirm_delivery(confirms.on_confirm, callback=done))
            self._confirms, self._publishing = confirms, channel.raw
            BROKER.set(1)

        await self._keep(connection, set_up, self._stop_publishing)

    async def _keep_asking(self, connection: Any) -> None:
        async def set_up(channel: _Channel) -> None:
            raw = channel.raw
            await self._find_exchange(connection)
            declared = await channel.done(
                lambda done: raw.queue_declare("", exclusive=True, auto_delete=True, callback=done)
            )
            self._reply_to = declared.method.queue
            await channel.done(lambda done: raw.queue_bind(self._reply_to, EXCHANGE, self._reply_to, callback=done))
            raw.add_on_return_callback(self._returned)
            await channel.done(
                lambda done: raw.basic_consume(
                    self._reply_to, self._answered, auto_ack=True, exclusive=True, callback=done
                )
            )
            self._asking = raw
            for listener in self._connect_listeners:
                task: asyncio.Future[None] = asyncio.ensure_future(listener())
                self._background.add(task)
                task.add_done_callback(self._background.discard)

        await self._keep(connection, set_up, self._stop_asking)

    async def _find_exchange(self, connection: Any) -> None:
        """nameko's exchange, made by the first service that starts; made here when none has, if we may."""
        look = _Channel(self._loop)
        await look.open(connection)
        try:
            await look.done(lambda done: look.raw.exchange_declare(EXCHANGE, passive=True, callback=done))
        except NotPublished:
            make = _Channel(self._loop)
            await make.open(connection)
            await make.done(lambda done: make.raw.exchange_declare(EXCHANGE, "topic", durable=True, callback=done))
            make.close()
        finally:
            look.close()

    async def _keep_listening(self, connection: Any) -> None:
        async def set_up(channel: _Channel) -> None:
            raw = channel.raw
            kept = {"x-max-length": _EVENTS_KEPT}
            declared = await channel.done(
                lambda done: raw.queue_declare("", exclusive=True, auto_delete=True, arguments=kept, callback=done)
            )
            queue = declared.method.queue
            for exchange, key in SUBSCRIPTIONS:
                await channel.done(lambda done, e=exchange, k=key: raw.queue_bind(queue, e, k, callback=done))  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
            await channel.done(
                lambda done: raw.basic_consume(queue, self._happened, auto_ack=True, exclusive=True, callback=done)
            )
            self._tell_subscription(True)

        await self._keep(connection, set_up, lambda: self._tell_subscription(False))

    # --- what the broker says ---

    def _answered(self, _: Any, __: Any, properties: Any, body: bytes) -> None:
        question = self._questions.get(properties.correlation_id)
        if question is None:
            return
        self._heard[question.service] = self._loop.time()
        if not question.waiter.done():
            question.waiter.set_result(body)

    def _returned(self, _: Any, __: Any, properties: Any, ___: bytes) -> None:
        self._fail(properties.correlation_id, Unavailable(retry_after=self._retry_after))

    def _overdue(self, correlation: str) -> None:
        question = self._questions.get(correlation)
        if question is not None and self._is_slow(question):
            again = min(self._loop.time() + _LOOK, question.until)
            question.timer = self._loop.call_at(again, self._overdue, correlation)
        else:
            self._fail(correlation, DeadlinePassed(retry_after=self._retry_after))

    def _is_slow(self, question: _Question) -> bool:
        """Whether its service is there, and has answered others while this one waits."""
        now, heard = self._loop.time(), self._heard.get(question.service)
        return heard is not None and now < question.until and now - heard < question.patience

    def _fail(self, correlation: str, error: PeygirError) -> None:
        question = self._questions.get(correlation)
        if question is not None and not question.waiter.done():
            question.waiter.set_result(error)

    def _happened(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        name = str(properties.type or method.routing_key)
        for listener in self._event_listeners:
            try:
                listener(name, body)
            except Exception as error:  # noqa: BLE001  # one event nobody can read must not stop the others
                log.warning("an event could not be used", event_name=name, error=logs.describe(error))

    def _set_blocked(self, blocked: bool) -> None:
        log.warning("the broker takes nothing now" if blocked else "the broker takes messages again")
        self._blocked = blocked
        if blocked and self._confirms is not None:
            self._confirms.lost("the broker takes nothing now")

    def _tell_subscription(self, subscribed: bool) -> None:
        if subscribed != self.subscribed:
            self.subscribed = subscribed
            for listener in self._subscription_listeners:
                listener(subscribed)

    def _stop_publishing(self) -> None:
        confirms, self._confirms, self._publishing = self._confirms, None, None
        BROKER.set(0)
        if confirms is not None:
            confirms.lost("the channel closed")

    def _stop_asking(self) -> None:
        self._asking = None
        for correlation in list(self._questions):
            self._fail(correlation, Unavailable(retry_after=self._retry_after))

    def _forget(self, why: str) -> None:
        self._blocked = False
        confirms = self._confirms
        self._stop_publishing()
        self._stop_asking()
        self._tell_subscription(False)
        if confirms is not None:
            confirms.lost(why)


class _Channel:
    """A channel whose callbacks can be awaited."""

    raw: Any = None
    why = ""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.closed: asyncio.Future[None] = loop.create_future()

    async def open(self, connection: Any) -> None:
        opened: asyncio.Future[Any] = self._loop.create_future()
        connection.channel(on_open_callback=lambda channel: None if opened.done() else opened.set_result(channel))
        self.raw = await asyncio.wait_for(opened, 5)
        self.raw.add_on_close_callback(self._on_close)

    async def done(self, start: Callable[[Callable[[Any], None]], Any]) -> Any:
        """The broker's word on what `start(callback)` asked; NotPublished when the channel closes instead."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        start(lambda frame: None if answer.done() else answer.set_result(frame))
        await asyncio.wait({answer, self.closed}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise NotPublished(self.why or "no word from the broker")
        return answer.result()

    def close(self) -> None:
        if self.raw is not None and self.raw.is_open:
            self.raw.close()

    def _on_close(self, _: Any, why: BaseException) -> None:
        self.why = str(why)
        if not self.closed.done():
            self.closed.set_result(None)


def _settle(waiter: asyncio.Future[NotPublished | None], problem: NotPublished | None) -> None:
    if not waiter.done():
        waiter.set_result(problem)


def _late(waiter: asyncio.Future[NotPublished | None]) -> None:
    _settle(waiter, NotPublished("the broker did not confirm in time"))


@lru_cache(maxsize=256)
def _adapter(answer: type[BaseModel]) -> TypeAdapter[Any]:
    fields: dict[str, Any] = {"result": (answer | None, None)}
    return TypeAdapter(create_model(f"Wire{answer.__name__}", __base__=_Wire, **fields))


def _read(service: str, method: str, body: bytes, answer: type[Answered]) -> Answered:
    wire = _adapter(answer).validate_json(body)
    if wire.error is not None:
        error = from_wire(str(wire.error.get("exc_type")), list(wire.error.get("exc_args") or []))
        ASKED.labels(service, method, error.code).inc()
        raise error
    ASKED.labels(service, method, "ok").inc()
    result: Answered | None = wire.result
    if result is None:
        raise PeygirError
    return result
