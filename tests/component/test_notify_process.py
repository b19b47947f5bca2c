"""Notify as it is run: several processes on a real broker and database, killed, stopped, and started again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.base import now
from contracts.errors import InvalidField, NotAllowed
from contracts.notify import ListMessages, MarkRead
from contracts.vocabulary import Language
from deploy.local.parts import PostgreSQL, RabbitMQ
from deploy.local.sms_simulator.embedded import Simulator
from tests.support.notify import Keys, Person, Rows, delivery_receipt, environment_of, one_time_code, providers
from tests.support.processes import BrokerClient, ServiceProcess, eventually

Start = Callable[[], ServiceProcess]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with providers() as (first, _):
        yield first


@pytest.fixture
def environment(
    broker: RabbitMQ, postgres: PostgreSQL, simulator: Simulator, request: pytest.FixtureRequest
) -> dict[str, str]:
    simulator.reset()
    return environment_of(
        broker.url,
        postgres.url,
        "notify_process",
        simulator,
        NOTIFY_QUIET_HOURS="off",
        NOTIFY_LEASE="3",
        KAVENEGAR_TIMEOUT="20",
        NOTIFY_HOLD="1",
    )


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    started: list[ServiceProcess] = []

    def start() -> ServiceProcess:
        started.append(ServiceProcess("notify", environment, tmp_path / f"{len(started)}.log").start())
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def rows(environment: dict[str, str]) -> Rows:
    return Rows(environment["DATABASE_URL"])


@pytest.fixture
def keys(environment: dict[str, str]) -> Keys:
    return Keys(environment)


def file_cases(broker_client: BrokerClient, people: list[Person]) -> None:
    for person in people:
        broker_client.publish_event(person.registered())
        broker_client.publish_event(person.opened())


def sms_counts(simulator: Simulator, people: list[Person]) -> list[int]:
    """How many SMS each of them was sent, in the end."""
    counts = [len(simulator.messages(person.phone, accepted=True)) for person in people]
    assert all(counts), counts
    return counts


def test_messages_in_flight_of_a_killed_process_are_sent_once_by_another(
    start: Start, broker_client: BrokerClient, simulator: Simulator, keys: Keys, rows: Rows
) -> None:
    people = [Person(keys) for _ in range(6)]
    first = start()
    simulator.fault("timeout", seconds=60, count=6)
    file_cases(broker_client, people)
    # The provider has taken them all, and not answered.
    eventually(lambda: sms_counts(simulator, people), timeout=30)
    first.kill()
    start()
    eventually(lambda: all(rows.sms(person.case_id, "registered")["sent_at"] for person in people), timeout=30)
    assert sms_counts(simulator, people) == [1] * 6


def test_replicas_share_the_work_and_a_kill_under_load_loses_and_duplicates_nothing(
    start: Start, broker_client: BrokerClient, simulator: Simulator, keys: Keys
) -> None:
    people = [Person(keys) for _ in range(60)]
    first, _ = start(), start()
    simulator.fault("delay", seconds=0.1, count=0)
    file_cases(broker_client, people)
    eventually(lambda: simulator.messages(accepted=True))
    first.kill()
    start()
    assert eventually(lambda: sms_counts(simulator, people), timeout=60) == [1] * 60


def test_a_stopping_process_finishes_messages_in_flight(
    start: Start, broker_client: BrokerClient, simulator: Simulator, keys: Keys, rows: Rows
) -> None:
    person = Person(keys)
    process = start()
    simulator.fault("delay", seconds=2)
    file_cases(broker_client, [person])
    eventually(lambda: simulator.messages(person.phone, accepted=True))
    assert process.stop() == 0
    assert rows.sms(person.case_id, "registered")["state"] == "sent"


def test_events_published_while_no_process_ran_are_handled_later(
    start: Start, broker_client: BrokerClient, simulator: Simulator, keys: Keys
) -> None:
    person = Person(keys)
    file_cases(broker_client, [person])
    start()
    assert simulator.messages(person.phone, wait=20)


def test_a_delivery_receipt_by_webhook_is_published(
    start: Start, broker_client: BrokerClient, simulator: Simulator, keys: Keys, rows: Rows
) -> None:
    person = Person(keys)
    start()
    broker_client.record_events("notify.events")
    file_cases(broker_client, [person])
    (sms,) = simulator.messages(person.phone, wait=20)
    broker_client.publish_command(delivery_receipt(keys, sms["messageid"], 10))
    eventually(lambda: rows.sms(person.case_id, "registered")["state"] == "delivered")

    def both_delivered() -> bool:
        delivered = broker_client.recorded_events("notification.delivered.v1")
        return [event["channel"] for event in delivered if event["case_id"] == str(person.case_id)] == ["inbox", "sms"]

    eventually(both_delivered)


def test_a_reply_by_sms_to_a_decision_is_published_to_tracking(
    start: Start, broker_client: BrokerClient, simulator: Simulator, keys: Keys
) -> None:
    person = Person(keys)
    start()
    broker_client.record_events("notify.events")
    file_cases(broker_client, [person])
    (first,) = simulator.messages(person.phone, wait=20)
    broker_client.publish_event(person.decided())
    (question,) = simulator.messages(person.phone, after=first["number"], wait=20)
    assert "1 راضی، 2 اعتراض" in question["text"]
    text = person.texts("۱")
    broker_client.publish_command(text)
    broker_client.publish_command(text)

    def replied() -> list[str]:
        return [event["reply"] for event in broker_client.recorded_events("citizen.replied.v1")]

    assert eventually(replied) == ["satisfied"]


def test_a_one_time_code_is_on_the_phone_within_seconds_even_behind_a_crowd(
    start: Start, broker_client: BrokerClient, simulator: Simulator, keys: Keys
) -> None:
    start()
    simulator.fault("delay", seconds=0.2, count=0)
    crowd = [Person(keys) for _ in range(80)]
    file_cases(broker_client, crowd)
    for person in crowd:
        broker_client.publish_event(person.citizen_asked())
    eventually(lambda: simulator.messages(accepted=True))
    mobile = Person(keys).phone
    broker_client.publish_event(one_time_code(keys, mobile, "271828", Language.FA, now() + timedelta(minutes=5)))
    assert simulator.messages(mobile, wait=5)
    assert len(simulator.messages(accepted=True)) < 160, "the crowd was not through before it"


def test_the_inbox_is_read_by_rpc_and_errors_keep_their_codes(
    start: Start, broker_client: BrokerClient, keys: Keys
) -> None:
    person = Person(keys, mobile=None)
    start()
    file_cases(broker_client, [person])
    mine = ListMessages(code_hashes=[person.code_hash])
    (item,) = eventually(lambda: broker_client.call("notify", "list_messages", mine)["items"])
    broker_client.call("notify", "mark_read", MarkRead(code_hashes=[person.code_hash], ids=[item["id"]]))
    assert broker_client.call("notify", "list_messages", mine)["items"][0]["read"] is True
    with pytest.raises(NotAllowed):
        broker_client.call("notify", "list_messages", ListMessages())
    with pytest.raises(InvalidField):
        broker_client.call("notify", "list_messages", mine.model_copy(update={"after": "nowhere"}))
