"""The intake service as users run it: what was accepted is stored once and published once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from backbone.storage.database import Database
from contracts import tracking_codes
from contracts.base import now
from contracts.errors import UnknownCase
from contracts.gateway import Consent, FileSubmission
from contracts.intake import ReceiptState
from contracts.vocabulary import Language
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.intake.composition import Intake
from services.intake.settings import Settings
from services.intake.submissions import store
from tests.support.intake import (
    CLOSED_UNIT,
    RECODED,
    ROOT_UNIT,
    UNIT,
    Office,
    await_events_of,
    citizen,
    events_of,
    key_of,
    receipt,
    send,
)
from tests.support.processes import BrokerClient, eventually

pytestmark = pytest.mark.timeout(240)

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


EARLIER_KEY = b"k" * 32


def earlier(code: str) -> str:
    """Under what a code was stored before the keys rotated."""
    return tracking_codes.hashes(code, [EARLIER_KEY])[0]


@pytest.fixture(scope="module")
def office(broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """With one process, for the tests that end no process."""
    office = Office.open(broker, postgres, tmp_path_factory.mktemp("intake"), "intake_service")
    office.environment["CODE_INDEX_KEYS"] += f",{EARLIER_KEY.hex()}"  # the keys have rotated once
    office.start()
    yield office
    office.close()


class TestFiledByAnOperator:
    def test_consent_is_stored_and_published_without_the_identity(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        operator, identity = uuid4(), citizen()
        consent = Consent(form="recorded_call", to=["filing", "sms"], recorded_by=operator, recorded_at=now())
        command = office.submission(identity=identity, channel="phone", filed_by=operator, consent=consent)
        send(intake_client, command, command)
        event = await_events_of(intake_client, command)[command.submission_id]

        assert Consent.model_validate(event["consent"]) == consent
        assert str(identity.name) not in json.dumps(event, ensure_ascii=False)
        columns = "form, agreed_to, recorded_by, recorded_at"
        rows = office.sql(f"SELECT {columns} FROM consents WHERE submission_id = %s", command.submission_id)
        assert rows == [("recorded_call", ["filing", "sms"], operator, consent.recorded_at)]

    def test_without_consent_to_sms_no_new_code_is_sent_either(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        code = office.new_code()
        consent = Consent(form="spoken", to=["filing"], recorded_by=uuid4(), recorded_at=now())
        quiet = {"consent": consent, "sealed_contact": None, "mobile_hash": None}
        first = office.submission(code)
        office_stored(office, intake_client, first)
        second = office.submission(code, citizen(), **quiet)
        send(intake_client, second)
        event = await_events_of(intake_client, second, name=RECODED)[second.submission_id]

        assert event["sealed_contact"] is None
        assert await_events_of(intake_client, second)[second.submission_id]["sealed_contact"] is None


def office_stored(office: Office, intake_client: BrokerClient, command: FileSubmission) -> None:
    send(intake_client, command)
    office.stored(command)


class TestRegistering:
    def test_each_submission_of_a_batch_is_stored_and_published_once(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        commands = [office.submission() for _ in range(120)]
        with office.asleep():
            send(intake_client, *commands)
        office.stored(*commands)
        events = await_events_of(intake_client, *commands)
        assert {event["code_hash"] for event in events.values()} == {command.code_hash for command in commands}

    def test_the_event_contains_the_whole_submission(self, office: Office, intake_client: BrokerClient) -> None:
        identity = citizen()
        command = office.submission(
            identity=identity,
            answers={"since": "1405/01/01", "file_number": "۱۲"},
            text="متنی با «نشانه» و\nسطر دوم",
            happened_on="2026-10-30",
            reference="۱۲۳/الف",
            people=["کارمند باجه ۲"],
            visit_wanted=True,
            uploads=["A" * 22],
            citizen_id=uuid4(),
            language=Language.EN,
        )
        send(intake_client, command)
        event = await_events_of(intake_client, command)[command.submission_id]
        filed = json.loads(command.model_dump_json())
        for name in ("answers", "text", "happened_on", "reference", "people", "visit_wanted", "uploads", "language"):
            assert event[name] == filed[name]
        for name in ("code_hash", "content_hash", "citizen_id", "sealed_contact", "mobile_hash", "filed_at", "kind"):
            assert event[name] == filed[name]
        assert event["anonymous"] is False
        assert "sealed_identity" not in event, "who it was stays here"

    def test_the_questions_that_were_answered_go_along_as_they_are_asked(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        command = office.submission(ground="delay", answers={"since": "2026-01-01", "gone": "x"})
        send(intake_client, command)
        event = await_events_of(intake_client, command)[command.submission_id]
        questions: Any = event["answered_questions"]
        assert [question["code"] for question in questions] == ["since"]
        assert questions[0]["name_fa"] != questions[0]["name_en"]

    def test_the_same_command_again_is_one_submission(self, office: Office, intake_client: BrokerClient) -> None:
        first, later = office.submission(), office.submission()
        send(intake_client, first)
        office.stored(first)
        with office.asleep():
            send(intake_client, first, later, first, later)
        office.stored(first, later)
        await_events_of(intake_client, first, later)
        assert intake_client.queue_depth("dead-letters") == 0

    def test_two_processes_receiving_the_same_commands_store_each_once(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        commands = [office.submission(identity=citizen()) for _ in range(60)]
        second = office.start()
        with office.asleep():
            for _ in range(3):
                send(intake_client, *commands)
        office.stored(*commands)
        await_events_of(intake_client, *commands)
        eventually(lambda: intake_client.queue_depth("intake.submissions") == 0)
        assert office.number("identities", [command.submission_id for command in commands]) == 60
        assert second.stop() == 0
        assert "a handler failed" not in second.log.read_text()
        assert intake_client.queue_depth("dead-letters") == 0

    def test_the_event_continues_the_trace_of_its_submission(self, office: Office, broker_client: BrokerClient) -> None:
        command = office.submission()
        body = command.model_dump_json().encode()
        broker_client.publish("gateway.commands", command.name, body, str(command.submission_id), traceparent=PARENT)
        properties, event = eventually(lambda: broker_client.take("insight.events"))
        assert json.loads(event)["case_id"] == str(command.submission_id)
        version, trace_id, span, flags = properties.headers["traceparent"].split("-")
        assert (version, trace_id, flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "01")
        assert span != "00f067aa0ba902b7", "a step of its own within the trace"


class TestTarget:
    def test_the_event_has_the_names_of_the_unit_at_filing(self, office: Office, intake_client: BrokerClient) -> None:
        command = office.submission(unit=UNIT)
        send(intake_client, command)
        event = await_events_of(intake_client, command)[command.submission_id]
        assert (event["unit"], event["unit_asked"]) == (UNIT, UNIT)
        assert event["unit_name_fa"] == "اداره صدور پروانه و گواهی‌های ساختمانی"
        assert event["unit_name_en"] == "Building Permits Office"

    @pytest.mark.parametrize("unit", ["no.such.unit", CLOSED_UNIT, ROOT_UNIT])
    def test_an_unknown_or_closed_unit_and_the_root_are_left_to_screening(
        self, office: Office, intake_client: BrokerClient, unit: str
    ) -> None:
        command = office.submission(unit=unit)
        send(intake_client, command)
        event = await_events_of(intake_client, command)[command.submission_id]
        assert event["unit"] is None
        assert event["unit_asked"] == unit
        assert event["unit_name_fa"] is None


class TestTakenCodes:
    """Two submissions, one code: the later one gets another."""

    @pytest.mark.parametrize("together", [True, False])
    def test_the_later_submission_gets_a_new_code_by_receipt_and_sealed_for_sms(
        self, office: Office, intake_client: BrokerClient, together: bool
    ) -> None:
        code, identity = office.new_code(), citizen()
        first = office.submission(code)
        later = office.submission(code, identity, language=Language.EN)
        send(intake_client, first)
        office.stored(first)
        bystanders = [office.submission() for _ in range(5)] if together else []
        with office.asleep():
            send(intake_client, *bystanders, later)
        office.stored(first, later, *bystanders)
        events = await_events_of(intake_client, first, later, *bystanders)
        assert events[first.submission_id]["code_hash"] == office.hash_of(code), "the first one keeps it"

        await_events_of(intake_client, later, name=RECODED)
        [recoded] = events_of(intake_client, RECODED, first, later).values()
        assert recoded["case_id"] == str(later.submission_id)
        assert recoded["old_code_hash"] == office.hash_of(code)
        contact = office.contact_in(str(recoded["sealed_contact"]))
        new_code = contact.code
        assert new_code is not None
        assert new_code != code
        assert (contact.mobile, contact.language) == (identity.mobile, Language.EN)
        assert tracking_codes.parse(new_code, [key_of(office.environment["CODE_MAC_KEYS"])]) == new_code
        assert recoded["code_hash"] == events[later.submission_id]["code_hash"] == office.hash_of(new_code)
        assert office.contact_in(str(events[later.submission_id]["sealed_contact"])).code == new_code

        state = receipt(intake_client, office, later.submission_id, code)
        assert (state.registered, state.new_code) == (True, new_code)
        assert receipt(intake_client, office, later.submission_id, new_code).new_code is None
        assert receipt(intake_client, office, first.submission_id, code).new_code is None
        assert office.identity_of(intake_client, later.submission_id) == identity

    @pytest.mark.parametrize("together", [True, False])
    def test_a_submission_from_before_the_key_rotation_keeps_its_code(
        self, office: Office, intake_client: BrokerClient, together: bool
    ) -> None:
        code = office.new_code()
        before = office.submission(code, code_hash=earlier(code))
        later = office.submission(code, citizen(), other_code_hashes=[earlier(code)])
        if together:
            with office.asleep():
                send(intake_client, before, later)
        else:
            send(intake_client, before)
            office.stored(before)
            # Its client asks again after the rotation, under the same key: no other submission.
            again = before.model_copy(update={"code_hash": office.hash_of(code), "other_code_hashes": [earlier(code)]})
            send(intake_client, again, later)
        office.stored(before, later)
        events = await_events_of(intake_client, before, later)
        assert events[before.submission_id]["code_hash"] == earlier(code)
        await_events_of(intake_client, later, name=RECODED)
        assert events_of(intake_client, RECODED, before, later).keys() == {later.submission_id}
        new_code = receipt(intake_client, office, later.submission_id, code).new_code
        assert new_code not in (None, code)

    def test_the_new_code_differs_from_codes_of_former_keys_too(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        code = office.new_code()
        first, later = office.submission(code), office.submission(code)
        keys = [key_of(office.environment[name]) for name in ("CODE_MAC_KEYS", "CODE_DERIVE_KEY")]
        seed = b"recode" + later.submission_id.bytes + b"\1"
        would_be = tracking_codes.derive(keys[:1], keys[1], seed)[0]
        its_owner = office.submission(would_be, code_hash=earlier(would_be))
        send(intake_client, its_owner, first)
        office.stored(its_owner, first)
        send(intake_client, later)
        office.stored(later)
        await_events_of(intake_client, first, later)
        new_code = receipt(intake_client, office, later.submission_id, code).new_code
        assert new_code not in (None, code, would_be)

    def test_both_submissions_in_one_batch(self, office: Office, intake_client: BrokerClient) -> None:
        code = office.new_code()
        both = [office.submission(code, citizen()) for _ in range(2)]
        with office.asleep():
            send(intake_client, *both)
        office.stored(*both)
        await_events_of(intake_client, *both)
        [(recoded, _)] = eventually(lambda: events_of(intake_client, RECODED, *both)).items()
        new_codes = [receipt(intake_client, office, command.submission_id, code).new_code for command in both]
        assert [new is not None for new in new_codes] == [command.submission_id == recoded for command in both]

    def test_an_anonymous_citizen_gets_the_new_code_only_by_receipt(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        code = office.new_code()
        first, later = office.submission(code), office.submission(code)
        send(intake_client, first)
        office.stored(first)
        send(intake_client, later)
        [recoded] = await_events_of(intake_client, later, name=RECODED).values()
        assert recoded["sealed_contact"] is None
        new_code = receipt(intake_client, office, later.submission_id, code).new_code
        assert new_code is not None
        assert recoded["code_hash"] == office.hash_of(new_code)

    def test_a_repeated_submission_keeps_its_new_code(self, office: Office, intake_client: BrokerClient) -> None:
        code = office.new_code()
        first, later, last = office.submission(code), office.submission(code), office.submission()
        send(intake_client, first)
        office.stored(first)
        send(intake_client, later)
        office.stored(later)
        new_code = receipt(intake_client, office, later.submission_id, code).new_code
        send(intake_client, later, first, last)
        office.stored(first, later, last)
        await_events_of(intake_client, first, later, last)
        assert receipt(intake_client, office, later.submission_id, code).new_code == new_code
        await_events_of(intake_client, later, name=RECODED)
        assert len(events_of(intake_client, RECODED, first, later)) == 1

    def test_only_the_holder_of_the_old_code_gets_the_new_one(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        """A case's id is known to staff, and a code of their own is easily had."""
        code = office.new_code()
        first, later, strangers = office.submission(code), office.submission(code), office.new_code()
        send(intake_client, first)
        office.stored(first)
        send(intake_client, later, office.submission(strangers))
        await_events_of(intake_client, later)
        for submission in (first, later):
            with pytest.raises(UnknownCase):
                receipt(intake_client, office, submission.submission_id, strangers)

    def test_a_receipt_is_valid_before_its_submission_is_registered(
        self, office: Office, intake_client: BrokerClient
    ) -> None:
        state = receipt(intake_client, office, uuid4(), office.new_code())
        assert state == ReceiptState(registered=False)

    def test_two_simultaneous_processes_give_it_one_new_code(
        self, office: Office, intake_client: BrokerClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code = office.new_code()
        first, later = office.submission(code), office.submission(code)
        send(intake_client, first)
        office.stored(first)
        intake = Intake(Settings.model_validate({k.lower(): v for k, v in office.environment.items()}))
        both_looked, read_stored, looked = threading.Barrier(2), store.read_stored, threading.local()

        def read_together(*arguments: object) -> object:
            stored = read_stored(*arguments)  # type: ignore[arg-type]  # passed on
            if not hasattr(looked, "once"):
                looked.once = True
                both_looked.wait(10)
            return stored

        monkeypatch.setattr(store, "read_stored", read_together)
        failures: list[BaseException] = []

        def register() -> None:
            database = Database(office.environment["DATABASE_URL"], pool_size=1)
            try:
                with database.statements() as connection:
                    intake.submissions.register(connection, [later])
            except BaseException as error:
                failures.append(error)
            finally:
                database.close()

        threads = [threading.Thread(target=register) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        await_events_of(intake_client, later)
        assert len(await_events_of(intake_client, later, name=RECODED)) == 1
