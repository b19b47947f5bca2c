"""What the backbone promises of messages: their effect happens once, whatever dies; what cannot succeed is kept."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
import psycopg
import pytest

from backbone.messaging import dead_letters, topology
from contracts.accounts import StaffChanged
from contracts.base import now
from contracts.errors import PeygirError, UnknownCase
from contracts.notify import CitizenReplied
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.resilience.fault_injection import alarm
from tests.support.probe_contracts import ProbeRequest, staff_changed
from tests.support.probe_database import create_probe_database
from tests.support.processes import BrokerClient, ServiceProcess, eventually, open_broker_client


class Start(Protocol):
    def __call__(self, ready: bool = True) -> ServiceProcess: ...


class Effects:
    """What the probes did, read from their database."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+psycopg", "")

    def of(self, event: StaffChanged | CitizenReplied) -> int:
        with psycopg.connect(self._url) as connection:
            row = connection.execute("SELECT count(*) FROM effects WHERE event_id = %s", [event.id]).fetchone()
        assert row is not None
        return int(row[0])

    def happened(self, *events: StaffChanged | CitizenReplied, timeout: float = 20) -> None:
        eventually(lambda: all(self.of(event) for event in events), timeout=timeout)
        assert [self.of(event) for event in events] == [1] * len(events)


@pytest.fixture(scope="module")
def database(postgres: PostgreSQL) -> str:
    return create_probe_database(postgres.url)


@pytest.fixture
def effects(database: str) -> Effects:
    return Effects(database)


@pytest.fixture
def start(broker_client: BrokerClient, broker: RabbitMQ, database: str, tmp_path: Path) -> Iterator[Start]:
    running: list[ServiceProcess] = []

    def start(ready: bool = True) -> ServiceProcess:
        environment = {"AMQP_URL": broker.url, "DATABASE_URL": database}
        log = tmp_path / f"probe{len(running)}.log"
        process = ServiceProcess("probe", environment, log, ("-m", "tests.support.probe"))
        running.append(process)
        return process.start(ready)

    yield start
    for process in running:
        process.kill()


def reply(what: str = "satisfied") -> CitizenReplied:
    return CitizenReplied(id=uuid.uuid4(), occurred_at=now(), case_id=uuid.uuid4(), reply=what)


def run_cli(broker: RabbitMQ, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setenv("AMQP_URL", broker.url)
    output: list[str] = []
    code = dead_letters.main(list(arguments), output.append)
    return code, "\n".join(output)


def test_an_event_that_comes_twice_has_its_effect_once(
    start: Start, broker_client: BrokerClient, effects: Effects
) -> None:
    start()
    first, last = staff_changed("note"), staff_changed("note")
    for event in (first, first, last):
        broker_client.publish_event(event)
    effects.happened(last, first)


def test_an_invalid_message_is_dead_lettered_with_its_reason_and_others_are_handled(
    start: Start, broker_client: BrokerClient, effects: Effects, broker: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    good = staff_changed("note")
    broker_client.publish_event(staff_changed("invalid"))
    broker_client.publish("accounts.events", "staff.changed.v1", b"{not json")
    broker_client.publish("accounts.events", "staff.changed.v1", json.dumps({"id": "x"}).encode())
    broker_client.publish("retry", "tracking.staff", b"{}")  # a name that nobody knows, such as one of a future version
    broker_client.publish_event(good)
    effects.happened(good)
    eventually(lambda: broker_client.queue_depth("dead-letters") == 4)
    code, output = run_cli(broker, monkeypatch, "list")
    assert code == 0
    assert output.count("  tracking.staff  ") == 4
    assert "not a staff.changed.v1: body" in output
    assert "nobody here knows messages named tracking.staff" in output
    eventually(lambda: broker_client.queue_depth("dead-letters") == 4, why="looking takes nothing away")


def test_a_failure_is_tried_again_later(start: Start, broker_client: BrokerClient, effects: Effects) -> None:
    start()
    bug, early = staff_changed("fail 1"), staff_changed("later 1")
    broker_client.publish_event(bug)
    broker_client.publish_event(early)
    effects.happened(bug, early)
    assert broker_client.queue_depth("dead-letters") == 0


def test_a_dead_letter_replayed_has_its_effect_once(
    start: Start, broker_client: BrokerClient, effects: Effects, broker: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    event = staff_changed("note")
    headers: dict[str, Any] = {"peygir-error": "a bug", "peygir-queue": "tracking.staff", "peygir-failures": 8}
    for _ in range(2):
        broker_client.publish(
            "dead-letters", "staff.changed.v1", event.model_dump_json().encode(), str(event.id), **headers
        )
    broker_client.publish("dead-letters", "staff.changed.v1", b"{}", **{**headers, "peygir-queue": "no.such.queue"})
    assert "8 failures: a bug" in run_cli(broker, monkeypatch, "show", "1")[1]
    code, output = run_cli(broker, monkeypatch, "replay", "all")
    assert code == 1
    assert "may happen again" not in output
    assert "there is no queue no.such.queue" in output
    effects.happened(event)
    assert run_cli(broker, monkeypatch, "drop", "7") == (1, "there is no dead letter 7")
    assert run_cli(broker, monkeypatch, "drop", "1")[0] == 0
    assert run_cli(broker, monkeypatch, "list")[1] == "0 dead letters"
    assert run_cli(broker, monkeypatch, "frobnicate")[0] == 2


def test_replaying_an_event_older_than_the_inbox_gives_a_warning(
    start: Start, broker_client: BrokerClient, effects: Effects, broker: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    old, young = staff_changed("note"), staff_changed("note")
    for event, days in ((old, 31), (young, 29)):
        died = (now() - timedelta(days=days)).isoformat()
        headers = {"peygir-error": "a bug", "peygir-queue": "tracking.staff", "peygir-died": died}
        broker_client.publish(
            "dead-letters", "staff.changed.v1", event.model_dump_json().encode(), str(event.id), **headers
        )
    code, output = run_cli(broker, monkeypatch, "replay", "all")
    assert code == 0
    warning = (
        "died more than 30 days ago; the inbox has forgotten whether its effect happened already, and it may happen"
    )
    assert output.splitlines() == [
        f"1: {warning} again",
        "replayed 1 (staff.changed.v1) to tracking.staff",
        "replayed 2 (staff.changed.v1) to tracking.staff",
    ]
    effects.happened(old, young)


def in_progress(broker_client: BrokerClient, effects: Effects, seconds: float) -> StaffChanged:
    """An event whose handler, taking so long, has begun: the effect of an event published after it has happened."""
    slow, quick = staff_changed(f"sleep {seconds}"), staff_changed("note")
    broker_client.publish_event(slow)
    broker_client.publish_event(quick)
    effects.happened(quick)
    return slow


def test_messages_of_a_killed_process_go_to_another(
    start: Start, broker_client: BrokerClient, effects: Effects
) -> None:
    first = start()
    slow = in_progress(broker_client, effects, 1.5)
    first.kill()
    start()
    effects.happened(slow)


def test_a_stopping_process_finishes_its_current_message(
    start: Start, broker_client: BrokerClient, effects: Effects
) -> None:
    process = start()
    slow = in_progress(broker_client, effects, 2)
    assert process.stop() == 0
    assert effects.of(slow) == 1
    assert broker_client.queue_depth("tracking.staff") == 0


def test_without_the_database_messages_are_held_and_none_is_dead_lettered(
    start: Start, broker_client: BrokerClient, effects: Effects, postgres: PostgreSQL
) -> None:
    process = start()
    postgres.stop()
    events = [staff_changed("note") for _ in range(20)]
    replies = [reply() for _ in range(20)]
    for event in (*events, *replies):
        broker_client.publish_event(event)
    eventually(lambda: "the database is away; holding" in process.log.read_text())
    postgres.start()
    effects.happened(*events, *replies)
    assert broker_client.queue_depth("dead-letters") == 0
    eventually(process.ready)


def has_logged(process: ServiceProcess, what: str) -> bool:
    """Whether /readyz says this now."""
    try:
        return httpx.get(f"{process.health}/readyz", timeout=5).text == f"{what}\n"
    except httpx.TransportError:
        return False


def test_a_broker_that_blocks_publishers_is_not_reported_as_missing(
    start: Start, broker_client: BrokerClient, broker: RabbitMQ
) -> None:
    broker_client.publish_event(staff_changed("invalid"))  # has to be published again, to the dead letters
    with alarm(broker):
        process = start(ready=False)
        eventually(lambda: has_logged(process, "broker blocks publishers"), timeout=40)
    eventually(lambda: has_logged(process, "ready"))


@contextmanager
def held_in_hand(
    count: int, process: ServiceProcess, broker_client: BrokerClient, broker: RabbitMQ, database: str
) -> Iterator[None]:
    """So many messages that have to go to the dead letters, in the hands of a process that knows that the broker takes
    nothing. If it did not, it would have sent each once already, and the broker would take them after the alarm."""
    url = database.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as other, psycopg.connect(url) as locking:
        locking.execute("LOCK TABLE attempts")
        for _ in range(count):
            broker_client.publish_event(staff_changed("invalid"))
        at_work = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'attempts'::regclass"
        eventually(lambda: other.execute(at_work).fetchone() == (count,))
        with alarm(broker):
            other.execute(
                "INSERT INTO outbox (message_id, exchange, name, routing_key, body, headers) "
                "VALUES (gen_random_uuid(), 'accounts.events', 'otp.requested.v1', 'otp.requested.v1', '{}', '{}')"
            )
            eventually(lambda: has_logged(process, "broker blocks publishers"))
            locking.commit()
            eventually(lambda: process.log.read_text().count("a message cannot be moved yet; holding") >= count)
            yield


def all_done(broker: RabbitMQ) -> bool:
    """Whether nothing is left of the probe's queue, in anybody's hands either."""
    return "tracking.staff\t0\n" in broker.control("list_queues", "name", "messages")


def test_a_message_that_cannot_be_moved_while_the_broker_blocks_is_moved_later(
    start: Start, broker_client: BrokerClient, broker: RabbitMQ, database: str
) -> None:
    with held_in_hand(1, start(), broker_client, broker, database):
        assert broker_client.queue_depth("dead-letters") == 0
    eventually(lambda: broker_client.queue_depth("dead-letters") == 1)
    eventually(lambda: all_done(broker), timeout=30)
    assert broker_client.queue_depth("dead-letters") == 1


def test_a_message_held_when_its_channel_closes_is_left_to_the_broker(
    start: Start, broker_client: BrokerClient, broker: RabbitMQ, database: str
) -> None:
    """It comes again; were the one in hand moved as well, there would be two."""
    process = start()
    with held_in_hand(2, process, broker_client, broker, database):  # one in each of its hands
        listed = broker.control("list_connections", "pid", "client_properties").splitlines()
        [consuming] = [line.split("\t")[0] for line in listed if "probe consumer" in line]
        broker.control("close_connection", consuming, "a test closes it")
        eventually(lambda: "the connection to the broker closed" in process.log.read_text())
    eventually(lambda: broker_client.queue_depth("dead-letters") >= 2)
    eventually(lambda: all_done(broker), timeout=30)
    assert broker_client.queue_depth("dead-letters") == 2


def test_stopping_without_the_database_leaves_the_message_unchanged(
    start: Start, broker_client: BrokerClient, postgres: PostgreSQL
) -> None:
    """It waits for the next process, and nothing is counted against it."""
    process = start()
    postgres.stop()
    try:
        broker_client.publish_event(staff_changed("note"))
        eventually(lambda: "the database is away; holding" in process.log.read_text())
        assert process.stop() == 0
    finally:
        postgres.start()
    properties, _ = eventually(lambda: broker_client.take("tracking.staff"))
    assert "peygir-failures" not in properties.headers


def test_it_recovers_with_the_broker(start: Start, broker: RabbitMQ, effects: Effects) -> None:
    process = start()
    broker.restart()
    eventually(process.ready, timeout=30)
    with open_broker_client(broker.url) as broker_client:
        event = staff_changed("note")
        broker_client.publish_event(event)
        effects.happened(event)
        assert broker_client.call("probe", "tell", ProbeRequest(what="hello"))["what"] == "hello"


def test_one_bad_message_does_not_fail_its_batch(start: Start, broker_client: BrokerClient, effects: Effects) -> None:
    good = [reply() for _ in range(30)]
    for event in (*good[:15], reply("object"), *good[15:]):
        broker_client.publish_event(event)
    start()
    effects.happened(*good)
    eventually(lambda: broker_client.queue_depth("dead-letters") == 1)


def test_events_of_decisions_are_published_when_the_broker_returns(
    start: Start, broker_client: BrokerClient, broker: RabbitMQ, effects: Effects
) -> None:
    start()
    slow = staff_changed("announce 2")
    broker_client.publish_event(slow)
    eventually(lambda: broker_client.queue_depth("tracking.staff") == 0)
    broker.stop()
    effects.happened(slow)
    broker.start()
    with open_broker_client(broker.url) as again:
        # The relayed event comes round to the probe's own queue, whose inbox knows its id: no second effect.
        eventually(lambda: again.queue_depth("insight.events") >= 2, timeout=30)
    assert effects.of(slow) == 1


def test_the_outbox_backlog_is_measured_while_the_broker_is_unreachable(
    start: Start, broker: RabbitMQ, database: str
) -> None:
    process = start()

    def gauge(name: str) -> float:
        metrics = httpx.get(f"{process.health}/metrics", timeout=5).text
        return float(next(line.split()[1] for line in metrics.splitlines() if line.startswith(f"{name} ")))

    def measured() -> tuple[float, bool]:
        return gauge("peygir_outbox_waiting"), gauge("peygir_outbox_oldest_seconds") >= 90

    eventually(lambda: measured() == (0, False))
    broker.stop()
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
        for age in ("90 s", "0 s"):
            connection.execute(
                "INSERT INTO outbox (message_id, exchange, name, routing_key, body, headers, created_at) VALUES "
                "(gen_random_uuid(), 'accounts.events', %(name)s, %(name)s, '{}', '{}', now() - %(age)s::interval)",
                {"name": "staff.changed.v1", "age": age},
            )
    eventually(lambda: measured() == (2, True))
    broker.start()
    eventually(lambda: measured() == (0, False), timeout=30)


REGISTERED = "submission.registered.v1"


def test_media_receives_only_events_that_name_uploads(
    start: Start, broker_client: BrokerClient, database: str, effects: Effects
) -> None:
    start()
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
        for routing_key in (f"{REGISTERED}.without_uploads", REGISTERED):
            connection.execute(
                "INSERT INTO outbox (message_id, exchange, name, routing_key, body, headers) "
                "VALUES (gen_random_uuid(), 'intake.events', %s, %s, '{}', '{}')",
                [REGISTERED, routing_key],
            )
    for everybody in ("tracking.registrations", "notify.contacts", "insight.events"):
        eventually(lambda queue=everybody: broker_client.queue_depth(queue) == 2)  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
    assert broker_client.queue_depth("media.claims") == 1
    properties, _ = eventually(lambda: broker_client.take("tracking.registrations"))
    assert properties.type == REGISTERED, "a consumer knows it by its name"


def test_nothing_is_published_before_the_bindings_of_the_release_are_there(
    start: Start, broker_client: BrokerClient, broker: RabbitMQ, database: str
) -> None:
    """As where a new release starts on a running deployment: the queues are there, a binding is not."""
    broker_client.channel.queue_unbind("tracking.registrations", "intake.events", f"{REGISTERED}.#")
    broker_client.channel.exchange_delete(topology.BINDINGS)
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO outbox (message_id, exchange, name, routing_key, body, headers) "
            "VALUES (gen_random_uuid(), 'intake.events', %s, %s, '{}', '{}')",
            [REGISTERED, f"{REGISTERED}.without_uploads"],
        )
    start()
    eventually(lambda: broker_client.queue_depth("tracking.registrations") == 1)


def test_rpc_answers_with_contracts_and_typed_errors(start: Start, broker_client: BrokerClient) -> None:
    process = start()
    assert broker_client.call("probe", "tell", ProbeRequest(what="hello"))["what"] == "hello"
    with pytest.raises(UnknownCase):
        broker_client.call("probe", "tell", ProbeRequest(what="unknown"))
    with pytest.raises(PeygirError) as raised:
        broker_client.call("probe", "tell", ProbeRequest(what="bug"))
    assert raised.value.code == "internal"
    assert not raised.value.params
    assert "989121234567" not in process.log.read_text()


def test_the_topology_can_be_declared_again_and_again(broker: RabbitMQ) -> None:
    topology.declare(broker.url)
    topology.declare(broker.url)
