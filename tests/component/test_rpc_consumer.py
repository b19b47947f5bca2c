"""Requests by RPC on the process's own connection: each is answered, in time or not at all, whatever ends meanwhile."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pika
import psycopg
import pytest

from backbone.messaging import amqp, topology
from contracts.errors import DeadlinePassed, PeygirError, Unavailable
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.resilience.proxy import Proxy
from tests.support.gateway_clients import connected_client
from tests.support.probe_contracts import ProbeAnswer, ProbeRequest
from tests.support.probe_database import create_probe_database
from tests.support.processes import BrokerClient, ServiceProcess, eventually

QUEUE = topology.rpc_queue("probe")
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Start(Protocol):
    def __call__(self, **environment: str) -> ServiceProcess: ...


@pytest.fixture(scope="module")
def database(postgres: PostgreSQL) -> str:
    return create_probe_database(postgres.url, "rpc_probe")


@pytest.fixture
def start(broker_client: BrokerClient, broker: RabbitMQ, database: str, tmp_path: Path) -> Iterator[Start]:
    running: list[ServiceProcess] = []

    def start(**environment: str) -> ServiceProcess:
        given = {"AMQP_URL": broker.url, "DATABASE_URL": database, **environment}
        log = tmp_path / f"probe{len(running)}.log"
        process = ServiceProcess("probe", given, log, ("-m", "tests.support.probe"))
        running.append(process)
        return process.start()

    broker_client.channel.queue_delete(QUEUE)  # with what an earlier test left in it
    yield start
    for process in running:
        process.kill()


class Caller:
    """Asks without waiting, and collects the answers."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(amqp.parameters(url, "caller"))
        self.channel = self._connection.channel()
        self.channel.exchange_declare(topology.RPC, "topic", durable=True)
        self.reply_to = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(self.reply_to, topology.RPC, self.reply_to)
        self.answers: dict[str, Any] = {}

    def ask(
        self,
        what: str = "hello",
        seconds: float = 0,
        method: str = "probe.tell",
        body: bytes | None = None,
        **properties: Any,
    ) -> str:
        """The name by which its answer will be known."""
        name = str(uuid.uuid4())
        request = {"args": [], "kwargs": {"request": {"what": what, "seconds": seconds}}}
        sent = json.dumps(request).encode() if body is None else body
        given = {"reply_to": self.reply_to, "correlation_id": name, "content_type": "application/json", **properties}
        self.channel.basic_publish(topology.RPC, method, sent, pika.BasicProperties(**given))
        return name

    def answer(self, name: str) -> Any:
        """Waits for an answer: (result, error)."""

        def come() -> Any:
            self.collect()
            return self.answers.get(name)

        return eventually(come, timeout=30, why="no answer")

    def collect(self) -> dict[str, Any]:
        """The answers so far. One that comes twice is an error."""
        while True:
            method, properties, body = self.channel.basic_get(self.reply_to, auto_ack=True)
            if method is None:
                return self.answers
            answer = json.loads(body)
            assert properties.correlation_id not in self.answers, "answered twice"
            self.answers[properties.correlation_id] = (answer["result"], answer["error"])

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def caller(broker_client: BrokerClient, broker: RabbitMQ) -> Iterator[Caller]:
    with closing(Caller(broker.url)) as caller:
        yield caller


@pytest.fixture
def executions(database: str) -> Callable[[], dict[str, int]]:
    """How often each request that has a name was executed."""

    def count() -> dict[str, int]:
        with psycopg.connect(database.replace("+psycopg", "")) as connection:
            rows = connection.execute("SELECT event_id::text, count(*) FROM effects GROUP BY 1").fetchall()
        return {str(name): int(times) for name, times in rows}

    return count


@contextmanager
def held(database: str) -> Iterator[Callable[[], None]]:
    """Requests with a name are not finished before the function is called, or the block ends."""
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        connection.execute("LOCK TABLE effects IN SHARE MODE")
        yield connection.commit


def test_an_answer_says_what_was_asked_under_the_callers_trace(start: Start, caller: Caller) -> None:
    start()
    result, error = caller.answer(caller.ask("hello", headers={"nameko.traceparent": PARENT}))
    assert error is None
    assert result == {"what": "hello", "trace": PARENT.split("-")[1]}


def test_what_is_not_a_request_is_answered_and_the_next_one_is_served(start: Start, caller: Caller) -> None:
    process = start()

    def refused(**asked: Any) -> tuple[str, Any]:
        result, error = caller.answer(caller.ask(**asked))
        assert result is None
        return error["exc_type"], error["exc_args"][0].get("fields")

    fits_not = {"kwargs": {"request": {"what": 5, "more": 1}}}
    assert refused(body=json.dumps(fits_not).encode()) == (
        "InvalidField",
        [{"field": "what", "reason": "string_type"}, {"field": "more", "reason": "extra_forbidden"}],
    )
    fast = b'{"args":[],"kwargs":{"request":{"seconds":"x"}}}'
    assert refused(body=fast) == (
        "InvalidField",
        [{"field": "what", "reason": "missing"}, {"field": "seconds", "reason": "float_parsing"}],
    )
    missing = ("InvalidField", [{"field": "request", "reason": "missing"}])
    for body in (b"{}", b"[]", b"5", b'{"args":[],"kwargs":{}}', b'{"args":[],"kwargs":[]}'):
        assert refused(body=body) == missing
    not_json = ("InvalidField", [{"field": "request", "reason": "json_invalid"}])
    for body in (b"", b"{not json", b"\xff\xfe", b'{"args":[],"kwargs":{"request":{]}}'):
        assert refused(body=body) == not_json
    assert refused(method="probe.no_such_method") == ("PeygirError", None)
    assert refused(what="unknown") == ("UnknownCase", None)
    assert refused(what="bug") == ("PeygirError", None)
    assert "989121234567" not in process.log.read_text()
    two = b'{"args":[],"kwargs":{"request":{"what":"hello"},"other":{}}}'
    assert caller.answer(caller.ask(body=two))[0]["what"] == "hello"


def test_a_caller_that_is_gone_or_wants_no_answer_harms_nobody(start: Start, caller: Caller) -> None:
    process = start(RPC_PREFETCH="1")  # one that is not acknowledged would be the last
    caller.ask(reply_to="a queue that is gone")
    caller.ask(reply_to=None, correlation_id=None)
    caller.ask(reply_to=None, method="probe.no_such_method")
    assert caller.answer(caller.ask())[1] is None
    assert process.ready()


def test_what_nobody_waits_for_any_more_is_dropped(
    start: Start, caller: Caller, executions: Callable[[], dict[str, int]]
) -> None:
    start(RPC_PREFETCH="1")
    late, early = str(uuid.uuid4()), str(uuid.uuid4())
    milliseconds = int(time.time() * 1000)
    dropped = caller.ask(f"note {late}", headers={"nameko.deadline": milliseconds - 1})
    answered = caller.ask(f"note {early}", headers={"nameko.deadline": milliseconds + 60_000})
    assert caller.answer(answered)[1] is None
    assert dropped not in caller.collect()
    assert executions().get(late) is None
    assert executions()[early] == 1


def test_a_process_takes_no_more_than_it_may_have_in_hand(
    start: Start, caller: Caller, broker_client: BrokerClient, database: str
) -> None:
    start(MAX_WORKERS="2", RPC_PREFETCH="3")
    with held(database):
        names = [caller.ask(f"note {uuid.uuid4()}") for _ in range(8)]
        eventually(lambda: broker_client.queue_depth(QUEUE) == 5)
        assert {broker_client.queue_depth(QUEUE) for _ in range(20)} == {5}
    for name in names:
        assert caller.answer(name)[1] is None


def test_told_to_stop_it_answers_what_it_has_and_leaves_the_rest(
    start: Start, caller: Caller, broker_client: BrokerClient, database: str, executions: Callable[[], dict[str, int]]
) -> None:
    process = start(MAX_WORKERS="1", RPC_PREFETCH="2")
    identities = [str(uuid.uuid4()) for _ in range(4)]
    with held(database) as release:
        names = [caller.ask(f"note {identity}") for identity in identities]
        eventually(lambda: broker_client.queue_depth(QUEUE) == 2)
        assert process.process is not None
        process.process.send_signal(signal.SIGTERM)
        eventually(lambda: '"stopping"' in process.log.read_text())
        release()
        assert process.process.wait(30) == 0
    assert broker_client.queue_depth(QUEUE) == 2
    assert all(caller.answer(name)[1] is None for name in names[:2])
    assert len(caller.collect()) == 2
    start()
    assert all(caller.answer(name)[1] is None for name in names[2:])
    assert {identity: executions()[identity] for identity in identities} == dict.fromkeys(identities, 1)


def test_killed_at_work_its_requests_go_to_another(
    start: Start, caller: Caller, broker_client: BrokerClient, database: str, executions: Callable[[], dict[str, int]]
) -> None:
    first = start()
    identity = str(uuid.uuid4())
    with held(database):
        name = caller.ask(f"note {identity}")
        eventually(lambda: broker_client.queue_depth(QUEUE) == 0)
        first.kill()
    start()
    assert caller.answer(name)[1] is None
    assert executions()[identity] == 1


def test_a_queue_that_was_deleted_is_declared_again(start: Start, caller: Caller, broker_client: BrokerClient) -> None:
    process = start()
    broker_client.channel.queue_delete(QUEUE)
    eventually(lambda: "a channel closed; consuming again" in process.log.read_text())
    eventually(lambda: broker_client.channel.queue_declare("", exclusive=True) and _consumed(caller), timeout=30)
    assert caller.answer(caller.ask())[1] is None


def _consumed(caller: Caller) -> bool:
    """Whether the queue is there with its consumer, found out on a channel of its own, which closes where it is not."""
    channel = caller.channel.connection.channel()
    try:
        channel.queue_declare(QUEUE, passive=True)
    except pika.exceptions.ChannelClosedByBroker:
        return False
    return True


def test_requests_in_hand_when_the_connections_are_lost_are_answered_all_the_same(
    start: Start,
    caller: Caller,
    broker_client: BrokerClient,
    broker: RabbitMQ,
    database: str,
    executions: Callable[[], dict[str, int]],
) -> None:
    """The broker delivers them again: what was at work then, or next in line, is done twice, the rest once."""
    with Proxy(broker.port) as proxy:
        process = start(
            AMQP_URL=broker.url.replace(f":{broker.port}/", f":{proxy.port}/"), MAX_WORKERS="4", RPC_PREFETCH="8"
        )
        before, amid = ([str(uuid.uuid4()) for _ in range(count)] for count in (3, 30))
        for name in [caller.ask(f"note {identity}") for identity in before]:
            assert caller.answer(name)[1] is None
        with held(database):
            names = [caller.ask(f"note {identity}") for identity in amid]
            eventually(lambda: broker_client.queue_depth(QUEUE) == 22)
            proxy.cut()
            eventually(lambda: process.log.read_text().count("the connection to the broker closed") == 2)
        for name in names:
            assert caller.answer(name)[1] is None
    times = executions()
    assert {times[identity] for identity in before} == {1}
    assert {times[identity] for identity in amid} <= {1, 2}
    assert sum(times[identity] for identity in amid) <= 30 + 4 + 1


def test_calls_in_the_air_when_the_broker_restarts_end_within_their_deadline(
    start: Start, broker: RabbitMQ, executions: Callable[[], dict[str, int]]
) -> None:
    start(MAX_WORKERS="5")
    identities = [str(uuid.uuid4()) for _ in range(50)]
    deadline = 30.0

    answered_one = threading.Event()

    async def call() -> list[object]:
        async with connected_client(broker.url, rpc_timeout=10, rpc_deadline=deadline) as client:
            calls = [
                asyncio.ensure_future(
                    client.call("probe", "tell", ProbeRequest(what=f"note {identity}", seconds=0.5), ProbeAnswer)
                )
                for identity in identities
            ]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            answered_one.set()
            return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 2 * deadline)

    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(asyncio.run, call())
        assert answered_one.wait(60)
        broker.restart()  # by the thread that started it
        ends = calling.result()
    assert len(ends) == 50
    for end in ends:
        assert isinstance(end, ProbeAnswer | Unavailable | DeadlinePassed), end
    assert any(isinstance(end, ProbeAnswer) for end in ends)
    assert any(isinstance(end, PeygirError) for end in ends), "the restart came too late to show anything"
    times = executions()
    assert all(times.get(identity, 0) <= 1 for identity in identities)
    with closing(Caller(broker.url)) as again:
        assert again.answer(again.ask())[1] is None
