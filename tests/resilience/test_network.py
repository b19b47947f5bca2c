"""Connections that end without a word, or do not end: everybody comes back, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from contracts.accounts import StaffChanged
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.resilience.proxy import Proxy
from tests.resilience.randomness import pass_time, random_stream
from tests.support.probe_contracts import ProbeRequest, staff_changed
from tests.support.probe_database import create_probe_database
from tests.support.processes import BrokerClient, ServiceProcess, eventually, open_broker_client

UNNOTICED = 90.0
"""Two heartbeats of 15 s until a silent peer is given up, and some seconds to come back; generously."""


class Probe:
    """tests/support/probe.py behind two proxies: one to the broker, one to the database."""

    def __init__(self, broker: RabbitMQ, postgres: PostgreSQL, folder: Path, name: str) -> None:
        self.broker = broker
        self.database = create_probe_database(postgres.url, name)
        self.to_broker, self.to_database = Proxy(broker.port), Proxy(postgres.port)
        environment = {
            "AMQP_URL": _by_way_of(broker.url, self.to_broker.port),
            "DATABASE_URL": _by_way_of(self.database, self.to_database.port),
        }
        self.process = ServiceProcess("probe", environment, folder / "probe.log", ("-m", "tests.support.probe"))

    def effects(self, event: StaffChanged) -> int:
        with psycopg.connect(self.database.replace("+psycopg", "")) as connection:
            row = connection.execute("SELECT count(*) FROM effects WHERE event_id = %s", [event.id]).fetchone()
        assert row is not None
        return int(row[0])

    def has_done(self, *events: StaffChanged, timeout: float) -> None:
        eventually(lambda: all(self.effects(event) for event in events), timeout, "an event was not handled")
        assert [self.effects(event) for event in events] == [1] * len(events)

    def answers(self, timeout: float) -> None:
        def answered() -> bool:
            try:
                # A connection of this moment: one that idles while a test waits is closed by the broker.
                with open_broker_client(self.broker.url) as broker_client:
                    return bool(
                        broker_client.call("probe", "tell", ProbeRequest(what="hello"), timeout=2)["what"] == "hello"
                    )
            except TimeoutError:
                return False

        eventually(answered, timeout, "questions are not answered")

    def close(self) -> None:
        self.process.kill()
        self.to_broker.close()
        self.to_database.close()


@pytest.fixture
def probe(broker: RabbitMQ, postgres: PostgreSQL, broker_client: BrokerClient, tmp_path: Path) -> Iterator[Probe]:
    started = Probe(broker, postgres, tmp_path, "behind_proxies")
    try:
        started.process.start()
        yield started
    finally:
        started.close()


def test_with_repeated_disconnects_each_message_has_its_effect_once(
    probe: Probe, broker_client: BrokerClient, seed: int
) -> None:
    random_ = random_stream(seed, 1)
    events = [staff_changed(random_.choice(("note", "note", "sleep 0.3", "announce 0.1"))) for _ in range(60)]
    for number, event in enumerate(events):
        broker_client.publish_event(event)
        if number % 6 == 0:
            random_.choice((probe.to_broker, probe.to_database)).cut()
        pass_time(random_.uniform(0, 0.2))
    probe.has_done(*events, timeout=60)
    probe.answers(timeout=20)
    assert broker_client.queue_depth("dead-letters") == 0
    with psycopg.connect(probe.database.replace("+psycopg", "")) as connection:
        left = "SELECT count(*) FROM outbox"
        eventually(lambda: connection.execute(left).fetchone() == (0,), why="the outbox does not drain")


def test_queues_are_emptied_while_the_broker_blocks_publishers(probe: Probe, broker_client: BrokerClient) -> None:
    """Each effect is followed by a publication: were acknowledgements to wait behind it, they would wait for the end of an
    alarm that ends when the queues are empty."""
    probe.process.stop()
    events = [staff_changed("announce 0.01") for _ in range(60)]
    for event in events:
        broker_client.publish_event(event)
    control = probe.broker.control
    control("set_vm_memory_high_watermark", "0.00001")
    try:
        probe.process.start(ready=False)  # it can work, but not say what it did
        probe.has_done(*events, timeout=40)

        def acknowledged() -> bool:
            return "tracking.staff\t0\n" in control("list_queues", "name", "messages")

        eventually(acknowledged, timeout=30, why="what is done is not acknowledged")
    finally:
        control("set_vm_memory_high_watermark", "0.3")
    with psycopg.connect(probe.database.replace("+psycopg", "")) as connection:
        left = "SELECT count(*) FROM outbox"
        eventually(lambda: connection.execute(left).fetchone() == (0,), why="the outbox does not drain")


@pytest.mark.long
@pytest.mark.parametrize("part", ["broker", "database"])
def test_a_silent_part_is_abandoned_and_reconnected(probe: Probe, broker_client: BrokerClient, part: str) -> None:
    """No reset, no end: bytes go nowhere, as behind a router that has forgotten the connection."""
    to_part = {"broker": probe.to_broker, "database": probe.to_database}[part]
    probe.answers(timeout=10)
    to_part.swallow()
    event = staff_changed()
    broker_client.publish_event(event)
    pass_time(3)
    to_part.heal()
    probe.has_done(event, timeout=UNNOTICED)
    probe.answers(timeout=UNNOTICED)


@pytest.mark.long
def test_silence_at_any_step_of_reconnecting_is_abandoned_too(
    probe: Probe, broker_client: BrokerClient, seed: int
) -> None:
    """It is cut, comes back, and is met by silence in the middle of whatever it says first."""
    random_ = random_stream(seed, 2)
    for _ in range(4):
        probe.to_broker.cut()
        pass_time(random_.uniform(0, 0.5))
        probe.to_broker.swallow()
        pass_time(2)
        probe.to_broker.heal()
    event = staff_changed()
    broker_client.publish_event(event)
    probe.has_done(event, timeout=UNNOTICED)
    probe.answers(timeout=UNNOTICED)


def _by_way_of(url: str, port: int) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}"))
