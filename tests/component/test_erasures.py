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
from contracts.tracking import CaseSnapshot, RetentionDue
from contracts.vocabulary import Channel, KeptPart, Kind, Stage
from deploy.local.parts import ObjectStore, PostgreSQL, RabbitMQ
from tests.support import media_samples as samples
from tests.support.intake import Office, citizen, send
from tests.support.media import Sender, bucket_of, database_of, environment, filed
from tests.support.notify import NotifyEnvironment, Person, notify_environment
from tests.support.processes import BusClient, ServiceProcess, eventually

pytestmark = pytest.mark.timeout(240)


def due(case_id: UUID, part: KeptPart, **more: Any) -> RetentionDue:
    """What tracking says."""
    state = CaseSnapshot(
        number="1405-000001",
        kind=Kind.COMPLAINT,
        unit="dep.urb.permits",
        ground="delay",
        stage=Stage.CLOSED,
        channel=Channel.WEB,
        filed_at=now() - timedelta(days=800),
    )
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
    found = office.sql("SELECT part, rule FROM erasures WHERE submission_id = %s ORDER BY part", case_id)
    return [(part, rule) for part, rule in found]


def test_an_identity_goes_once_and_no_message_brings_it_back(office: Office, wire: BusClient) -> None:
    wire.listen("intake.events")
    command = office.submission(identity=citizen(), citizen_id=uuid.uuid4())
    other = office.submission(identity=citizen())
    send(wire, command, other)
    office.stored(command, other)
    case_id = command.submission_id
    for _ in range(2):  # said again under another id, as after a backup was put back
        wire.event(due(case_id, KeptPart.IDENTITY))
    eventually(lambda: office.number("identities", [case_id]) == 0)
    send(wire, command)  # the submission's own message once more
    last = office.submission()
    send(wire, last)
    office.stored(last)
    assert office.number("identities", [case_id]) == 0
    assert office.number("identities", [other.submission_id]) == 1
    assert traces(office, case_id) == [("identity", "complaint, any outcome: 24 months")]
    assert office.sql("SELECT citizen_id FROM submissions WHERE submission_id = %s", case_id) == [(None,)]
    with pytest.raises(UnknownCase):
        office.identity_of(wire, case_id)
    eventually(lambda: [one["case_id"] for one in wire.heard("identity.erased.v1")] == [str(case_id)])


def test_what_was_erased_before_its_submission_came_is_never_kept(office: Office, wire: BusClient) -> None:
    command = office.submission(identity=citizen())
    wire.event(due(command.submission_id, KeptPart.IDENTITY))
    eventually(lambda: traces(office, command.submission_id))
    send(wire, command)
    office.stored(command)
    assert office.number("identities", [command.submission_id]) == 0


def test_texts_go_and_the_receipt_can_still_be_checked(office: Office, wire: BusClient) -> None:
    command = office.submission(text="در اداره ققنوسستان پرونده را گم کردند.", people=["ققنوسستان"])
    send(wire, command)
    office.stored(command)
    assert "ققنوسستان" in office.dump()
    wire.event(due(command.submission_id, KeptPart.TEXTS))
    wire.event(due(command.submission_id, KeptPart.EVIDENCE))  # not intake's
    eventually(lambda: traces(office, command.submission_id))
    kept = "SELECT body, kind, content_hash FROM submissions WHERE submission_id = %s"
    eventually(lambda: office.sql(kept, command.submission_id) == [({}, command.kind, command.content_hash)])
    assert office.number("submissions", [command.submission_id]) == 1


def test_a_process_that_is_killed_erases_when_it_returns(office: Office, wire: BusClient) -> None:
    commands = [office.submission(identity=citizen()) for _ in range(20)]
    send(wire, *commands)
    office.stored(*commands)
    ids = [command.submission_id for command in commands]
    for case_id in ids:
        wire.event(due(case_id, KeptPart.IDENTITY))
    for process in office.processes[-2:]:
        process.kill()
        process.start()
    eventually(lambda: office.number("identities", ids) == 0, timeout=60)
    assert office.number("erasures", ids) == len(ids)


# --- media ---


@pytest.fixture(scope="module")
def media(
    broker: RabbitMQ, postgres: PostgreSQL, store: ObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("media")
    service = ServiceProcess("media", environment(broker, postgres, store, folder), folder / "log").start()
    yield service
    service.kill()


def test_the_bytes_of_a_case_go_from_the_store_and_of_no_other(media: ServiceProcess, wire: BusClient) -> None:
    wire.listen("media.events")
    sender = Sender(wire)
    gone, kept = (sender.send(samples.photo(), "photo.jpg") for _ in range(2))
    first, second = filed(gone), filed(kept)
    for upload in (gone, kept):
        sender.settled(upload)
    for event in (first, second):
        wire.event(event)
    eventually(lambda: len(wire.heard("media.claimed.v1")) >= 2)
    objects = bucket_of(media)
    assert list(objects.keys(f"evidence/{gone}/"))
    for _ in range(2):
        wire.event(due(first.case_id, KeptPart.EVIDENCE, media=[gone]))
    wire.event(due(second.case_id, KeptPart.IDENTITY))  # not media's
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
    eventually(lambda: [one["media"] for one in wire.heard("media.erased.v1")] == [[gone]])

    # The submission's message comes again, and names another upload: neither is kept for this case.
    late = sender.send(samples.photo(), "late.jpg")
    sender.settled(late)
    wire.event(filed(gone, late, case_id=first.case_id))
    after = filed(sender.send(samples.photo(), "after.jpg"))
    wire.event(after)
    eventually(lambda: str(after.case_id) in [one["case_id"] for one in wire.heard("media.claimed.v1")])
    with database_of(media) as database:
        rows = database.execute("SELECT case_id FROM uploads WHERE upload_id = %s", [late]).fetchall()
    assert rows == [(None,)]
    assert [one for one in wire.heard("media.rejected.v1") if one["media_id"] == gone] == []


# --- notify ---


@pytest.fixture(scope="module")
def notify_module(broker: RabbitMQ, postgres: PostgreSQL) -> Iterator[NotifyEnvironment]:
    with notify_environment(broker.url, postgres.url, "notify_erasures") as opened:
        yield opened


def test_a_citizen_is_forgotten_and_stays_so(notify_module: NotifyEnvironment) -> None:
    notify = notify_module.fixture()
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


def test_one_who_was_forgotten_before_being_known_is_not_met(notify_module: NotifyEnvironment) -> None:
    notify = notify_module.fixture()
    person = Person(notify.keys)
    with notify.database.transaction() as connection:
        notify.app.notifications.retention_due(connection, due(person.case_id, KeptPart.IDENTITY))
    notify.publish(person.registered(), person.opened())
    notify.send()
    assert notify.sms_of(person) == []
    assert notify.rows._all("SELECT 1 FROM contacts WHERE case_id = %s", person.case_id) == []
