"""pika on eventlet's hub: order, partial writes, errors and ends, by themselves and against a real broker."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import eventlet
import pytest
from eventlet import hubs
from eventlet.event import Event as Signal
from pika.adapters.utils.nbio_interface import AbstractStreamProtocol

from backbone.messaging import amqp, topology
from backbone.messaging.amqp import NotPublished, Outgoing
from backbone.messaging.broker import Broker, Delivery
from backbone.messaging.hub_loop import HubConnection, HubLoop
from deploy.local.parts import RabbitMQ
from tests.support.processes import ROOT, BrokerClient

PATIENCE = 30.0
QUEUE = "media.process"


class Failures(list[Exception]):
    """What a loop was ended for."""

    def __init__(self) -> None:
        super().__init__()
        self.came = Signal()

    def note(self, error: Exception) -> None:
        self.append(error)
        if not self.came.ready():
            self.came.send(None)


@pytest.fixture
def failures() -> Failures:
    return Failures()


@pytest.fixture
def loop(failures: Failures) -> Iterator[HubLoop]:
    running = HubLoop(failures.note)
    yield running
    running.close()


Result = TypeVar("Result")


def within(wait: Callable[[], Result]) -> Result:
    with eventlet.Timeout(PATIENCE):
        return wait()


def turn() -> None:
    """One turn of the hub, and one more for what the first asked for."""
    eventlet.sleep(0)
    eventlet.sleep(0)


class Protocol(AbstractStreamProtocol):  # type: ignore[misc]  # pika is untyped
    """One end of a stream."""

    def __init__(self) -> None:
        self.received = b""
        self.transport: Any = None
        self.lost = Signal()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, error: BaseException | None) -> None:
        self.lost.send(error)

    def eof_received(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        self.received += data


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets that do not block, with small buffers between them."""
    near, far = socket.socketpair()
    for end in (near, far):
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    yield near, far
    for end in (near, far):
        end.close()


def stream(loop: HubLoop, near: socket.socket) -> Protocol:
    protocol, linked = Protocol(), Signal()
    loop.create_streaming_connection(lambda: protocol, near, linked.send)
    within(linked.wait)
    return protocol


def read_all(far: socket.socket, size: int, piece: int = 4096) -> bytes:
    """Reads slowly, in a green thread: a piece at each turn of the hub."""
    got = b""
    while len(got) < size:
        with suppress(BlockingIOError):
            got += far.recv(piece)
        eventlet.sleep(0)
    return got


def test_callbacks_and_timers_come_in_order_and_cancelled_timers_do_not(loop: HubLoop) -> None:
    called: list[str] = []
    loop.call_later(0.03, loop.stop)
    loop.call_later(0.02, lambda: called.append("later"))
    loop.call_later(0.01, lambda: called.append("soon"))
    cancelled = loop.call_later(0.015, lambda: called.append("never"))
    for number in range(5):
        loop.add_callback_threadsafe(partial(called.append, str(number)))
    cancelled.cancel()
    cancelled.cancel()
    within(loop.run)
    assert called == ["0", "1", "2", "3", "4", "soon", "later"]


def test_a_callback_asked_for_by_a_callback_lets_others_go_first(loop: HubLoop) -> None:
    called: list[str] = []

    def ask_for_another() -> None:
        called.append("first")
        loop.add_callback_threadsafe(lambda: called.append("asked for by the first"))

    loop.add_callback_threadsafe(ask_for_another)
    loop.add_callback_threadsafe(lambda: called.append("second"))
    turn()
    assert called == ["first", "second", "asked for by the first"]


def test_nothing_is_called_after_the_end(loop: HubLoop, pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    called: list[str] = []
    loop.set_reader(near.fileno(), lambda: called.append("readable"))
    loop.call_later(0, lambda: called.append("timer"))
    far.send(b"x")
    loop.close()
    turn()
    assert called == []
    assert near.fileno() not in hubs.get_hub().listeners[hubs.get_hub().READ]


def test_an_error_in_a_callback_ends_its_own_connection_and_nothing_else(
    loop: HubLoop, failures: Failures, capfd: pytest.CaptureFixture[str]
) -> None:
    other_failures = Failures()
    other, called = HubLoop(other_failures.note), list[str]()

    def fail() -> None:
        raise ValueError("a text of a citizen")

    loop.add_callback_threadsafe(fail)
    other.add_callback_threadsafe(lambda: called.append("other"))
    loop.add_callback_threadsafe(lambda: called.append("its own end needs callbacks, too"))
    turn()
    assert called == ["other", "its own end needs callbacks, too"]
    assert [type(error) for error in failures] == [ValueError]
    assert other_failures == []
    assert "a text of a citizen" not in "".join(capfd.readouterr())
    loop.add_callback_threadsafe(fail)
    with pytest.raises(ValueError, match="a text"):  # it fails while it is being ended: whoever runs it has to drop it
        within(loop.run)
    other.close()


def test_what_a_slow_reader_does_not_take_waits_for_it_while_others_work(
    loop: HubLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, far = pair
    protocol = stream(loop, near)
    parts = [os.urandom(1_000_000), b"a small one", os.urandom(300_000)]
    reader = eventlet.spawn(read_all, far, sum(map(len, parts)))
    for part in parts:
        protocol.transport.write(part)
    assert within(reader.wait) == b"".join(parts)
    far.send(b"and back")
    turn()
    assert protocol.received == b"and back"
    assert not hubs.get_hub().listeners[hubs.get_hub().WRITE].get(near.fileno()), "all is written: nothing to wait for"


def test_a_stream_closed_while_it_writes_is_at_its_end(
    loop: HubLoop, failures: Failures, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, far = pair
    protocol, fileno = stream(loop, near), near.fileno()
    protocol.transport.write(bytes(1_000_000))
    turn()
    protocol.transport.abort()
    assert within(protocol.lost.wait) is None
    turn()
    assert not any(fileno in listeners for listeners in hubs.get_hub().listeners.values())
    assert 0 < len(b"".join(iter(lambda: far.recv(65_536), b""))) < 1_000_000
    assert failures == []


def test_a_peer_that_is_gone_ends_the_stream(loop: HubLoop, pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    protocol = stream(loop, near)
    protocol.transport.write(bytes(1_000_000))
    turn()
    far.close()
    assert isinstance(within(protocol.lost.wait), OSError)


def test_a_descriptor_that_somebody_else_closed_ends_its_connection(
    loop: HubLoop, failures: Failures, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, _ = pair
    stream(loop, near)
    fileno = near.fileno()
    near.close()
    hubs.notify_opened(fileno)  # as when another socket of the process gets the number
    within(failures.came.wait)
    assert isinstance(failures[0], hubs.IOClosed)
    loop.close()


def test_a_socket_is_connected_when_it_is_and_not_before(loop: HubLoop) -> None:
    """What is written to at once, in the hope that it can be, must not be taken for connected."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting: list[socket.socket] = []
        while True:  # as long as the kernel takes connections that nobody has accepted
            client = socket.socket()
            client.setblocking(False)
            waiting.append(client)
            with suppress(BlockingIOError):
                client.connect(listener.getsockname())
            eventlet.sleep(0)
            if client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != b"\x01":  # not ESTABLISHED
                break
        late, done = socket.socket(), list[Any]()
        late.setblocking(False)
        loop.connect_socket(late, listener.getsockname(), done.append)
        for _ in range(20):
            turn()
        assert done == []
        loop.close()
        for client in (late, *waiting):
            client.close()


def test_another_thread_is_told_that_it_may_not(loop: HubLoop) -> None:
    errors: list[Exception] = []

    def ask() -> None:
        try:
            loop.add_callback_threadsafe(lambda: None)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert len(errors) == 1


def test_a_name_is_looked_up_and_a_cancelled_look_up_is_dropped(loop: HubLoop) -> None:
    answer, dropped = Signal(), list[Any]()
    cancelled = loop.getaddrinfo("127.0.0.1", 1, dropped.append)
    assert cancelled.cancel()
    assert not cancelled.cancel()
    loop.getaddrinfo("127.0.0.1", 5672, answer.send)
    assert within(answer.wait)[0][4] == ("127.0.0.1", 5672)
    wrong = Signal()
    loop.getaddrinfo("no such host.invalid", 1, wrong.send)
    assert isinstance(within(wrong.wait), OSError | UnicodeError)
    assert dropped == []


# --- on a broker ---


def message(body: bytes, key: str = QUEUE) -> Outgoing:
    return Outgoing(topology.RETRY, key, body, str(uuid.uuid4()), QUEUE)


@pytest.fixture
def connect(broker_client: BrokerClient, broker: RabbitMQ) -> Iterator[Callable[[str], Broker]]:
    started: list[Broker] = []

    def connect(name: str) -> Broker:
        connected = Broker(broker.url, name)
        started.append(connected)
        connected.start()
        within(lambda: await_true(lambda: connected.connected))
        return connected

    yield connect
    for connected in started:
        connected.stop()


def await_true(probe: Callable[[], object]) -> None:
    while not probe():
        eventlet.sleep(0.01)


def taken(inbox: Any) -> Delivery:
    delivery: Delivery = within(inbox.get)
    return delivery


def test_a_message_of_megabytes_arrives_whole_while_others_work(connect: Callable[[str], Broker]) -> None:
    broker = connect("large")
    inbox = broker.consume(QUEUE, 1).inbox
    body, turns = os.urandom(6_000_000), list[int]()

    def work() -> None:
        while True:
            turns.append(1)
            eventlet.sleep(0)

    worker = eventlet.spawn(work)
    assert broker.publish([message(body)], timeout=PATIENCE) == [None]
    worker.kill()
    delivery = taken(inbox)
    assert delivery.body == body
    assert len(turns) > 10
    broker.ack([delivery])


def test_of_two_connections_one_is_lost_and_the_other_goes_on(
    connect: Callable[[str], Broker], broker: RabbitMQ, broker_client: BrokerClient
) -> None:
    first, second = connect("first"), connect("second")
    assert [*first.publish([message(b"1")]), *second.publish([message(b"2")])] == [None, None]
    listed = broker.control("list_connections", "pid", "client_properties").splitlines()
    [pid] = [line.split("\t")[0] for line in listed if '"first"' in line]
    broker.control("close_connection", pid, "a test closes it")
    within(lambda: await_true(lambda: not first.connected))
    assert [*first.publish([message(b"3")]), *second.publish([message(b"4")])][1] is None
    within(lambda: await_true(lambda: first.connected))
    assert first.publish([message(b"5")]) == [None]
    assert broker_client.queue_depth(QUEUE) == 4


def test_many_at_once_are_each_confirmed_or_returned(
    connect: Callable[[str], Broker], broker_client: BrokerClient
) -> None:
    broker = connect("many")
    batches = [[message(b"x"), message(b"y", "no.such.queue"), message(b"z")] for _ in range(40)]
    threads = [eventlet.spawn(broker.publish, batch) for batch in batches]
    for thread in threads:
        first, unroutable, last = within(thread.wait)
        assert (first, last) == (None, None)
        assert isinstance(unroutable, NotPublished)
    assert broker_client.queue_depth(QUEUE) == 80


def test_what_cannot_be_written_is_not_published_and_ends_nothing(connect: Callable[[str], Broker]) -> None:
    broker = connect("unwritable")
    unwritable = Outgoing(topology.RETRY, QUEUE, b"x", str(uuid.uuid4()), QUEUE, {"header": object()})
    results = broker.publish([message(b"a"), unwritable, message(b"b")])
    assert [error is None for error in results] == [True, False, True]
    assert broker.publish([message(b"c")]) == [None], "its confirms are counted right"


def test_stopped_while_it_opens_it_ends(broker: RabbitMQ) -> None:
    """A server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        errors: list[Any] = []

        def on_open_error(failed: Any, why: Any) -> None:
            errors.append(why)
            failed.loop.stop()

        connection = HubConnection(
            amqp.parameters(f"amqp://a:b@127.0.0.1:{silent.getsockname()[1]}/", "test"),
            on_open=lambda _: None,
            on_open_error=on_open_error,
            on_close=lambda *_: None,
        )
        eventlet.sleep(0.05)
        connection.close()
        within(connection.loop.run)
        connection.loop.close()
        assert len(errors) == 1


FORKING = """
import eventlet
eventlet.monkey_patch()
import os, sys
from backbone.messaging.broker import Broker
from tests.component.test_hub_loop import await_true, message

broker = Broker(sys.argv[1], "forking")
broker.start()
with eventlet.Timeout(30):
    await_true(lambda: broker.connected)
assert broker.publish([message(b"before")]) == [None]
child = os.fork()
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert broker.publish([message(b"after")]) == [None]
broker.stop()
"""


def test_a_child_that_ends_leaves_the_connection_and_the_process_ends_clean(
    broker_client: BrokerClient, broker: RabbitMQ
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING, broker.url],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert broker_client.queue_depth(QUEUE) == 2
