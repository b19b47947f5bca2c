"""The real parts all tests share: one broker, one database server, one object store a session, started when asked for.

See README.md here for what goes where.
"""

from __future__ import annotations

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"  # before psycopg is first imported, see backbone.storage.database
os.environ.setdefault("NICENESS", "0")  # what a test waits for does not give way to the test

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from deploy.local.parts import ObjectStore, PostgreSQL, RabbitMQ
from deploy.local.processes import System
from tests.support.processes import BrokerClient, open_broker_client

# How long one example takes depends on what else the machine does, and no test asserts a time.
hypothesis.settings.register_profile("peygir", deadline=None)
hypothesis.settings.load_profile("peygir")

# Test modules name it in `pytest_plugins`, after they have imported it.
pytest.register_assert_rewrite("tests.support.accounts")


@pytest.fixture(scope="session")
def parts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parts")


@pytest.fixture(scope="session")
def broker(parts_folder: Path) -> Iterator[RabbitMQ]:
    part = RabbitMQ(parts_folder / "rabbitmq")
    part.start()
    yield part
    part.stop()


@pytest.fixture(scope="session")
def postgres(parts_folder: Path) -> Iterator[PostgreSQL]:
    part = PostgreSQL(parts_folder / "postgres")
    part.start()
    yield part
    part.stop()


@pytest.fixture(scope="session")
def store(parts_folder: Path) -> Iterator[ObjectStore]:
    part = ObjectStore(parts_folder / "store")
    part.start()
    yield part
    part.stop()


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """All of Peygir on free ports, as `./peygir up` runs it; the gateway's limits are off, since all tests come from one
    address, a one-time code may be asked for again at once, and of visits one is reminded within seconds.
    Whoever stops a part of it starts it again."""
    budgets = (
        *("submissions", "codes", "one_code", "bad_codes", "bad_codes_by_network", "waited_codes", "one_time_codes"),
        *("sign_in", "refresh", "bad_tokens", "session", "anonymous", "upload_megabytes"),
    )
    limits = {f"LIMIT_{name.upper()}": "off" for name in budgets}
    reminders = {"DAY_BEFORE": "30", "HOURS_BEFORE": "15", "FROM_HOUR": "0", "UNTIL_HOUR": "24"}
    roomy = {name: str(2**40) for name in ("MEDIA_ADDRESS_BYTES", "MEDIA_QUARANTINE_BYTES")}
    roomy |= dict.fromkeys(("MEDIA_ADDRESS_FILES", "MEDIA_OPEN_UPLOADS"), "100000")
    given = {"PASSKEY_ORIGIN": "https://peygir.example"}  # passkeys do not belong to 127.0.0.1
    roomy["NOTIFY_WEBHOOK_NETWORKS"] = "127.0.0.2/32"  # where a test plays a partner; nothing of ours listens there
    roomy["NOTIFY_PUSH_NETWORKS"] = "127.0.0.3/32"  # where a test plays a push service
    given |= {
        "OTP_RESEND_SECONDS": "0",
        **roomy,
        **{f"VISIT_REMIND_{name}": value for name, value in reminders.items()},
    }
    with System(tmp_path_factory.mktemp("system"), environment={**limits, **given}) as running:
        yield running


@pytest.fixture
def broker_client(broker: RabbitMQ) -> Iterator[BrokerClient]:
    """A client of the broker, on empty queues."""
    from backbone.messaging import topology

    topology.declare(broker.url)
    with open_broker_client(broker.url) as client:
        client.purge()
        yield client
