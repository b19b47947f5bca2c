"""What intake, media and notify erase when tracking says that its time is over: once, with a trace, and for good, whatever
old message comes again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.base import now
from contracts.errors import Gone, UnknownCase
from contracts.tracking import RetentionDue
from contracts.vocabulary import KeptPart, Stage
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support import media_samples as samples
from tests.support.events import case_snapshot
from tests.support.intake import Office, citizen, send
from tests.support.media import Sender, bucket_of, database_of, filed
from tests.support.notify import NotifyEnvironment, Person
from tests.support.processes import BrokerClient, ServiceProcess, eventually

pytestmark = pytest.mark.timeout(240)


def due(case_id: UUID, part: KeptPart, **more: Any) -> RetentionDue:
    """What tracking says."""
    state = case_snapshot(stage=Stage.CLOSED, filed_at=now() - timedelta(days=800))
    about = {"id": uuid.uuid4(), "occurred_at": now(), "case_id": case_id, "sequence": 9, "state": state}
    return RetentionDue(**about, part=part, months=24, ended_at=now() - timedelta(days=760), **more)


# --- intake ---


@pytest.fixture(scope="module")
def office(broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office.open(broker, postgres, tmp_path_factory.mktemp("intake"), "intake_erasures")
    for _ in range(2):
        office.start()
    yield office
    office.close()


def traces(office: Office, case_id: UUID) -> list[tuple[str, str]]:
    rows = office.sql("SELECT part, rule FROM erasures WHERE submission_id = %s ORDER BY part", case_id)
    return [(part, rule) for part, rule in rows]


def test_an_identity_is_erased_once_and_no_message_restores_it(office: Office, broker_client: BrokerClient) -> None:
    broker_client.record_events("intake.events")
    command = office.submission(identity=citizen(), citizen_id=uuid.uuid4())
    other = office.submission(identity=citizen())
    send(broker_client, command, other)
    office.stored(command, other)
    case_id = command.submission_id
    for _ in range(2):  # said again under another id, as after a backup was put back
        broker_client.publish_event(due(case_id, KeptPart.IDENTITY))
    eventually(lambda: office.number("identities", [case_id]) == 0)
    send(broker_client, command)  # the submission's own message once more
    last = office.submission()
    send(broker_client, last)
    office.stored(last)
    assert office.number("identities", [case_id]) == 0
    assert office.number("identities", [other.submission_id]) == 1
    assert traces(office, case_id) == [("identity", "complaint, any outcome: 24 months")]
    assert office.sql("SELECT citizen_id FROM submissions WHERE submission_id = %s", case_id) == [(None,)]
    with pytest.raises(UnknownCase):
        office.identity_of(broker_client, case_id)
    eventually(
        lambda: [event["case_id"] for event in broker_client.recorded_events("identity.erased.v1")] == [str(case_id)]
    )


def test_an_identity_erased_before_its_submission_arrives_is_never_stored(
    office: Office, broker_client: BrokerClient
) -> None:
    command = office.submission(identity=citizen())
    broker_client.publish_event(due(command.submission_id, KeptPart.IDENTITY))
    eventually(lambda: traces(office, command.submission_id))
    send(broker_client, command)
    office.stored(command)
    assert office.number("identities", [command.submission_id]) == 0


def test_texts_are_erased_and_the_receipt_can_still_be_checked(office: Office, broker_client: BrokerClient) -> None:
    command = office.submission(text="در اداره ققنوسستان پرونده را گم کردند.", people=["ققنوسستان"])
    send(broker_client, command)
    office.stored(command)
    assert "ققنوسستان" in office.dump()
    broker_client.publish_event(due(command.submission_id, KeptPart.TEXTS))
    broker_client.publish_event(due(command.submission_id, KeptPart.EVIDENCE))  # not intake's
    eventually(lambda: traces(office, command.submission_id))
    kept = "SELECT body, kind, content_hash FROM submissions WHERE submission_id = %s"
    eventually(lambda: office.sql(kept, command.submission_id) == [({}, command.kind, command.content_hash)])
    assert office.number("submissions", [command.submission_id]) == 1


def test_a_killed_process_erases_after_its_restart(office: Office, broker_client: BrokerClient) -> None:
    commands = [office.submission(identity=citizen()) for _ in range(20)]
    send(broker_client, *commands)
    office.stored(*commands)
    ids = [command.submission_id for command in commands]
    for case_id in ids:
        broker_client.publish_event(due(case_id, KeptPart.IDENTITY))
    for process in office.processes[-2:]:
        process.kill()
        process.start()
    eventually(lambda: office.number("identities", ids) == 0, timeout=60)
    assert office.number("erasures", ids) == len(ids)


# --- media ---


def test_only_the_bytes_of_the_erased_case_leave_the_store(media: ServiceProcess, broker_client: BrokerClient) -> None:
    broker_client.record_events("media.events")
    sender = Sender(broker_client)
    gone, kept = (sender.send(samples.photo(), "photo.jpg") for _ in range(2))
    first, second = filed(gone), filed(kept)
    for upload in (gone, kept):
        sender.settled(upload)
    for event in (first, second):
        broker_client.publish_event(event)
    eventually(lambda: len(broker_client.recorded_events("media.claimed.v1")) >= 2)
    objects = bucket_of(media)
    assert list(objects.keys(f"evidence/{gone}/"))
    for _ in range(2):
        broker_client.publish_event(due(first.case_id, KeptPart.EVIDENCE, media=[gone]))
    broker_client.publish_event(due(second.case_id, KeptPart.IDENTITY))  # not media's
    eventually(lambda: not list(objects.keys(f"evidence/{gone}/")), timeout=40)
    assert list(objects.keys(f"evidence/{kept}/"))
    with pytest.raises(Gone):
        sender.download(gone, case_id=first.case_id)
    sender.download(kept, case_id=second.case_id)
    with database_of(media) as database:
        trace = database.execute("SELECT case_id, rule, media FROM erasures").fetchall()
        row = database.execute("SELECT file_name, sha256, state FROM uploads WHERE upload_id = %s", [gone]).fetchone()
    assert trace == [(first.case_id, "complaint, any outcome: 24 months", 1)]
    assert row == (None, None, "removed")
    eventually(lambda: [event["media"] for event in broker_client.recorded_events("media.erased.v1")] == [[gone]])

    # The submission's message comes again, and names another upload: neither is kept for this case.
    late = sender.send(samples.photo(), "late.jpg")
    sender.settled(late)
    broker_client.publish_event(filed(gone, late, case_id=first.case_id))
    after = filed(sender.send(samples.photo(), "after.jpg"))
    broker_client.publish_event(after)
    eventually(
        lambda: str(after.case_id) in [event["case_id"] for event in broker_client.recorded_events("media.claimed.v1")]
    )
    with database_of(media) as database:
        rows = database.execute("SELECT case_id FROM uploads WHERE upload_id = %s", [late]).fetchall()
    assert rows == [(None,)]
    assert [event for event in broker_client.recorded_events("media.rejected.v1") if event["media_id"] == gone] == []


# --- notify ---


def test_a_citizen_is_erased_and_stays_erased(notify_environment: NotifyEnvironment) -> None:
    notify = notify_environment.fixture()
    person, other = Person(notify.keys, citizen_id=uuid.uuid4()), Person(notify.keys)
    registered = person.registered()
    notify.publish(registered, person.opened(), other.registered(), other.opened())
    notify.send()
    assert len(notify.sms_of(person)) == 1
    with notify.database.transaction() as connection:
        for part in (KeptPart.TEXTS, KeptPart.IDENTITY, KeptPart.IDENTITY):
            notify.app.notifications.retention_due(connection, due(person.case_id, part))

    contact = "SELECT sealed_contact, mobile_hash, citizen_id FROM contacts WHERE case_id = %s"
    nobody = [{"sealed_contact": None, "mobile_hash": None, "citizen_id": None}]
    assert notify.rows._all(contact, person.case_id) == nobody
    assert {row["mobile_hash"] for row in notify.rows.of_case(person.case_id)} == {None}
    assert notify.rows._all("SELECT rule FROM erasures") == [{"rule": "complaint, any outcome: 24 months"}]
    assert notify.rows._all(contact, other.case_id) != nobody

    # The same under other ids, as after the inbox has forgotten them; and a new code for the case.
    notify.publish(registered.model_copy(update={"id": uuid.uuid4()}), person.recoded())
    notify.publish(person.decided())
    notify.later(days=1)
    notify.send()
    assert notify.rows._all(contact, person.case_id) == nobody
    assert len(notify.sms_of(person)) == 1  # nothing more
    assert person.phone not in notify.rows.everything()


def test_an_erasure_before_the_first_event_prevents_storing_the_contact(notify_environment: NotifyEnvironment) -> None:
    notify = notify_environment.fixture()
    person = Person(notify.keys)
    with notify.database.transaction() as connection:
        notify.app.notifications.retention_due(connection, due(person.case_id, KeptPart.IDENTITY))
    notify.publish(person.registered(), person.opened())
    notify.send()
    assert notify.sms_of(person) == []
    assert notify.rows._all("SELECT 1 FROM contacts WHERE case_id = %s", person.case_id) == []
