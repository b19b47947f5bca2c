"""The gateway's one connection to RabbitMQ: confirmed publishing, RPC with a deadline, and events.

By pika's asyncio adapter (reference: nameko, "How the asyncio client works"). It reconnects by itself within a second of the
broker's return. The three channels are independent: when the exchange of RPC is missing, submissions are still accepted.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import pika
from pika.adapters.asyncio_connection import AsyncioConnection
from pydantic import BaseModel

from backbone.messaging import amqp, topology
from backbone.messaging.amqp import NotPublished, Outgoing
from backbone.process import logs
from backbone.process import traces as trace
from contracts.base import Request
from contracts.errors import DeadlinePassed, PeygirError, Unavailable
from gateway.edge.metrics import BROKER, RPC_CALLS
from gateway.rabbit.channel import AwaitableChannel
from gateway.rabbit.rpc_reply import RawAnswer, Reply, parse_reply, raw_answer

log = logs.get("broker")

AnswerModel = TypeVar("AnswerModel", bound=BaseModel)
EventListener = Callable[[str, bytes], None]

SUBSCRIPTIONS = (
    (topology.events_of("tracking"), "#"),
    (topology.events_of("intake"), "catalogue.changed.v1"),
    (topology.events_of("media"), "#"),
    (topology.events_of("notify"), "#"),
    (topology.events_of("accounts"), "staff.changed.v1"),
    (topology.events_of("accounts"), "leave.changed.v1"),
    (topology.events_of("accounts"), "session.ended.v1"),
)
_RECONNECT_SECONDS = 0.3
_CHECK_SECONDS = 0.25
"""Between two checks whether a slow service still answers any call."""
_MAX_QUEUED_EVENTS = 20_000


@dataclass
class _PendingCall:
    """A call that waits for its answer: until `deadline`, or until its service has answered no call for `patience` seconds."""

    service: str
    waiter: asyncio.Future[Reply | PeygirError]
    deadline: float
    patience: float
    timer: asyncio.TimerHandle | None = None


class RabbitClient:
    """Started once, it runs until `stop`, on the event loop that called `start`."""

    def __init__(
        self,
        url: str,
        name: str = "gateway",
        *,
        publish_timeout: float = 1.5,
        rpc_timeout: float = 5.0,
        rpc_deadline: float = 15.0,
        max_publishing: int = 2_000,
        max_calls: int = 500,
        retry_after: int = 5,
    ) -> None:
        self._url, self._name = url, name
        self._publish_timeout = publish_timeout
        self._rpc_timeout, self._rpc_deadline = rpc_timeout, max(rpc_timeout, rpc_deadline)
        self._max_publishing, self._max_calls = max_publishing, max_calls
        self._retry_after = retry_after
        self._connection: Any = None
        self._publish_channel: Any = None
        self._confirms: amqp.Confirms[asyncio.Future[NotPublished | None]] | None = None
        self._rpc_channel: Any = None
        self._reply_to = ""
        self._pending_calls: dict[str, _PendingCall] = {}
        self._last_answers: dict[str, float] = {}  # when each service last answered any call
        self._call_count = 0
        self._blocked = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._event_listeners: list[EventListener] = []
        self._subscription_listeners: list[Callable[[bool], None]] = []
        self._connect_listeners: list[Callable[[], Awaitable[None]]] = []
        self._broadcast_listeners: list[Callable[[bytes], None]] = []
        self._live_channel: Any = None
        self._background: set[asyncio.Future[None]] = set()
        self.subscribed = False

    @property
    def connected(self) -> bool:
        """True when a submission would be published now."""
        return self._publish_channel is not None and bool(self._publish_channel.is_open) and not self._blocked

    @property
    def blocked(self) -> bool:
        """True while the broker is connected and accepts nothing, being short of memory or disk."""
        return self._blocked

    @property
    def can_call(self) -> bool:
        """True when services can be called."""
        return self._rpc_channel is not None and bool(self._rpc_channel.is_open) and not self._blocked

    def add_event_listener(self, listener: EventListener) -> None:
        """`listener(name, body)` is called for each event; it must not block. Its exceptions are logged, no more."""
        self._event_listeners.append(listener)

    def add_subscription_listener(self, listener: Callable[[bool], None]) -> None:
        """`listener(True)` is called when events are received from now on, `listener(False)` when some may be missed."""
        self._subscription_listeners.append(listener)

    def add_connect_listener(self, listener: Callable[[], Awaitable[None]]) -> None:
        """`await listener()` is run each time services can be called (again)."""
        self._connect_listeners.append(listener)

    def add_broadcast_listener(self, listener: Callable[[bytes], None]) -> None:
        """`listener(body)` is called for what any gateway broadcasts, this one too; it must not block or raise."""
        self._broadcast_listeners.append(listener)

    def broadcast(self, body: bytes) -> None:
        """To every gateway that is there now, this one too. It may be lost, and is stored nowhere."""
        channel = self._live_channel
        if channel is None or not channel.is_open or self._blocked:
            return
        try:
            channel.basic_publish(topology.LIVE, "", body, pika.BasicProperties(content_type="application/json"))
        except Exception as error:  # noqa: BLE001  # pika raises many things on a connection that just died
            log.warning("a broadcast could not be sent", error=type(error).__name__)

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Closes the connection cleanly."""
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
        """Returns when the broker has stored the message (persistent, mandatory, confirmed); else raises NotPublished, within
        `timeout` seconds."""
        channel, confirms = self._publish_channel, self._confirms
        if channel is None or confirms is None or not channel.is_open:
            raise NotPublished("no connection to the broker")
        if self._blocked:
            raise NotPublished("the broker accepts nothing now")
        if len(confirms) >= self._max_publishing:
            raise NotPublished("too many messages wait for the broker's confirmation")
        waiter: asyncio.Future[NotPublished | None] = self._loop.create_future()
        confirms.sent(message.message_id, waiter)
        try:
            channel.basic_publish(
                message.exchange, message.routing_key, message.body, message.properties(), mandatory=True
            )
        except Exception as error:  # noqa: BLE001  # pika raises many things on a connection that just died
            raise NotPublished(f"the connection closed: {type(error).__name__}") from None
        timer = self._loop.call_later(timeout or self._publish_timeout, _on_confirm_timeout, waiter)
        try:
            problem = await waiter
        finally:
            timer.cancel()
        if problem is not None:
            raise problem

    async def call(
        self,
        service: str,
        method: str,
        request: Request,
        answer: type[AnswerModel],
        patience: float | None = None,
    ) -> AnswerModel:
        """The answer of `service.method`. Errors: see `call_raw`."""
        return parse_reply(service, method, (await self._reply(service, method, request, patience)).body, answer)

    async def call_raw(self, service: str, method: str, request: Request) -> RawAnswer:
        """The answer of `service.method` as the JSON in which it came. Errors: whatever the service raised; Unavailable when it
        does not run, or the broker does not; DeadlinePassed when the service has answered no call for `patience` seconds
        (default: the client's `rpc_timeout`), and at the latest after `rpc_deadline`. A service that answers other calls is
        slow, and waited for."""
        return raw_answer(service, method, await self._reply(service, method, request, None))

    async def _reply(self, service: str, method: str, request: Request, patience: float | None) -> Reply:
        channel = self._rpc_channel
        if channel is None or not channel.is_open or self._blocked or len(self._pending_calls) >= self._max_calls:
            RPC_CALLS.labels(service, method, "unavailable").inc()
            raise Unavailable(retry_after=self._retry_after)
        seconds, patience = self._rpc_deadline, patience or self._rpc_timeout
        self._call_count += 1
        correlation = str(self._call_count)
        pending = _PendingCall(service, self._loop.create_future(), self._loop.time() + seconds, patience)
        self._pending_calls[correlation] = pending
        pending.timer = self._loop.call_later(min(patience, seconds), self._check_pending, correlation)
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
            channel.basic_publish(topology.RPC, f"{service}.{method}", body, properties, mandatory=True)
            result = await pending.waiter
        except PeygirError:
            raise
        except Exception as error:  # noqa: BLE001  # as above
            log.warning("a call could not be sent", error=type(error).__name__)
            result = Unavailable(retry_after=self._retry_after)
        finally:
            pending.timer.cancel()
            self._pending_calls.pop(correlation, None)
        if isinstance(result, PeygirError):
            RPC_CALLS.labels(service, method, result.code).inc()
            raise result
        return result

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
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def _session(self) -> None:
        """One connection, from opening to close."""
        opened: asyncio.Future[None] = self._loop.create_future()
        closed: asyncio.Future[None] = self._loop.create_future()

        def on_close(_: Any, why: BaseException) -> None:
            self._reset(f"the connection closed: {type(why).__name__}")
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
        channel_tasks: list[asyncio.Task[None]] = []
        try:
            await asyncio.wait_for(opened, 12)
            connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(True))
            connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(False))
            await self._ensure_topology()
            channel_tasks += [
                asyncio.create_task(keep(connection))
                for keep in (
                    self._keep_publish_channel,
                    self._keep_rpc_channel,
                    self._keep_event_channel,
                    self._keep_live_channel,
                )
            ]
            await closed
            if not self._stopping:
                log.warning("the connection to the broker closed")
        finally:
            for task in channel_tasks:
                task.cancel()
            self._reset("the connection closed")
            self._connection = None
            if connection.is_open:
                connection.close()

    async def _ensure_topology(self) -> None:
        try:
            await asyncio.wait_for(asyncio.to_thread(topology.ensure, self._url, 5.0), 6.0)
        except Exception as error:  # noqa: BLE001  # this user may not be allowed to declare; then another process has done it
            log.warning("the topology could not be declared", error=type(error).__name__)

    async def _keep_channel(
        self, connection: Any, set_up: Callable[[AwaitableChannel], Awaitable[None]], tear_down: Callable[[], None]
    ) -> None:
        """Keeps a channel open as long as its connection is: `set_up` each time it was opened, `tear_down` when it closed."""
        while connection.is_open:
            channel = AwaitableChannel(self._loop)
            try:
                await channel.open(connection)
                await set_up(channel)
                await channel.closed
                log.warning("a channel closed", why=channel.close_reason)
            except Exception as error:  # noqa: BLE001  # a missing exchange closes the channel; it may be declared in a moment
                log.warning("a channel could not be set up", error=type(error).__name__, why=channel.close_reason)
            finally:
                tear_down()
                channel.close()
            await asyncio.sleep(0.5)

    async def _keep_publish_channel(self, connection: Any) -> None:
        async def set_up(channel: AwaitableChannel) -> None:
            confirms: amqp.Confirms[asyncio.Future[NotPublished | None]] = amqp.Confirms(_settle)
            channel.raw.add_on_return_callback(lambda _c, _m, properties, _b: confirms.on_return(properties))
            # Called before `tear_down`: whoever waits for a confirmation knows at once.
            channel.raw.add_on_close_callback(lambda _c, _w: confirms.lost("the channel closed"))
            await channel.wait_for(
                lambda callback: channel.raw.confirm_delivery(confirms.on_confirm, callback=callback)
            )
            self._confirms, self._publish_channel = confirms, channel.raw
            BROKER.set(1)

        await self._keep_channel(connection, set_up, self._close_publish_channel)

    async def _keep_rpc_channel(self, connection: Any) -> None:
        async def set_up(channel: AwaitableChannel) -> None:
            raw = channel.raw
            await self._ensure_rpc_exchange(connection)
            declared = await channel.wait_for(
                lambda callback: raw.queue_declare("", exclusive=True, auto_delete=True, callback=callback)
            )
            self._reply_to = declared.method.queue
            await channel.wait_for(
                lambda callback: raw.queue_bind(self._reply_to, topology.RPC, self._reply_to, callback=callback)
            )
            raw.add_on_return_callback(self._on_return)
            await channel.wait_for(
                lambda callback: raw.basic_consume(
                    self._reply_to, self._on_reply, auto_ack=True, exclusive=True, callback=callback
                )
            )
            self._rpc_channel = raw
            for listener in self._connect_listeners:
                task: asyncio.Future[None] = asyncio.ensure_future(listener())
                self._background.add(task)
                task.add_done_callback(self._background.discard)

        await self._keep_channel(connection, set_up, self._close_rpc_channel)

    async def _ensure_rpc_exchange(self, connection: Any) -> None:
        """nameko's exchange, declared by the first service that starts; declared here when none has, if this user may."""
        check = AwaitableChannel(self._loop)
        await check.open(connection)
        try:
            await check.wait_for(
                lambda callback: check.raw.exchange_declare(topology.RPC, passive=True, callback=callback)
            )
        except NotPublished:
            declare = AwaitableChannel(self._loop)
            await declare.open(connection)
            await declare.wait_for(
                lambda callback: declare.raw.exchange_declare(topology.RPC, "topic", durable=True, callback=callback)
            )
            declare.close()
        finally:
            check.close()

    async def _keep_event_channel(self, connection: Any) -> None:
        async def set_up(channel: AwaitableChannel) -> None:
            await _consume(channel, SUBSCRIPTIONS, self._on_event)
            self._set_subscribed(True)

        await self._keep_channel(connection, set_up, lambda: self._set_subscribed(False))

    async def _keep_live_channel(self, connection: Any) -> None:
        """A channel of its own: where it is not permitted yet, all else goes on."""

        async def set_up(channel: AwaitableChannel) -> None:
            await _consume(channel, ((topology.LIVE, ""),), self._on_broadcast)
            self._live_channel = channel.raw

        def tear_down() -> None:
            self._live_channel = None

        await self._keep_channel(connection, set_up, tear_down)

    # --- callbacks ---

    def _on_reply(self, _: Any, __: Any, properties: Any, body: bytes) -> None:
        pending = self._pending_calls.get(properties.correlation_id)
        if pending is None:
            return
        self._last_answers[pending.service] = self._loop.time()
        if not pending.waiter.done():
            pending.waiter.set_result(Reply(body, properties.headers or {}))

    def _on_return(self, _: Any, __: Any, properties: Any, ___: bytes) -> None:
        self._fail(properties.correlation_id, Unavailable(retry_after=self._retry_after))

    def _check_pending(self, correlation: str) -> None:
        pending = self._pending_calls.get(correlation)
        if pending is not None and self._is_slow(pending):
            next_check = min(self._loop.time() + _CHECK_SECONDS, pending.deadline)
            pending.timer = self._loop.call_at(next_check, self._check_pending, correlation)
        else:
            self._fail(correlation, DeadlinePassed(retry_after=self._retry_after))

    def _is_slow(self, pending: _PendingCall) -> bool:
        """Whether its service runs: it has answered other calls while this one waits."""
        now, last_answer = self._loop.time(), self._last_answers.get(pending.service)
        return last_answer is not None and now < pending.deadline and now - last_answer < pending.patience

    def _fail(self, correlation: str, error: PeygirError) -> None:
        pending = self._pending_calls.get(correlation)
        if pending is not None and not pending.waiter.done():
            pending.waiter.set_result(error)

    def _on_event(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        name = str(properties.type or method.routing_key)
        for listener in self._event_listeners:
            try:
                listener(name, body)
            except Exception as error:  # noqa: BLE001  # one malformed event must not stop the others
                log.warning("an event could not be handled", event_name=name, error=logs.describe(error))

    def _on_broadcast(self, _: Any, __: Any, ___: Any, body: bytes) -> None:
        for listener in self._broadcast_listeners:
            listener(body)

    def _set_blocked(self, blocked: bool) -> None:
        log.warning("the broker accepts nothing now" if blocked else "the broker accepts messages again")
        self._blocked = blocked
        if blocked and self._confirms is not None:
            self._confirms.lost("the broker accepts nothing now")

    def _set_subscribed(self, subscribed: bool) -> None:
        if subscribed != self.subscribed:
            self.subscribed = subscribed
            for listener in self._subscription_listeners:
                listener(subscribed)

    def _close_publish_channel(self) -> None:
        confirms, self._confirms, self._publish_channel = self._confirms, None, None
        BROKER.set(0)
        if confirms is not None:
            confirms.lost("the channel closed")

    def _close_rpc_channel(self) -> None:
        self._rpc_channel = None
        for correlation in list(self._pending_calls):
            self._fail(correlation, Unavailable(retry_after=self._retry_after))

    def _reset(self, why: str) -> None:
        self._blocked = False
        confirms = self._confirms
        self._close_publish_channel()
        self._close_rpc_channel()
        self._set_subscribed(False)
        if confirms is not None:
            confirms.lost(why)


async def _consume(
    channel: AwaitableChannel, bindings: Iterable[tuple[str, str]], receive: Callable[..., None]
) -> None:
    """Consumes a queue of this process's own that is bound to these exchanges by these keys, and goes with the channel."""
    raw, limits = channel.raw, {"x-max-length": _MAX_QUEUED_EVENTS}
    declared = await channel.wait_for(
        lambda callback: raw.queue_declare("", exclusive=True, auto_delete=True, arguments=limits, callback=callback)
    )
    queue = declared.method.queue
    for exchange, key in bindings:
        await channel.wait_for(lambda done, e=exchange, k=key: raw.queue_bind(queue, e, k, callback=done))  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
    await channel.wait_for(
        lambda callback: raw.basic_consume(queue, receive, auto_ack=True, exclusive=True, callback=callback)
    )


def _settle(waiter: asyncio.Future[NotPublished | None], problem: NotPublished | None) -> None:
    if not waiter.done():
        waiter.set_result(problem)


def _on_confirm_timeout(waiter: asyncio.Future[NotPublished | None]) -> None:
    _settle(waiter, NotPublished("the broker did not confirm in time"))
