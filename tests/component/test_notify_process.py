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
from tests.support.notify import API_KEY, LINE, Keys, Person, Rows, delivery_receipt, one_time_code, providers
from tests.support.processes import BusClient, ServiceProcess, eventually, prepared

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
    return prepared(
        "notify",
        broker.url,
        postgres.url,
        "notify_process",
        KAVENEGAR_BASE_URL=simulator.url,
        KAVENEGAR_API_KEY=API_KEY,
        SMS_SENDER=LINE,
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


def file_cases(wire: BusClient, people: list[Person]) -> None:
    for person in people:
        wire.event(person.registered())
        wire.event(person.opened())


def all_told(simulator: Simulator, people: list[Person]) -> list[int]:
    """How many SMS each of them was sent, in the end."""
    counts = [len(simulator.messages(person.phone, accepted=True)) for person in people]
    assert all(counts), counts
    return counts


def test_messages_in_the_air_of_a_killed_process_are_sent_once_by_another(
    start: Start, wire: BusClient, simulator: Simulator, keys: Keys, rows: Rows
) -> None:
    people = [Person(keys) for _ in range(6)]
    first = start()
    simulator.fault("timeout", seconds=60, count=6)
    file_cases(wire, people)
    # The provider has taken them all, and not answered.
    eventually(lambda: all_told(simulator, people), timeout=30)
    first.kill()
    start()
    eventually(lambda: all(rows.sms(person.case_id, "registered")["sent_at"] for person in people), timeout=30)
    assert all_told(simulator, people) == [1] * 6


def test_replicas_share_the_work_and_one_killed_under_load_loses_and_doubles_nothing(
    start: Start, wire: BusClient, simulator: Simulator, keys: Keys
) -> None:
    people = [Person(keys) for _ in range(60)]
    first, _ = start(), start()
    simulator.fault("delay", seconds=0.1, count=0)
    file_cases(wire, people)
    eventually(lambda: simulator.messages(accepted=True))
    first.kill()
    start()
    assert eventually(lambda: all_told(simulator, people), timeout=60) == [1] * 60


def test_told_to_stop_it_finishes_what_is_in_the_air(
    start: Start, wire: BusClient, simulator: Simulator, keys: Keys, rows: Rows
) -> None:
    person = Person(keys)
    process = start()
    simulator.fault("delay", seconds=2)
    file_cases(wire, [person])
    eventually(lambda: simulator.messages(person.phone, accepted=True))
    assert process.stop() == 0
    assert rows.sms(person.case_id, "registered")["state"] == "sent"


def test_what_came_while_no_process_ran_is_told_when_one_does(
    start: Start, wire: BusClient, simulator: Simulator, keys: Keys
) -> None:
    person = Person(keys)
    file_cases(wire, [person])
    start()
    assert simulator.messages(person.phone, wait=20)


def test_the_providers_word_by_webhook_is_told_to_all(
    start: Start, wire: BusClient, simulator: Simulator, keys: Keys, rows: Rows
) -> None:
    person = Person(keys)
    start()
    wire.listen("notify.events")
    file_cases(wire, [person])
    (sms,) = simulator.messages(person.phone, wait=20)
    wire.command(delivery_receipt(keys, sms["messageid"], 10))
    eventually(lambda: rows.sms(person.case_id, "registered")["state"] == "delivered")

    def heard() -> bool:
        told = wire.heard("notification.delivered.v1")
        return [event["channel"] for event in told if event["case_id"] == str(person.case_id)] == ["inbox", "sms"]

    eventually(heard)


def test_a_decision_is_answered_by_sms_and_told_to_tracking(
    start: Start, wire: BusClient, simulator: Simulator, keys: Keys
) -> None:
    person = Person(keys)
    start()
    wire.listen("notify.events")
    file_cases(wire, [person])
    (first,) = simulator.messages(person.phone, wait=20)
    wire.event(person.decided())
    (asked,) = simulator.messages(person.phone, after=first["number"], wait=20)
    assert "1 راضی، 2 اعتراض" in asked["text"]
    text = person.texts("۱")
    wire.command(text)
    wire.command(text)
    assert simulator.messages(person.phone, after=asked["number"], wait=20)[0]["text"].startswith("از پاسخ شما")

    def replied() -> list[str]:
        return [event["reply"] for event in wire.heard("citizen.replied.v1")]

    assert eventually(replied) == ["satisfied"]


def test_a_one_time_code_is_on_the_phone_within_seconds_even_behind_a_crowd(
    start: Start, wire: BusClient, simulator: Simulator, keys: Keys
) -> None:
    start()
    simulator.fault("delay", seconds=0.2, count=0)
    crowd = [Person(keys) for _ in range(80)]
    file_cases(wire, crowd)
    for person in crowd:
        wire.event(person.asked())
    eventually(lambda: simulator.messages(accepted=True))
    mobile = Person(keys).phone
    wire.event(one_time_code(keys, mobile, "271828", Language.FA, now() + timedelta(minutes=5)))
    assert simulator.messages(mobile, wait=5)
    assert len(simulator.messages(accepted=True)) < 160, "the crowd was not through before it"


def test_the_inbox_is_asked_by_rpc_and_errors_keep_their_names(start: Start, wire: BusClient, keys: Keys) -> None:
    person = Person(keys, mobile=None)
    start()
    file_cases(wire, [person])
    mine = ListMessages(code_hashes=[person.code_hash])
    (item,) = eventually(lambda: wire.ask("notify", "list_messages", mine)["items"])
    wire.ask("notify", "mark_read", MarkRead(code_hashes=[person.code_hash], ids=[item["id"]]))
    assert wire.ask("notify", "list_messages", mine)["items"][0]["read"] is True
    with pytest.raises(NotAllowed):
        wire.ask("notify", "list_messages", ListMessages())
    with pytest.raises(InvalidField):
        wire.ask("notify", "list_messages", mine.model_copy(update={"after": "nowhere"}))
