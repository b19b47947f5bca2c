"""The intake service as users run it: what was accepted is stored once, said once, and who said it is sealed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from backbone import sealing
from backbone.storage.database import Database
from contracts import tracking_codes
from contracts.base import now
from contracts.errors import InvalidField, NotAllowed, UnknownCase
from contracts.gateway import Actor, Consent, FileSubmission, Group, GroupMember, GroupMembers, Identity
from contracts.intake import OpenedIdentity, OpenIdentity, OwnName, ReadOwnName, ReceiptState
from contracts.vocabulary import ActorKind, Language, Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.intake.composition import Intake
from services.intake.identities.vault import Damaged, Vault
from services.intake.settings import Settings
from services.intake.submissions import store
from tests.support.intake import (
    CLOSED_UNIT,
    NAME,
    RECODED,
    REGISTERED,
    ROOT_UNIT,
    UNIT,
    Office,
    all_said,
    citizen,
    key_of,
    new_mobile,
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


class TestAGroup:
    def test_its_members_are_kept_sealed_and_shown_to_who_opens_the_identity(
        self, office: Office, bus: BusClient
    ) -> None:
        others = [GroupMember(name=f"همسایه {uuid4().hex}", mobile=new_mobile()), GroupMember(mobile=new_mobile())]
        to_intake = key_of(office.environment["INTAKE_PUBLIC_KEY"])
        command = office.submission(
            identity=citizen(),
            group=Group(members=7, common="ساکنان یک کوچه"),
            sealed_members=sealing.seal(GroupMembers(items=others), to_intake),
        )
        send(bus, command, command)
        event = all_said(bus, command)[command.submission_id]

        assert event["group"] == {"members": 7, "common": "ساکنان یک کوچه"}
        told = json.dumps(event, ensure_ascii=False) + office.dump()
        for secret in (others[0].name, others[0].mobile, others[1].mobile):
            assert str(secret) not in told
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.CUSTODIAN}))
        request = OpenIdentity(actor=actor, case_id=command.submission_id, reason="دعوت همه به جلسه")
        assert OpenedIdentity.model_validate(bus.ask("intake", "open_identity", request)).members == others

    def test_one_row_cannot_be_put_in_anothers_place(self, office: Office) -> None:
        vault = Vault({"k": bytes(32)})
        one, other = uuid4(), uuid4()
        members = vault.seal_members(one, GroupMembers(items=[GroupMember(name="همسایه")]))
        with pytest.raises(Damaged):
            vault.open_members(other, members)
        with pytest.raises(Damaged):
            vault.open(one, members)


class TestTheDesk:
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


class TestIdentities:
    def test_who_filed_is_nowhere_in_the_clear(self, office: Office, bus: BusClient) -> None:
        """Neither in the database, its outbox included, nor in what is said, nor in the log."""
        code, met = office.new_code(), office.new_code()
        people = [citizen() for _ in range(3)]
        first = office.submission(code, people[0])
        others = [office.submission(met, people[1]), office.submission(met, people[2])]
        send(bus, first, *others)
        office.stored(first, *others)
        all_said(bus, first, *others)
        office.identity_of(bus, first.submission_id)
        [recoded] = eventually(lambda: said(bus, RECODED, *others)).values()
        new_code = office.contact_in(str(recoded["sealed_contact"])).code
        assert new_code is not None

        canaries = [code, met, new_code, *(tracking_codes.grouped(one) for one in (code, met, new_code))]
        for person in people:
            assert person.name
            assert person.mobile
            assert person.national_id
            canaries += [person.name, person.mobile, person.mobile[3:], person.national_id]
        dump = office.dump()
        assert str(first.submission_id) in dump
        assert "outbox_ever" in dump
        assert REGISTERED in dump, "what waited in the outbox was looked at too"
        events = "\n".join(json.dumps(event, ensure_ascii=False) for event in bus.heard(REGISTERED))
        log = "".join(process.log.read_text() for process in office.processes)
        for canary in canaries:
            spellings = [canary, canary.encode().hex(), json.dumps(canary)[1:-1]]
            for place, text in (("database", dump), ("events", events), ("log", log)):
                assert not any(spelling in text for spelling in spellings), f"in the {place}: {canary}"

    @pytest.mark.parametrize("role", [Role.HEAD, Role.CUSTODIAN])
    def test_head_and_custodian_open_it_on_the_record(self, office: Office, bus: BusClient, role: Role) -> None:
        told = citizen()
        command = office.submission(identity=told)
        send(bus, command)
        office.stored(command)
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role, Role.SCREENER}))
        request = OpenIdentity(actor=actor, case_id=command.submission_id, reason="به حکم دادگاه")
        for _ in range(2):
            assert Identity.model_validate(bus.ask("intake", "open_identity", request)["identity"]) == told
        openings = office.sql(
            "SELECT actor, reason FROM identity_openings WHERE submission_id = %s", command.submission_id
        )
        assert openings == [(actor.id, "به حکم دادگاه")] * 2, "each opening is recorded"

    def test_a_citizen_reads_the_own_name_in_the_own_submission_and_no_other(
        self, office: Office, bus: BusClient
    ) -> None:
        told, me, other = citizen(), uuid4(), uuid4()
        mine = office.submission(identity=told).model_copy(update={"citizen_id": me})
        not_mine = office.submission(identity=citizen())  # by an operator, say: nobody was signed in
        for command in (mine, not_mine):
            send(bus, command)
            office.stored(command)

        def name(actor: Actor, command: FileSubmission) -> str | None:
            request = ReadOwnName(actor=actor, case_id=command.submission_id)
            return OwnName.model_validate(bus.ask("intake", "read_own_name", request)).name

        def signed_in(who: UUID) -> Actor:
            return Actor(kind=ActorKind.CITIZEN, id=str(who))

        assert name(signed_in(me), mine) == told.name
        for who, command in ((other, mine), (me, not_mine), (uuid4(), not_mine)):
            assert name(signed_in(who), command) is None
        assert name(signed_in(me), office.submission()) is None  # of which there is none
        holder = Actor(kind=ActorKind.BEARER, id=mine.code_hash)
        staff = Actor(kind=ActorKind.STAFF, id=str(me), roles=frozenset(Role))
        for actor in (holder, staff):
            with pytest.raises(NotAllowed):
                name(actor, mine)

    @pytest.mark.parametrize("roles", [set(), *({role} for role in Role if role not in {Role.HEAD, Role.CUSTODIAN})])
    def test_nobody_else_opens_it(self, office: Office, bus: BusClient, roles: set[Role]) -> None:
        command = office.submission(identity=citizen())
        send(bus, command)
        office.stored(command)
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset(roles))
        with pytest.raises(NotAllowed) as refusal:
            bus.ask(
                "intake", "open_identity", OpenIdentity(actor=actor, case_id=command.submission_id, reason="کنجکاوی")
            )
        assert refusal.value.params == {}
        assert not office.sql("SELECT 1 FROM identity_openings WHERE actor = %s", actor.id)

    def test_a_reason_is_needed(self, office: Office, bus: BusClient) -> None:
        command = office.submission(identity=citizen())
        send(bus, command)
        office.stored(command)
        actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}))
        without = OpenIdentity.model_construct(actor=actor, case_id=command.submission_id, reason="")
        with pytest.raises(InvalidField):
            bus.ask("intake", "open_identity", without)

    def test_an_anonymous_one_has_none(self, office: Office, bus: BusClient) -> None:
        command = office.submission()
        send(bus, command)
        assert all_said(bus, command)[command.submission_id]["anonymous"] is True
        with pytest.raises(UnknownCase):
            office.identity_of(bus, command.submission_id)
        assert not office.sql("SELECT 1 FROM identity_openings WHERE submission_id = %s", command.submission_id)

    def test_one_moved_to_another_submission_is_not_opened_as_if_it_were_its_own(
        self, office: Office, bus: BusClient
    ) -> None:
        commands = [office.submission(identity=citizen()) for _ in range(2)]
        send(bus, *commands)
        office.stored(*commands)
        one, other = (command.submission_id for command in commands)
        office.sql("DELETE FROM identities WHERE submission_id = %s", other)
        office.sql("UPDATE identities SET submission_id = %s WHERE submission_id = %s", other, one)
        with pytest.raises(Exception, match=r"\{\}") as failure:
            office.identity_of(bus, other)
        assert NAME not in str(failure.value)

    def test_one_sealed_to_another_key_is_kept_among_the_dead_and_the_rest_flows_on(
        self, office: Office, bus: BusClient
    ) -> None:
        good = [office.submission(identity=citizen()) for _ in range(40)]
        elsewhere = sealing.public_key(bytes(31) + b"\1")
        bad = office.submission(identity=citizen())
        bad = bad.model_copy(update={"sealed_identity": sealing.seal(citizen(), elsewhere)})
        damaged = office.submission(identity=citizen()).model_copy(update={"sealed_identity": "c2VhbGVk"})
        with office.asleep():
            send(bus, *good[:20], bad, damaged, *good[20:])
        office.stored(*good)
        all_said(bus, *good)
        eventually(lambda: bus.depth("dead-letters") == 2)
        assert office.number("submissions", [bad.submission_id, damaged.submission_id]) == 0, "whole or not at all"
        for _ in range(2):
            letter = bus.take("dead-letters")
            assert letter is not None
            properties, body = letter
            assert json.loads(body)["submission_id"] in {str(bad.submission_id), str(damaged.submission_id)}
            assert properties.headers["peygir-error"] == "CannotOpen: sealed to a key that is not held"
            assert properties.headers["peygir-queue"] == "intake.submissions"
            assert now() - datetime.fromisoformat(properties.headers["peygir-died"]) < timedelta(minutes=2)
