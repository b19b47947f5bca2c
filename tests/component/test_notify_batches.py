"""Batches of events: each effect once, whatever comes again, and whoever handles the same meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from contracts import tracking
from contracts.base import now
from contracts.identities import IdentityAsked
from contracts.tracking import RetentionDue
from contracts.vocabulary import KeptPart, Kind, Stage
from tests.support.between_statements import meanwhile
from tests.support.notify import NotifyEnvironment, NotifyFixture, Person

WRITES_BATCH = 'WITH decisive AS (INSERT INTO "inbox"'


@pytest.fixture
def notify(notify_environment: NotifyEnvironment) -> NotifyFixture:
    return notify_environment.fixture()


def registered(notify: NotifyFixture, people: list[Person]) -> None:
    notify.publish(*(person.registered() for person in people))


def count(notify: NotifyFixture, table: str) -> int:
    with notify.database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def handle(notify: NotifyFixture, events: Sequence[tracking.TrackedEvent]) -> None:
    with notify.database.statements() as connection:
        notify.app.notifications.case_events(connection, events)


@pytest.mark.parametrize("share", [1, 5, 10])
def test_of_a_batch_that_another_process_handles_in_part_each_message_is_made_once(
    notify: NotifyFixture, share: int
) -> None:
    people = [Person(notify.keys) for _ in range(10)]
    registered(notify, people)
    before = count(notify, "messages"), count(notify, "outbox")
    events = [event for person in people for event in (person.opened(), person.citizen_asked())]
    with meanwhile(notify.database, lambda: handle(notify, events[: 2 * share]), WRITES_BATCH):
        handle(notify, events)
    assert (count(notify, "messages"), count(notify, "outbox")) == (before[0] + 20, before[1] + 10)
    assert count(notify, "cases") == 10
    with notify.database.read() as connection:
        stages = connection.execute(text("SELECT DISTINCT stage, sequence FROM cases")).all()
    assert [tuple(row) for row in stages] == [(Stage.AWAITING_CITIZEN, 2)]


def test_registrations_that_another_process_handles_meanwhile_send_one_code_each(notify: NotifyFixture) -> None:
    people = [Person(notify.keys) for _ in range(4)]
    events = [person.registered() for person in people]

    def register() -> None:
        with notify.database.statements() as connection:
            notify.app.notifications.submissions_registered(connection, events)

    with meanwhile(notify.database, register, WRITES_BATCH):
        register()
    notify.publish(*(person.opened() for person in people))
    notify.send()
    assert [len(notify.sms_of(person)) for person in people] == [1] * 4
    assert count(notify, "contacts") == 4


def test_an_event_twice_in_a_batch_and_one_person_named_twice_make_one_message(notify: NotifyFixture) -> None:
    person, mentioned = Person(notify.keys), uuid4()
    registered(notify, [person])
    opened = person.opened()
    note = person.event(tracking.NoteAdded, Stage.REGISTERED, mentions=[mentioned, mentioned])
    handle(notify, [note, opened, note, opened])
    assert len(notify.rows.of_event(note.name)) == 1


def test_an_event_that_the_inbox_has_forgotten_makes_no_second_message_and_reports_none(notify: NotifyFixture) -> None:
    person = Person(notify.keys)
    event = person.registered()
    notify.publish(event)
    decided = person.decided()
    notify.publish(decided)
    before = count(notify, "messages"), count(notify, "outbox")
    with notify.database.transaction() as connection:
        connection.execute(text("DELETE FROM inbox"))
    notify.publish(event, decided)
    assert (count(notify, "messages"), count(notify, "outbox")) == before
    assert count(notify, "inbox") == 2


def test_a_registration_after_the_erasure_brings_nothing_back_amid_others(notify: NotifyFixture) -> None:
    erased, other = Person(notify.keys), Person(notify.keys)
    due = RetentionDue(
        id=uuid4(),
        occurred_at=now(),
        case_id=erased.case_id,
        sequence=1,
        state=erased.opened().state,
        part=KeptPart.IDENTITY,
        ended_at=now(),
        months=12,
    )
    with notify.database.transaction() as connection:
        notify.app.notifications.retention_due(connection, due)
    with notify.database.statements() as connection:
        notify.app.notifications.submissions_registered(connection, [erased.registered(), other.registered()])
    with notify.database.read() as connection:
        reached = set(connection.execute(text("SELECT case_id FROM contacts")).scalars())
    assert reached == {other.case_id}
    assert Counter(row["case_id"] for row in notify.rows.of_event("submission.registered.v1")) == {other.case_id: 2}


def test_an_event_to_staff_that_another_process_handles_meanwhile_makes_one_message(notify: NotifyFixture) -> None:
    identity_asked = IdentityAsked(
        id=uuid4(), occurred_at=now(), request_id=uuid4(), case_id=uuid4(), kind=Kind.COMPLAINT, asked_by=UUID(int=1)
    )

    def handle_it() -> None:
        with notify.database.statements() as connection:
            notify.app.notifications.identity_event(connection, identity_asked)

    with meanwhile(notify.database, handle_it, WRITES_BATCH):
        handle_it()
    assert len(notify.rows.of_event(identity_asked.name)) == 1
