"""Notify as a process, its provider, and a scene for each language: events go in by the broker, SMS come out of the provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.vocabulary import Language
from deploy.local.parts import PostgreSQL, RabbitMQ
from deploy.local.sms_simulator.embedded import Simulator, running
from deploy.local.sms_simulator.settings import Settings as SimulatorSettings
from services.notify.wording.templates import approved_texts
from tests.component.notify_words.scene import EN, FA, Scene
from tests.support.notify import API_KEY, LINE, Keys, Person, environment_of
from tests.support.processes import BrokerClient, ServiceProcess


@pytest.fixture(scope="package")
def simulator() -> Iterator[Simulator]:
    settings = SimulatorSettings(api_key=API_KEY, sender=LINE, port=0, step_delay=0.01, templates=approved_texts())
    with running(settings) as started:
        yield started


@pytest.fixture(scope="package")
def environment(broker: RabbitMQ, postgres: PostgreSQL, simulator: Simulator) -> dict[str, str]:
    local = {"NOTIFY_QUIET_HOURS": "off", "NOTIFY_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    return environment_of(broker.url, postgres.url, "notify_words", simulator, **local)


@pytest.fixture(scope="package")
def notify(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    process = ServiceProcess("notify", environment, tmp_path_factory.mktemp("notify") / "log").start()
    yield process
    process.stop()
    log = Path(process.log).read_text()
    for secret in ("+98912", "0912", environment["KAVENEGAR_API_KEY"]):
        assert secret not in log, "the log holds no code, no mobile and no key"


@pytest.fixture(params=[FA, EN])
def language(request: pytest.FixtureRequest) -> Language:
    return Language(request.param)


@pytest.fixture
def keys(environment: dict[str, str], notify: ServiceProcess) -> Keys:
    return Keys(environment)


@pytest.fixture
def scene(broker_client: BrokerClient, simulator: Simulator, keys: Keys, language: Language) -> Scene:
    return Scene(broker_client, simulator, Person(keys, language))
