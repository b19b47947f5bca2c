"""The relay of the outbox on PostgreSQL: what is committed is published, once as long as nobody dies, and never what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from uuid import UUID, uuid4

import eventlet
import pytest
from sqlalchemy import text

from backbone.messaging import outbox, outbox_relay
from backbone.messaging.amqp import NotPublished, Outgoing
from backbone.messaging.outbox_relay import OutboxRelay
from backbone.storage.database import Database
from contracts.accounts import StaffChanged
from contracts.base import now
from deploy.local.parts import PostgreSQL
from tests.support.processes import create_database, eventually


class RecordingBroker:
    """Takes what is published, while it is `connected` and not `refusing`."""

    def __init__(self) -> None:
        self.published: list[UUID] = []
        self.connected, self.refusing = True, False

    def publish(self, messages: Sequence[Outgoing], timeout: float = 10.0) -> list[NotPublished | None]:
        if self.refusing or not self.connected:
            return [NotPublished("no")] * len(messages)
        self.published += [UUID(str(message.message_id)) for message in messages]
        return [None] * len(messages)


@pytest.fixture(scope="module")
def url(postgres: PostgreSQL) -> str:
    url = create_database(postgres.url, "relay")
    database = Database(url)
    with database.transaction() as connection:
        outbox.TABLE.create(connection)
    database.close()
    return url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    with database.transaction() as connection:
        connection.execute(text("TRUNCATE outbox"))
    yield database
    database.close()


@pytest.fixture
def broker() -> RecordingBroker:
    return RecordingBroker()


Start = Callable[[], OutboxRelay]


@pytest.fixture
def start(database: Database, broker: RecordingBroker) -> Iterator[Start]:
    """Starts a relay, as a process of the service does."""
    running: list[tuple[OutboxRelay, eventlet.greenthread.GreenThread]] = []

    def start() -> OutboxRelay:
        relay = OutboxRelay(database, broker)  # type: ignore[arg-type]  # the broker's publishing half
        database.on_outbox_rows(relay.committed)
        running.append((relay, eventlet.spawn(relay.run)))
        return relay

    yield start
    for relay, thread in running:
        relay.stop()
        thread.wait()


def write(database: Database, count: int = 1) -> list[UUID]:
    """Commits so many events; their ids."""
    events = [staff_changed() for _ in range(count)]
    with database.transaction() as connection:
        outbox.add(connection, *events)
    return [event.id for event in events]


def leave(database: Database, age: str) -> UUID:
    """A row that another process wrote, so old (an interval of PostgreSQL)."""
    message_id = uuid4()
    with database.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO outbox (message_id, exchange, name, routing_key, body, headers, created_at) VALUES "
                "(:id, 'accounts.events', 'staff.changed.v1', 'staff.changed.v1', '{}', '{}', now() - CAST(:age AS interval))"
            ),
            {"id": message_id, "age": age},
        )
    return message_id


def staff_changed() -> StaffChanged:
    return StaffChanged(
        id=uuid4(), occurred_at=now(), staff_id=uuid4(), version=1, display_name="x", roles=[], unit=None, active=True
    )


def rows(database: Database) -> list[UUID]:
    with database.read() as connection:
        return list(connection.execute(text("SELECT message_id FROM outbox ORDER BY seq")).scalars())


def until(condition: Callable[[], bool], why: str) -> None:
    """Waits for what the relay, a green thread of this process, is to bring about."""

    def look() -> bool:
        eventlet.sleep(0)  # lets the relay go on
        return condition()

    eventually(look, why=why)


def test_committed_events_are_published_in_order_and_their_rows_deleted(
    database: Database, broker: RecordingBroker, start: Start
) -> None:
    start()
    ids = write(database, 3) + write(database, 2)
    until(lambda: broker.published == ids, "not published")
    until(lambda: rows(database) == [], "not deleted")
    assert broker.published == ids


def test_what_is_rolled_back_is_not_published(database: Database, broker: RecordingBroker, start: Start) -> None:
    start()
    with suppress(ValueError), database.transaction() as connection:
        outbox.add(connection, staff_changed())
        raise ValueError
    [committed] = write(database)
    until(lambda: rows(database) == [], "not deleted")
    assert broker.published == [committed]


def test_rows_of_a_process_that_died_are_published(database: Database, broker: RecordingBroker, start: Start) -> None:
    left = leave(database, age="3 seconds")
    start()
    until(lambda: rows(database) == [], "not swept")
    assert broker.published == [left]


def test_rows_that_another_process_is_about_to_publish_are_left_to_it(
    database: Database, broker: RecordingBroker, start: Start
) -> None:
    fresh = leave(database, age="-1 hour")  # it does not age while this test runs
    start()
    own = write(database, 2)
    until(lambda: rows(database) == [fresh], "own rows were not published and deleted")
    assert broker.published == own
    assert outbox.relay_once(database, broker, older_than=outbox_relay.LEFTOVER_AGE) == (0, 0)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("away", [True, False], ids=["no connection", "not confirmed"])
def test_what_cannot_be_published_stays_and_is_published_later(
    database: Database, broker: RecordingBroker, start: Start, away: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_relay, "LEFTOVER_AGE", 0.0)
    broker.connected, broker.refusing = not away, not away
    relay = start()
    ids = write(database, 3)
    relay.stop()
    assert rows(database) == ids
    broker.connected, broker.refusing = True, False
    start()
    until(lambda: rows(database) == [], "never published")
    assert broker.published == ids


def test_the_same_process_publishes_it_when_the_broker_returns(
    database: Database, broker: RecordingBroker, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_relay, "LEFTOVER_AGE", 0.0)
    broker.connected = False
    start()
    ids = write(database, 2)
    eventlet.sleep(0)
    assert rows(database) == ids
    broker.connected = True
    until(lambda: rows(database) == [], "never published")
    assert broker.published == ids


def test_more_than_memory_may_hold_waits_in_the_table(
    database: Database, broker: RecordingBroker, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_relay, "LEFTOVER_AGE", 0.0)
    monkeypatch.setattr(outbox_relay, "MAX_COMMITTED", 2)
    start()
    ids = write(database, 5)
    until(lambda: rows(database) == [], "never published")
    assert broker.published == ids


def test_rows_whose_deletion_failed_are_deleted_without_publishing_them_again(
    database: Database, broker: RecordingBroker, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_rows, failures = outbox.delete_rows, [OSError("the database is away")] * 2

    def failing(database: Database, seqs: Sequence[int]) -> None:
        if failures:
            raise failures.pop()
        delete_rows(database, seqs)

    monkeypatch.setattr(outbox, "delete_rows", failing)
    start()
    ids = write(database, 2)
    until(lambda: rows(database) == [], "never deleted")
    assert (broker.published, failures) == (ids, [])


def test_a_process_that_ends_publishes_and_deletes_what_it_has(database: Database, broker: RecordingBroker) -> None:
    relay = OutboxRelay(database, broker)  # type: ignore[arg-type]  # as above
    database.on_outbox_rows(relay.committed)
    ids = write(database, 3)
    relay.stop()
    relay.run()
    assert (broker.published, rows(database)) == (ids, [])


def test_a_process_ends_in_order_while_the_database_is_away(
    database: Database, broker: RecordingBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = OutboxRelay(database, broker)  # type: ignore[arg-type]  # as above
    database.on_outbox_rows(relay.committed)
    ids = write(database, 2)

    def failing(database: Database, seqs: Sequence[int]) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(outbox, "delete_rows", failing)
    relay.stop()
    relay.run()
    assert (broker.published, rows(database)) == (ids, ids)
