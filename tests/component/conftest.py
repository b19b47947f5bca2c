"""Fixtures that several component tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.parts import ObjectStore, PostgreSQL, RabbitMQ
from tests.support.media import Sender, environment
from tests.support.notify import NotifyEnvironment, NotifyFixture, Person, open_notify_environment
from tests.support.processes import BrokerClient, ServiceProcess, prepared
from tests.support.tracking import Office, three_of_tracking


@pytest.fixture(scope="module")
def media(
    broker: RabbitMQ, postgres: PostgreSQL, store: ObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """A media service of this module's own."""
    folder = tmp_path_factory.mktemp("media")
    service = ServiceProcess("media", environment(broker, postgres, store, folder), folder / "log").start()
    yield service
    service.kill()


@pytest.fixture
def sender(broker_client: BrokerClient, media: ServiceProcess) -> Sender:
    broker_client.record_events("media.events")
    return Sender(broker_client)


@pytest.fixture
def alone(media: ServiceProcess) -> Iterator[None]:
    """For tests with a media service of their own: two would share one queue."""
    media.kill()
    yield
    media.start()


def database_name(request: pytest.FixtureRequest) -> str:
    """The name of the test module, for a database of its own."""
    return str(request.module.__name__.rpartition(".test_")[2])


@pytest.fixture(scope="module")
def tracking_settings() -> dict[str, str]:
    """What tracking is set to; a module that wants other settings has a fixture of this name."""
    return {}


@pytest.fixture(scope="module")
def tracking_environment(
    request: pytest.FixtureRequest, broker: RabbitMQ, postgres: PostgreSQL, tracking_settings: dict[str, str]
) -> dict[str, str]:
    """The environment of tracking on a database that is named after the test module."""
    return prepared("tracking", broker.url, postgres.url, database_name(request), **tracking_settings)


@pytest.fixture(scope="module")
def tracking(
    tracking_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """A tracking service of this module's own."""
    log = tmp_path_factory.mktemp("tracking") / "tracking.log"
    process = ServiceProcess("tracking", tracking_environment, log).start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def replicas(
    tracking_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[ServiceProcess]]:
    """Three replicas of tracking instead of one."""
    with three_of_tracking(tracking_environment, tmp_path_factory.mktemp("tracking")) as processes:
        yield processes


@pytest.fixture
def office(tracking: ServiceProcess, broker_client: BrokerClient) -> Office:
    """The people of the office, known to `tracking`, whose events `broker_client` records."""
    broker_client.record_events("tracking.events")
    return Office(broker_client, tracking.environment["DATABASE_URL"]).gather()


@pytest.fixture(scope="module")
def notify_environment(
    request: pytest.FixtureRequest, broker: RabbitMQ, postgres: PostgreSQL
) -> Iterator[NotifyEnvironment]:
    """Where the use cases of notify run: a database of this module's own, and the SMS simulator."""
    with open_notify_environment(broker.url, postgres.url, database_name(request)) as opened:
        yield opened


@pytest.fixture
def notify(notify_environment: NotifyEnvironment) -> NotifyFixture:
    return notify_environment.fixture()


@pytest.fixture
def person(notify: NotifyFixture) -> Person:
    return Person(notify.keys)


@pytest.fixture
def intake_client(broker_client: BrokerClient) -> BrokerClient:
    """A client of the broker that records the events of intake."""
    broker_client.record_events("intake.events")
    return broker_client
