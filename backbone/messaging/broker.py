"""The connections to RabbitMQ of a nameko process: confirmed publishing and consuming, reconnecting by themselves.

Each is a pika connection on eventlet's hub (`hub_loop`), so heartbeats are answered while handlers work, and a green thread that
publishes or acknowledges calls pika itself. Callbacks run in the hub and must not wait.

Guaranteed:

- A connection that is lost comes back: after 0.1 s, then after pauses that double up to 2 s. One that is silent is lost: after
  20 s without a byte (heartbeats of 15 s), after 10 s while it opens, after 60 s while the broker blocks it.
- `publish` says of each message whether the broker has it for good. What the connection took with it, or what the broker did not
  confirm in time, counts as not published; while the broker blocks publishers nothing is waited for.
- At most `prefetch` deliveries of a queue are unacknowledged. Those that wait unstarted when their channel closes are dropped
  here: the broker delivers them again.
- A queue whose consumer the broker cancels, or whose channel it closes, is consumed again after 1 s.
- After `cancel` no delivery comes: what the broker sent meanwhile goes back to its queue.
- `stop` sends what was published and acknowledged before it closes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import eventlet
from eventlet.event import Event as Signal
from eventlet.queue import LightQueue

from backbone.messaging import amqp, topology
from backbone.messaging.amqp import NotPublished, Outgoing
from backbone.messaging.hub_loop import HubConnection
from backbone.process import logs

log = logs.get("broker")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_TOPOLOGY_TIMEOUT = 15.0

Declare = Callable[[Any], None]
"""Declares on a pika channel what is to be consumed."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivered message. Unacknowledged until `ack`: when the connection breaks it is delivered again."""

    channel: Any
    tag: int
    routing_key: str
    properties: Any
    body: bytes
    redelivered: bool

    @property
    def name(self) -> str:
        return str(self.properties.type or self.routing_key)

    @property
    def headers(self) -> dict[str, Any]:
        return dict(self.properties.headers or {})


class _Batch:
    """Waits for the confirms of some messages published together."""

    def __init__(self, size: int) -> None:
        self.errors: list[NotPublished | None] = [None] * size
        self._left = size
        self._done = Signal()

    def settle(self, place: int, error: NotPublished | None) -> None:
        self.errors[place] = error
        self._left -= 1
        if self._left == 0 and not self._done.ready():
            self._done.send(None)

    def wait(self, timeout: float) -> list[NotPublished | None]:
        try:
            with eventlet.Timeout(timeout):
                self._done.wait()
        except eventlet.Timeout:
            return [NotPublished("the broker did not confirm in time")] * len(self.errors)
        return self.errors


class Consumption:
    """A queue being consumed: deliveries wait in `inbox` until a worker takes them; at most `prefetch` at once.
    `started` is sent when the broker has begun to deliver, for the first time."""

    def __init__(self, broker: Broker, queue: str, prefetch: int, declare: Declare | None) -> None:
        self.queue, self.prefetch = queue, prefetch
        self.inbox: LightQueue = LightQueue()
        self.started = Signal()
        self._broker, self._declare = broker, declare
        self._channel: Any = None
        self._tag: str | None = None
        self.cancelled = False

    def open_on(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._opened)

    def _opened(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._closed)
        channel.add_on_cancel_callback(lambda _: channel.close())
        if self._declare is not None:
            self._declare(channel)
        channel.basic_qos(prefetch_count=self.prefetch, callback=lambda _: self._consume(channel))

    def _consume(self, channel: Any) -> None:
        if not self.cancelled:
            self._tag = channel.basic_consume(self.queue, self._delivered, callback=self._consuming)

    def _consuming(self, _: Any) -> None:
        if not self.started.ready():
            self.started.send(None)

    def _delivered(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self.inbox.put(Delivery(channel, method.delivery_tag, method.routing_key, properties, body, method.redelivered))

    def _closed(self, channel: Any, why: Any) -> None:
        self._channel = None
        waiting = [self.inbox.get_nowait() for _ in range(self.inbox.qsize())]
        for stop_signal in (delivery for delivery in waiting if delivery is None):
            self.inbox.put(stop_signal)  # the rest comes again; handling it now would be work done twice
        if not self.cancelled and channel.connection.is_open:
            log.warning("a channel closed; consuming again", queue=self.queue, why=str(why))
            channel.connection.loop.call_later(1.0, lambda: self._broker.reopen(self))

    def cancel(self) -> None:
        """No more deliveries; what waits unstarted goes back to the broker when the channel closes."""
        self.cancelled = True
        channel = self._channel
        if channel is not None and channel.is_open and self._tag:
            channel.basic_cancel(self._tag)


class _Connection:
    """A connection that comes back by itself; a green thread of its own waits for its end and opens the next."""

    def __init__(
        self,
        url: str,
        name: str,
        *,
        opened: Callable[[Any], None],
        closed: Callable[[], None],
        ensures_topology: bool = False,
    ) -> None:
        """`opened(connection)` each time it is there, `closed()` each time it is gone; `ensures_topology`: first, each time."""
        self._url, self._name, self._ensures_topology = url, name, ensures_topology
        self._on_open, self._on_close = opened, closed
        self._stopping = self._was_open = False
        self._thread: Any = None
        self.connection: Any = None

    @property
    def is_open(self) -> bool:
        return self.connection is not None and bool(self.connection.is_open)

    def start(self) -> None:
        if self._thread is None:
            self._thread = eventlet.spawn(self._run)

    def stop(self) -> None:
        self._stopping = True
        if self.connection is not None and not (self.connection.is_closing or self.connection.is_closed):
            self.connection.close()

    def wait(self, seconds: float) -> None:
        """Until it has stopped."""
        if self._thread is not None:
            with eventlet.Timeout(seconds, False):
                self._thread.wait()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping:
            self._was_open = False
            try:
                if self._ensures_topology:
                    with eventlet.Timeout(_TOPOLOGY_TIMEOUT):
                        topology.ensure(self._url, timeout=5.0)
                self._serve()
            except (Exception, eventlet.Timeout) as error:  # noqa: BLE001  # whatever a broken broker can raise: this loop is what brings us back
                log.warning(
                    "the broker cannot be reached", connection=self._name, error=type(error).__name__, pause=pause
                )
            if self._was_open:
                pause = _FIRST_PAUSE
            if not self._stopping:
                eventlet.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _serve(self) -> None:
        """From one connection's opening to its end."""
        connection = self.connection = HubConnection(
            amqp.parameters(self._url, self._name),
            on_open=self._opened,
            on_open_error=lambda connection, why: connection.loop.stop(),
            on_close=self._closed,
        )
        try:
            connection.loop.run()
        finally:
            self._on_close()
            connection.loop.close()

    def _opened(self, connection: Any) -> None:
        self._was_open = True
        self._on_open(connection)

    def _closed(self, connection: Any, why: Any) -> None:
        if not self._stopping:
            log.warning("the connection to the broker closed", connection=self._name, why=str(why))
        connection.loop.stop()


class Broker:
    """The process's connections, one to publish and one to consume. Start it once; it lives until `stop`.

    Two, since a broker short of memory or disk stops reading from whoever publishes: were the acknowledgements on the
    same connection, the queues could never be emptied, and the alarm would never end.
    """

    def __init__(self, url: str, name: str) -> None:
        self._publishing = _Connection(
            url,
            name,
            opened=self._open_publishing,
            closed=lambda: self._forget("the connection closed"),
            ensures_topology=True,
        )
        self._consuming = _Connection(url, f"{name} consumer", opened=self._open_consuming, closed=lambda: None)
        self._channel: Any = None
        self._confirms: Any = None  # amqp.Confirms of the channel
        self._unconfirmed: Any = None
        self._can_send = Signal()
        self._blocked = False
        self._consumptions: list[Consumption] = []

    @property
    def connected(self) -> bool:
        """True when it can publish now."""
        return self._channel is not None and bool(self._channel.is_open) and not self._blocked

    @property
    def blocked(self) -> bool:
        """True while the broker is there and takes nothing (it is short of memory or disk)."""
        return self._blocked

    def start(self) -> None:
        self._publishing.start()
        self._consuming.start()

    def stop(self) -> None:
        """Closes the connections; unacknowledged deliveries go back to their queues."""
        self._publishing.stop()
        self._consuming.stop()
        self._publishing.wait(5)
        self._consuming.wait(5)

    def publish(self, messages: Sequence[Outgoing], timeout: float = 10.0) -> list[NotPublished | None]:
        """Publishes persistent, mandatory and confirmed; one result a message, None when the broker has it for good."""
        if not messages:
            return []
        if not self.connected:
            return [NotPublished("no connection to the broker")] * len(messages)
        batch = _Batch(len(messages))
        for place, message in enumerate(messages):
            self._publish(message, batch, place)
        return batch.wait(timeout)

    def _publish(self, message: Outgoing, batch: _Batch, place: int) -> None:
        try:
            self._channel.basic_publish(
                message.exchange, message.routing_key, message.body, message.properties(), mandatory=True
            )
        except Exception as error:  # noqa: BLE001  # pika raises many things on a connection that just died
            batch.settle(place, NotPublished(f"it could not be sent: {type(error).__name__}"))
        else:
            self._confirms.sent(message.message_id, (batch, place))

    def send(self, exchange: str, routing_key: str, body: bytes, properties: Any) -> None:
        """Publishes without waiting or confirming: for an RPC's answer, which is asked for again when it is lost."""
        if self._unconfirmed is not None and not self._blocked:
            self._unconfirmed.basic_publish(exchange, routing_key, body, properties)

    def wait_until_sending(self) -> None:
        """Returns when `send` has a connection."""
        self._can_send.wait()

    def consume(self, queue: str, prefetch: int, declare: Declare | None = None) -> Consumption:
        """Consumes `queue` from now on, through every reconnection. `declare(channel)` is called before, each time; it must not
        wait, and what it asks for in vain closes the channel."""
        consumption = Consumption(self, queue, prefetch, declare)
        self._consumptions.append(consumption)
        self.reopen(consumption)
        return consumption

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """They are done. Lost silently with a broken channel: then they come again."""
        for delivery in deliveries:
            if delivery.channel.is_open:
                delivery.channel.basic_ack(delivery.tag)

    def reopen(self, consumption: Consumption) -> None:
        if self._consuming.is_open and not consumption.cancelled:
            consumption.open_on(self._consuming.connection)

    def _open_consuming(self, _: Any) -> None:
        for consumption in self._consumptions:
            self.reopen(consumption)

    def _open_publishing(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(False))
        connection.channel(on_open_callback=self._channel_opened)
        connection.channel(on_open_callback=self._unconfirmed_opened)

    def _set_blocked(self, blocked: bool) -> None:
        log.warning("the broker takes nothing now" if blocked else "the broker takes messages again")
        self._blocked = blocked
        if blocked and self._confirms is not None:
            self._confirms.lost("the broker takes nothing now")

    def _channel_opened(self, channel: Any) -> None:
        confirms: amqp.Confirms[tuple[_Batch, int]] = amqp.Confirms(lambda w, error: w[0].settle(w[1], error))
        channel.add_on_return_callback(lambda _c, _m, properties, _b: confirms.on_return(properties))
        channel.add_on_close_callback(self._channel_closed)

        def ready(_: Any) -> None:
            self._confirms, self._channel = confirms, channel

        channel.confirm_delivery(confirms.on_confirm, callback=ready)

    def _channel_closed(self, channel: Any, why: Any) -> None:
        if self._channel is channel:
            self._forget(f"the channel closed: {why}")
        self._open_again(channel, why, self._channel_opened)

    def _unconfirmed_opened(self, channel: Any) -> None:
        channel.add_on_close_callback(self._unconfirmed_closed)
        self._unconfirmed = channel
        self._can_send.send(None)

    def _unconfirmed_closed(self, channel: Any, why: Any) -> None:
        self._unconfirmed, self._can_send = None, Signal()
        self._open_again(channel, why, self._unconfirmed_opened)

    def _open_again(self, channel: Any, why: Any, opened: Callable[[Any], None]) -> None:
        connection = channel.connection
        if connection.is_open:
            log.warning("a publishing channel closed", why=str(why))
            connection.loop.call_later(0.5, lambda: connection.is_open and connection.channel(on_open_callback=opened))

    def _forget(self, why: str) -> None:
        self._blocked = False
        confirms, self._confirms, self._channel = self._confirms, None, None
        if confirms is not None:
            confirms.lost(why)
