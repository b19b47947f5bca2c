"""When notify looks for messages to send and for statuses to poll: each loop on its own schedule."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from contracts.base import now
from contracts.vocabulary import Language
from deploy.local.parts import PostgreSQL, RabbitMQ
from deploy.local.sms_simulator.embedded import Simulator
from services.notify.delivery.rules import POLLING
from tests.support.notify import Keys, Person, Rows, environment_of, one_time_code, providers
from tests.support.processes import BrokerClient, ServiceProcess, eventually


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with providers() as (first, _):
        yield first


@pytest.fixture(scope="module")
def notify(
    broker: RabbitMQ, postgres: PostgreSQL, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    environment = environment_of(broker.url, postgres.url, "notify_schedule", simulator, NOTIFY_QUIET_HOURS="off")
    process = ServiceProcess("notify", environment, tmp_path_factory.mktemp("notify") / "log").start()
    yield process
    process.kill()


@pytest.fixture
def rows(notify: ServiceProcess) -> Rows:
    return Rows(notify.environment["DATABASE_URL"])


@pytest.fixture
def keys(notify: ServiceProcess) -> Keys:
    return Keys(dict(notify.environment))


def counted(notify: ServiceProcess, metric: str) -> int:
    lines = httpx.get(f"{notify.health}/metrics", timeout=5).text.splitlines()
    return next((int(float(line.split()[-1])) for line in lines if line.startswith(f"{metric} ")), 0)


def wakes(notify: ServiceProcess) -> int:
    return counted(notify, 'peygir_sms_sender_runs_total{after="woken"}')


def polls(notify: ServiceProcess) -> int:
    return counted(notify, "peygir_sms_status_polls_total")


def test_events_that_make_no_message_due_do_not_wake_the_sender(
    notify: ServiceProcess, broker_client: BrokerClient, simulator: Simulator, keys: Keys, rows: Rows
) -> None:
    # Given a sender that has been woken for somebody with a mobile
    eventually(lambda: wakes(notify) >= 1)
    before = wakes(notify)
    # When a report without a mobile is filed, opened and decided
    anonymous = Person(keys, mobile=None)
    broker_client.publish_event(anonymous.registered())
    eventually(lambda: len(rows.of_case(anonymous.case_id)) == 1)
    broker_client.publish_event(anonymous.opened())
    broker_client.publish_event(anonymous.decided())
    eventually(lambda: len(rows.of_case(anonymous.case_id)) == 2)
    assert {row["state"] for row in rows.of_case(anonymous.case_id)} == {"skipped"}
    # Then the sender was not woken
    assert wakes(notify) == before
    # And it is for one with a mobile, when the case arrives that the SMS waits for
    person = Person(keys)
    broker_client.publish_event(person.registered())
    broker_client.publish_event(person.opened())
    eventually(lambda: simulator.messages(person.phone, accepted=True))
    assert wakes(notify) > before


def test_statuses_are_polled_on_their_own_schedule_however_often_the_sender_is_woken(
    notify: ServiceProcess, broker_client: BrokerClient, simulator: Simulator, keys: Keys
) -> None:
    polled, woken, began = polls(notify), wakes(notify), time.monotonic()
    # When the sender is woken again and again, each time when it has sent the last message
    for _ in range(8):
        person = Person(keys)
        expires = now() + timedelta(minutes=5)
        broker_client.publish_event(one_time_code(keys, person.phone, "123456", Language.FA, expires))
        eventually(lambda person=person: simulator.messages(person.phone, accepted=True))  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
    assert wakes(notify) >= woken + 8
    # Then no more polls were made than their own schedule has
    assert polls(notify) - polled <= (time.monotonic() - began) / POLLING + 1
    # And they go on without anything that would wake the sender
    later = polls(notify)
    eventually(lambda: polls(notify) > later)
