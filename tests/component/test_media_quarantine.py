"""How much may be on its way: of one address, of all, on a disk that fills; and how it is given back."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import EvidenceUnavailable, PeygirError, TooManyUploads
from contracts.media import CreateUpload, TerminateUpload
from deploy.local.parts import ObjectStore, PostgreSQL, RabbitMQ
from tests.support import media_samples as samples
from tests.support.media import Sender, database_of, environment, filed
from tests.support.processes import BrokerClient, ServiceProcess, eventually
from texts.errors import error_text

pytestmark = pytest.mark.timeout(180)
MIB = 1024 * 1024
BOUNDS = {
    "MEDIA_ADDRESS_BYTES": str(10 * MIB),
    "MEDIA_ADDRESS_FILES": "5",
    "MEDIA_QUARANTINE_BYTES": str(20 * MIB),
    "MEDIA_OPEN_UPLOADS": "8",
    "MEDIA_PURGE_GRACE_SECONDS": "0",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def media(broker: RabbitMQ, postgres: PostgreSQL, store: ObjectStore, folder: Path) -> Iterator[ServiceProcess]:
    service = ServiceProcess("media", environment(broker, postgres, store, folder, **BOUNDS), folder / "log").start()
    yield service
    service.kill()


@pytest.fixture
def sender(broker_client: BrokerClient, media: ServiceProcess) -> Sender:
    with database_of(media) as connection:
        connection.execute("DELETE FROM uploads")
    broker_client.record_events("media.events")
    return Sender(broker_client)


def address() -> str:
    return uuid.uuid4().hex


def announce(sender: Sender, size: int, of: str) -> str:
    answer = sender.broker_client.call("media", "create_upload", CreateUpload(size=size, address_key=of))
    return str(answer["upload_id"])


def announced(sender: Sender, size: int, of: str, times: int) -> list[PeygirError | str]:
    """The id, or what was said against it, of so many announcements."""
    outcomes: list[PeygirError | str] = []
    for _ in range(times):
        try:
            outcomes.append(announce(sender, size, of))
        except PeygirError as error:
            outcomes.append(error)
    return outcomes


def test_one_address_announces_no_more_than_its_share(sender: Sender) -> None:
    mine, other = address(), address()

    outcomes = announced(sender, 4 * MIB, mine, 6)

    assert [isinstance(outcome, str) for outcome in outcomes] == [True, True, False, False, False, False]
    assert {type(outcome) for outcome in outcomes[2:]} == {TooManyUploads}
    assert all(0 < error.params["retry_after"] <= 3600 for error in outcomes[2:] if isinstance(error, PeygirError))
    assert announce(sender, 4 * MIB, other)


def test_many_small_files_are_counted_as_well_as_bytes(sender: Sender) -> None:
    outcomes = announced(sender, 10, address(), 6)
    assert [type(outcome) for outcome in outcomes] == [str] * 5 + [TooManyUploads]


def test_all_addresses_together_are_limited_by_bytes_and_number(sender: Sender) -> None:
    outcomes = [announced(sender, 9 * MIB, address(), 1)[0] for _ in range(3)]
    assert [type(outcome) for outcome in outcomes] == [str, str, EvidenceUnavailable]
    assert announce(sender, MIB, address())

    for upload_id in outcomes[:2]:
        sender.broker_client.call("media", "terminate_upload", TerminateUpload(upload_id=str(upload_id)))
    outcomes = [announced(sender, 10, address(), 1)[0] for _ in range(8)]
    assert [type(outcome) for outcome in outcomes] == [str] * 7 + [EvidenceUnavailable]


def test_finished_uploads_no_longer_count(sender: Sender, media: ServiceProcess) -> None:
    mine = address()
    first, second = announce(sender, 5 * MIB, mine), announce(sender, 5 * MIB, mine)
    with pytest.raises(TooManyUploads):
        announce(sender, MIB, mine)

    sender.broker_client.call("media", "terminate_upload", TerminateUpload(upload_id=first))
    third = announce(sender, 5 * MIB, mine)
    with database_of(media) as connection:
        connection.execute("UPDATE uploads SET expires_at = now() WHERE upload_id = ANY(%s)", [[second, third]])
    photo = announce(sender, len(samples.photo()), mine)
    sender.put(photo, samples.photo())
    sender.settled(photo)
    assert announce(sender, 10 * MIB - len(samples.photo()), mine)  # examined, and of no case: its bytes still count
    with pytest.raises(TooManyUploads):
        announce(sender, 1, mine)

    sender.broker_client.publish_event(filed(photo))
    eventually(lambda: sender.broker_client.recorded_events("media.claimed.v1"))
    assert announce(sender, 1, mine)
    with database_of(media) as connection:
        kept = connection.execute("SELECT address_key FROM uploads WHERE upload_id = %s", [photo]).fetchone()
    assert kept == (None,)  # nothing tells that two cases came from one address


def test_an_upload_awaited_by_a_case_counts_until_it_is_complete(sender: Sender) -> None:
    """Or else whoever files with what was only announced would announce without end."""
    mine = address()
    big = announce(sender, 10 * MIB, mine)
    sender.broker_client.publish_event(filed(big))
    eventually(lambda: sender.broker_client.recorded_events("media.claimed.v1"))
    with pytest.raises(TooManyUploads):
        announce(sender, MIB, mine)


def test_an_idle_upload_expires_within_an_hour_and_others_within_a_day(sender: Sender) -> None:
    mine = address()
    idle, begun = announce(sender, 1000, mine), announce(sender, 1000, mine)
    sender.put(begun, bytes(10))
    lives = {name: sender.state(upload_id)["expires_at"] for name, upload_id in (("idle", idle), ("begun", begun))}
    between = datetime.fromisoformat(lives["begun"]) - datetime.fromisoformat(lives["idle"])
    assert timedelta(hours=22) < between < timedelta(hours=24)


def test_simultaneous_announcements_are_counted_one_after_another(sender: Sender, media: ServiceProcess) -> None:
    mine, outcomes = address(), []

    def go() -> None:
        own_sender: Any = Sender(BrokerClient(media.environment["AMQP_URL"]))
        outcomes.extend(announced(own_sender, 4 * MIB, mine, 3))
        own_sender.broker_client.close()

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 2


def test_a_full_disk_refuses_uploads_with_the_reason(
    media: ServiceProcess,
    broker: RabbitMQ,
    postgres: PostgreSQL,
    store: ObjectStore,
    broker_client: BrokerClient,
    tmp_path: Path,
) -> None:
    media.kill()
    try:
        more = {"MEDIA_STORE_FOLDER": str(tmp_path), "MEDIA_FREE_BYTES": str(2**60)}
        full = ServiceProcess("media", environment(broker, postgres, store, tmp_path, **more), tmp_path / "log").start()
        try:
            with pytest.raises(EvidenceUnavailable) as refused:
                Sender(broker_client).create(10)
            assert refused.value.params["retry_after"] > 0
            assert "کد رهگیری" in error_text(refused.value, "fa")
        finally:
            full.kill()
    finally:
        media.start()
