"""What tests stand on: real parts, one service in a process of its own, and waiting without sleeping.

Fixtures are in tests/conftest.py; this module is plain functions and classes, usable from benchmarks too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx
import pika
import pika.exceptions
import psycopg
from pydantic import BaseModel

from backbone.messaging import amqp, topology
from backbone.process import keys
from backbone.storage import migrate
from contracts.base import Event
from contracts.errors import from_wire
from deploy.local import ports

ROOT = Path(__file__).parents[2]
Result = TypeVar("Result")


def eventually(probe: Callable[[], Result | Literal[False] | None], timeout: float = 20.0, why: str = "") -> Result:
    """The first truthy answer of `probe`, asked again every 20 ms; an AssertionError of the probe means not yet."""
    deadline = time.monotonic() + timeout
    last: object = None
    while True:
        try:
            answer = probe()
            if answer:
                return answer
            last = answer
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s{': ' + why if why else ''}; last seen: {last!r}")
        time.sleep(0.02)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that is free now, and that no outgoing connection takes while its server is down."""
    return ports.pick()


def create_database(server_url: str, name: str) -> str:
    """An empty database on the test server; its SQLAlchemy URL. An old one of that name is dropped."""
    with psycopg.connect(server_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return sqlalchemy_url(server_url, name)


def sqlalchemy_url(server_url: str, database: str) -> str:
    """`server_url` (postgresql://… or postgresql+psycopg://…) for SQLAlchemy on psycopg 3, with another database."""
    from sqlalchemy import make_url

    return make_url(server_url).set(drivername="postgresql+psycopg", database=database).render_as_string(False)


class ServiceProcess:
    """One service, run as users run it (or `arguments` of python). `environment` holds all it needs; its log is `log`."""

    def __init__(
        self, name: str, environment: Mapping[str, str], log: Path, arguments: tuple[str, ...] | None = None
    ) -> None:
        self.name, self.log = name, log
        self._arguments = arguments or ("-m", "backbone.process.run", name)
        self.environment = {**environment, "HEALTH_PORT": str(free_port())}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def health(self) -> str:
        return f"http://127.0.0.1:{self.environment['HEALTH_PORT']}"

    def start(self, ready: bool = True) -> ServiceProcess:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self._arguments],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "NICENESS": "0", **self.environment},
                stdout=log,
                stderr=log,
            )
        if ready:
            eventually(self.ready, timeout=40, why=f"{self.name} is not ready; see {self.log}")
        return self

    def ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")
        try:
            return httpx.get(f"{self.health}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """SIGKILL: nothing is finished."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM: what is in hand is finished; the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=20)


def run_module(
    module: str, *arguments: str, environment: Mapping[str, str], timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m module arguments` to its end, with PATH and `environment` alone; the caller checks its exit code."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class BrokerClient:
    """A blocking client of the broker for tests: publishes, calls by RPC, records events, reads queues. Not for threads."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(amqp.parameters(url, "test"))
        self.channel = self._connection.channel()
        self.channel.confirm_delivery()
        self._recording_queue: str | None = None

    def publish(self, exchange: str, name: str, body: bytes, message_id: str | None = None, **headers: Any) -> None:
        properties = amqp.Outgoing(exchange, name, body, message_id or str(uuid.uuid4()), name, headers).properties()
        self.channel.basic_publish(exchange, name, body, properties, mandatory=True)

    def publish_event(self, event: Event) -> None:
        """Publishes an event as its producer's relay would."""
        message = amqp.event(event)
        self.channel.basic_publish(
            message.exchange, message.routing_key, message.body, message.properties(), mandatory=True
        )

    def publish_command(self, command: Any) -> None:
        """Publishes a gateway command."""
        message = amqp.command(command, str(uuid.uuid4()))
        self.channel.basic_publish(
            message.exchange, message.routing_key, message.body, message.properties(), mandatory=True
        )

    def call(self, service: str, method: str, request: BaseModel, timeout: float = 10.0) -> Any:
        """The answer of `service.method` as plain JSON, or the error it raised."""
        reply = self.channel.queue_declare("", exclusive=True, auto_delete=True).method.queue
        self.channel.queue_bind(reply, "nameko-rpc", reply)
        body = json.dumps({"args": [], "kwargs": {"request": request.model_dump(mode="json")}}).encode()
        correlation = str(uuid.uuid4())
        self.channel.basic_publish(
            "nameko-rpc",
            f"{service}.{method}",
            body,
            pika.BasicProperties(
                reply_to=reply, correlation_id=correlation, content_type="application/json", content_encoding="utf-8"
            ),
            mandatory=True,
        )
        for _, _, answer in self.channel.consume(reply, auto_ack=True, inactivity_timeout=timeout):
            self.channel.cancel()
            self.channel.queue_delete(reply)
            if answer is None:
                raise TimeoutError(f"{service}.{method} did not answer in {timeout} s")
            reply_body = json.loads(answer)
            if reply_body["error"]:
                raise from_wire(reply_body["error"]["exc_type"], reply_body["error"]["exc_args"])
            return reply_body["result"]
        raise TimeoutError(f"{service}.{method}")

    def record_events(self, *exchanges: str) -> None:
        """From now on keep what is published to these event exchanges, for `recorded_events`."""
        self._recording_queue = self.channel.queue_declare("", exclusive=True).method.queue
        for exchange in exchanges:
            self.channel.queue_bind(self._recording_queue, exchange, "#")
        self._recorded: list[dict[str, Any]] = []

    def recorded_events(self, name: str | None = None) -> list[dict[str, Any]]:
        """The bodies of the events recorded so far, all or those of this name; each has its name in `_name`."""
        assert self._recording_queue is not None
        while True:
            method, properties, body = self.channel.basic_get(self._recording_queue, auto_ack=True)
            if method is None:
                break
            self._recorded.append({"_name": properties.type, **json.loads(body)})
        return [event for event in self._recorded if name is None or event["_name"] == name]

    def queue_depth(self, queue: str) -> int:
        """Messages ready in a queue."""
        return int(self.channel.queue_declare(queue, passive=True).method.message_count)

    def take(self, queue: str) -> tuple[Any, bytes] | None:
        """Removes one message; its properties and body."""
        method, properties, body = self.channel.basic_get(queue, auto_ack=True)
        return None if method is None else (properties, body)

    def purge(self) -> None:
        """Empties every queue of ours: a clean start for the next test."""
        for queue in (*topology.SUBSCRIPTIONS, topology.DEAD_LETTERS, *topology.DELAYS):
            self.channel.queue_purge(queue)

    def close(self) -> None:
        with suppress(pika.exceptions.AMQPError):  # a test may have taken the broker away
            self._connection.close()


@contextmanager
def open_broker_client(url: str) -> Iterator[BrokerClient]:
    """A client that is closed again."""
    client = BrokerClient(url)
    try:
        yield client
    finally:
        client.close()


def prepared(service: str, amqp_url: str, server_url: str, database: str, **more: str) -> dict[str, str]:
    """The environment of one service with fresh secrets, its topology declared, its queues empty, its database migrated."""
    topology.declare(amqp_url)
    with open_broker_client(amqp_url) as client:
        client.purge()  # what earlier tests left is not for a fresh database
    url = create_database(server_url, database)
    migrate.upgrade(service, url)
    return {**keys.generate(), "AMQP_URL": amqp_url, "DATABASE_URL": url, **more}
