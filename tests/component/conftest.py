"""Fixtures that several component tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.parts import ObjectStore, PostgreSQL, RabbitMQ
from tests.support.media import Sender, environment
from tests.support.processes import BusClient, ServiceProcess


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
def sender(wire: BusClient, media: ServiceProcess) -> Sender:
    wire.listen("media.events")
    return Sender(wire)


@pytest.fixture
def alone(media: ServiceProcess) -> Iterator[None]:
    """For tests with a media service of their own: two would share one queue."""
    media.kill()
    yield
    media.start()
