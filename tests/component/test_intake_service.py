"""The intake service as users run it: what was accepted is stored once and published once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
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
    all_said,
    citizen,
    key_of,
    receipt,
    said,
    send,
)
from tests.support.processes import BusClient, eventually

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


@pytest.fixture
def bus(wire: BusClient) -> BusClient:
    wire.listen("intake.events")
    return wire


class TestFiledByAnOperator:
    def test_what_the_citizen_agreed_to_is_kept_and_told_without_who_they_are(
        self, office: Office, bus: BusClient
    ) -> None:
        operator, told = uuid4(), citizen()
        consent = Consent(form="recorded_call", to=["filing", "sms"], recorded_by=operator, recorded_at=now())
        command = office.submission(identity=told, channel="phone", filed_by=operator, consent=consent)
        send(bus, command, command)
        event = all_said(bus, command)[command.submission_id]

        assert Consent.model_validate(event["consent"]) == consent
        assert str(told.name) not in json.dumps(event, ensure_ascii=False)
        columns = "form, agreed_to, recorded_by, recorded_at"
        rows = office.sql(f"SELECT {columns} FROM consents WHERE submission_id = %s", command.submission_id)
        assert rows == [("recorded_call", ["filing", "sms"], operator, consent.recorded_at)]

    def test_who_did_not_agree_to_sms_gets_none_about_a_new_code_either(self, office: Office, bus: BusClient) -> None:
        code = office.new_code()
        consent = Consent(form="spoken", to=["filing"], recorded_by=uuid4(), recorded_at=now())
        quiet = {"consent": consent, "sealed_contact": None, "mobile_hash": None}
        first = office.submission(code)
        office_stored(office, bus, first)
        second = office.submission(code, citizen(), **quiet)
        send(bus, second)
        event = all_said(bus, second, name=RECODED)[second.submission_id]

        assert event["sealed_contact"] is None
        assert all_said(bus, second)[second.submission_id]["sealed_contact"] is None


def office_stored(office: Office, bus: BusClient, command: FileSubmission) -> None:
    send(bus, command)
    office.stored(command)


class TestRegistering:
    def test_a_batch_is_stored_and_said_once_each(self, office: Office, bus: BusClient) -> None:
        commands = [office.submission() for _ in range(120)]
        with office.asleep():
            send(bus, *commands)
        office.stored(*commands)
        events = all_said(bus, *commands)
        assert {event["code_hash"] for event in events.values()} == {command.code_hash for command in commands}

    def test_what_was_filed_is_told_whole(self, office: Office, bus: BusClient) -> None:
        told = citizen()
        command = office.submission(
            identity=told,
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
        send(bus, command)
        event = all_said(bus, command)[command.submission_id]
        filed = json.loads(command.model_dump_json())
        for name in ("answers", "text", "happened_on", "reference", "people", "visit_wanted", "uploads", "language"):
            assert event[name] == filed[name]
        for name in ("code_hash", "content_hash", "citizen_id", "sealed_contact", "mobile_hash", "filed_at", "kind"):
            assert event[name] == filed[name]
        assert event["anonymous"] is False
        assert "sealed_identity" not in event, "who it was stays here"

    def test_the_same_command_again_is_one_submission(self, office: Office, bus: BusClient) -> None:
        first, later = office.submission(), office.submission()
        send(bus, first)
        office.stored(first)
        with office.asleep():
            send(bus, first, later, first, later)
        office.stored(first, later)
        all_said(bus, first, later)
        assert bus.depth("dead-letters") == 0

    def test_two_processes_that_get_the_same_commands_make_them_one(self, office: Office, bus: BusClient) -> None:
        commands = [office.submission(identity=citizen()) for _ in range(60)]
        second = office.start()
        with office.asleep():
            for _ in range(3):
                send(bus, *commands)
        office.stored(*commands)
        all_said(bus, *commands)
        eventually(lambda: bus.depth("intake.submissions") == 0)
        assert office.number("identities", [command.submission_id for command in commands]) == 60
        assert second.stop() == 0
        assert "a handler failed" not in second.log.read_text()
        assert bus.depth("dead-letters") == 0

    def test_the_event_goes_on_under_the_trace_its_submission_came_with(self, office: Office, wire: BusClient) -> None:
        command = office.submission()
        body = command.model_dump_json().encode()
        wire.publish("gateway.commands", command.name, body, str(command.submission_id), traceparent=PARENT)
        properties, event = eventually(lambda: wire.take("insight.events"))
        assert json.loads(event)["case_id"] == str(command.submission_id)
        version, trace_id, span, flags = properties.headers["traceparent"].split("-")
        assert (version, trace_id, flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "01")
        assert span != "00f067aa0ba902b7", "a step of its own within the trace"


class TestTarget:
    def test_a_unit_is_told_with_the_names_of_its_day(self, office: Office, bus: BusClient) -> None:
        command = office.submission(unit=UNIT)
        send(bus, command)
        event = all_said(bus, command)[command.submission_id]
        assert (event["unit"], event["unit_asked"]) == (UNIT, UNIT)
        assert event["unit_name_fa"] == "اداره صدور پروانه و گواهی‌های ساختمانی"
        assert event["unit_name_en"] == "Building Permits Office"

    @pytest.mark.parametrize("asked", ["no.such.unit", CLOSED_UNIT, ROOT_UNIT])
    def test_an_unknown_or_closed_unit_and_the_root_are_left_to_screening(
        self, office: Office, bus: BusClient, asked: str
    ) -> None:
        command = office.submission(unit=asked)
        send(bus, command)
        event = all_said(bus, command)[command.submission_id]
        assert event["unit"] is None
        assert event["unit_asked"] == asked
        assert event["unit_name_fa"] is None


class TestMeetingOnOneCode:
    """Two submissions, one code: the later one gets another."""

    @pytest.mark.parametrize("together", [True, False])
    def test_the_later_one_gets_a_new_code_told_by_receipt_and_sealed_for_sms(
        self, office: Office, bus: BusClient, together: bool
    ) -> None:
        code, told = office.new_code(), citizen()
        first = office.submission(code)
        later = office.submission(code, told, language=Language.EN)
        send(bus, first)
        office.stored(first)
        bystanders = [office.submission() for _ in range(5)] if together else []
        with office.asleep():
            send(bus, *bystanders, later)
        office.stored(first, later, *bystanders)
        events = all_said(bus, first, later, *bystanders)
        assert events[first.submission_id]["code_hash"] == office.hash_of(code), "the first one keeps it"

        all_said(bus, later, name=RECODED)
        [recoded] = said(bus, RECODED, first, later).values()
        assert recoded["case_id"] == str(later.submission_id)
        assert recoded["old_code_hash"] == office.hash_of(code)
        contact = office.contact_in(str(recoded["sealed_contact"]))
        new_code = contact.code
        assert new_code is not None
        assert new_code != code
        assert (contact.mobile, contact.language) == (told.mobile, Language.EN)
        assert tracking_codes.parse(new_code, [key_of(office.environment["CODE_MAC_KEYS"])]) == new_code
        assert recoded["code_hash"] == events[later.submission_id]["code_hash"] == office.hash_of(new_code)
        assert office.contact_in(str(events[later.submission_id]["sealed_contact"])).code == new_code

        state = receipt(bus, office, later.submission_id, code)
        assert (state.registered, state.new_code) == (True, new_code)
        assert receipt(bus, office, later.submission_id, new_code).new_code is None
        assert receipt(bus, office, first.submission_id, code).new_code is None
        assert office.identity_of(bus, later.submission_id) == told

    @pytest.mark.parametrize("together", [True, False])
    def test_one_of_the_days_before_the_keys_rotated_keeps_its_code(
        self, office: Office, bus: BusClient, together: bool
    ) -> None:
        code = office.new_code()
        before = office.submission(code, code_hash=earlier(code))
        later = office.submission(code, citizen(), other_code_hashes=[earlier(code)])
        if together:
            with office.asleep():
                send(bus, before, later)
        else:
            send(bus, before)
            office.stored(before)
            # Its client asks again after the rotation, under the same key: no other submission.
            again = before.model_copy(update={"code_hash": office.hash_of(code), "other_code_hashes": [earlier(code)]})
            send(bus, again, later)
        office.stored(before, later)
        events = all_said(bus, before, later)
        assert events[before.submission_id]["code_hash"] == earlier(code)
        all_said(bus, later, name=RECODED)
        assert said(bus, RECODED, before, later).keys() == {later.submission_id}
        new_code = receipt(bus, office, later.submission_id, code).new_code
        assert new_code not in (None, code)

    def test_the_new_code_is_not_one_of_the_days_before_the_keys_rotated_either(
        self, office: Office, bus: BusClient
    ) -> None:
        code = office.new_code()
        first, later = office.submission(code), office.submission(code)
        keys = [key_of(office.environment[name]) for name in ("CODE_MAC_KEYS", "CODE_DERIVE_KEY")]
        seed = b"recode" + later.submission_id.bytes + b"\1"
        would_be = tracking_codes.derive(keys[:1], keys[1], seed)[0]
        its_owner = office.submission(would_be, code_hash=earlier(would_be))
        send(bus, its_owner, first)
        office.stored(its_owner, first)
        send(bus, later)
        office.stored(later)
        all_said(bus, first, later)
        new_code = receipt(bus, office, later.submission_id, code).new_code
        assert new_code not in (None, code, would_be)

    def test_both_in_one_batch(self, office: Office, bus: BusClient) -> None:
        code = office.new_code()
        both = [office.submission(code, citizen()) for _ in range(2)]
        with office.asleep():
            send(bus, *both)
        office.stored(*both)
        all_said(bus, *both)
        [(recoded, _)] = eventually(lambda: said(bus, RECODED, *both)).items()
        told = [receipt(bus, office, one.submission_id, code).new_code for one in both]
        assert [new is not None for new in told] == [one.submission_id == recoded for one in both]

    def test_an_anonymous_one_is_told_by_its_receipt_alone(self, office: Office, bus: BusClient) -> None:
        code = office.new_code()
        first, later = office.submission(code), office.submission(code)
        send(bus, first)
        office.stored(first)
        send(bus, later)
        [recoded] = all_said(bus, later, name=RECODED).values()
        assert recoded["sealed_contact"] is None
        new_code = receipt(bus, office, later.submission_id, code).new_code
        assert new_code is not None
        assert recoded["code_hash"] == office.hash_of(new_code)

    def test_sent_again_it_keeps_the_code_it_was_told(self, office: Office, bus: BusClient) -> None:
        code = office.new_code()
        first, later, last = office.submission(code), office.submission(code), office.submission()
        send(bus, first)
        office.stored(first)
        send(bus, later)
        office.stored(later)
        told = receipt(bus, office, later.submission_id, code).new_code
        send(bus, later, first, last)
        office.stored(first, later, last)
        all_said(bus, first, later, last)
        assert receipt(bus, office, later.submission_id, code).new_code == told
        all_said(bus, later, name=RECODED)
        assert len(said(bus, RECODED, first, later)) == 1

    def test_the_new_code_is_told_to_the_holder_of_the_old_one_alone(self, office: Office, bus: BusClient) -> None:
        """A case's id is known to staff, and a code of their own is easily had."""
        code = office.new_code()
        first, later, strangers = office.submission(code), office.submission(code), office.new_code()
        send(bus, first)
        office.stored(first)
        send(bus, later, office.submission(strangers))
        all_said(bus, later)
        for submission in (first, later):
            with pytest.raises(UnknownCase):
                receipt(bus, office, submission.submission_id, strangers)

    def test_a_receipt_is_good_before_its_submission_is_registered(self, office: Office, bus: BusClient) -> None:
        state = receipt(bus, office, uuid4(), office.new_code())
        assert state == ReceiptState(registered=False)

    def test_two_processes_at_once_give_it_one_new_code(
        self, office: Office, bus: BusClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code = office.new_code()
        first, later = office.submission(code), office.submission(code)
        send(bus, first)
        office.stored(first)
        intake = Intake(Settings.model_validate({k.lower(): v for k, v in office.environment.items()}))
        both_looked, existing_ids, looked = threading.Barrier(2), store.existing_ids, threading.local()

        def look(*arguments: object) -> object:
            existing = existing_ids(*arguments)  # type: ignore[arg-type]  # passed on
            if not hasattr(looked, "once"):
                looked.once = True
                both_looked.wait(10)
            return existing

        monkeypatch.setattr(store, "existing_ids", look)
        failures: list[BaseException] = []

        def register() -> None:
            database = Database(office.environment["DATABASE_URL"], pool_size=1)
            try:
                with database.transaction() as connection:
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
        all_said(bus, later)
        assert len(all_said(bus, later, name=RECODED)) == 1
