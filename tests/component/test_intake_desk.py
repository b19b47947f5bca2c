"""The counter in intake: a mistyped mobile, a lost code, and what was filed for a citizen who signs in later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from backbone import sealing
from backbone.persian import jalali
from contracts.base import now
from contracts.desk import (
    AnswerFiledForMe,
    CorrectMobile,
    FindFiled,
    ListFiledForMe,
    LostCodeAnswers,
    PrintReceipt,
    ReplaceLostCode,
)
from contracts.errors import (
    AlreadyDecided,
    AnonymousFiling,
    IdentityNotConfirmed,
    InvalidField,
    KeyReused,
    NotAllowed,
    TooMany,
    UnknownCase,
)
from contracts.gateway import Actor, Consent, FileSubmission, Identity
from contracts.vocabulary import ActorKind, Channel, Kind, Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.intake import (
    RECODED,
    UNIT,
    Office,
    await_events_of,
    citizen,
    events_of,
    key_of,
    new_mobile,
    receipt,
    send,
)
from tests.support.processes import BrokerClient, eventually

pytestmark = pytest.mark.timeout(240)

CLAIMED, DISOWNED = "submission.claimed.v1", "submission.disowned.v1"


@pytest.fixture(scope="module")
def office(broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with Office.running(broker, postgres, tmp_path_factory.mktemp("desk"), "intake_desk") as running:
        yield running


class Desk:
    """One operator of an intake, and what they ask of it."""

    def __init__(self, office: Office, client: BrokerClient) -> None:
        self.office, self.client = office, client
        self.operator = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.OPERATOR}))

    def filed(
        self, identity: Identity | None = None, to: tuple[str, ...] = ("filing", "sms"), **more: Any
    ) -> FileSubmission:
        consent = Consent(form="spoken", to=list(to), recorded_by=UUID(self.operator.id), recorded_at=now())
        about: dict[str, Any] = {"channel": Channel.COUNTER, "filed_by": UUID(self.operator.id), "consent": consent}
        if "sms" not in to:
            about |= {"sealed_contact": None, "mobile_hash": None}
            about["identity_mobile_hash"] = self.hash_of(identity.mobile) if identity and identity.mobile else None
        command = self.office.submission(identity=identity, **about | more)
        send(self.client, command)
        self.office.stored(command)
        return command

    def hash_of(self, mobile: str) -> str:
        return sealing.keyed_hash(mobile, key_of(self.office.environment["MOBILE_INDEX_KEY"]))

    def sealed(self, model: Any) -> str:
        return sealing.seal(model, key_of(self.office.environment["INTAKE_PUBLIC_KEY"]))

    def correct(self, case_id: UUID, mobile: str, key: str = "", actor: Actor | None = None) -> Any:
        request = CorrectMobile(
            actor=actor or self.operator,
            case_id=case_id,
            idempotency_key=key or uuid4().hex,
            sealed_identity=self.sealed(Identity(mobile=mobile)),
            mobile_hash=self.hash_of(mobile),
        )
        return self.client.call("intake", "correct_mobile", request)

    def replace(self, case_id: UUID | None, key: str = "", actor: Actor | None = None, **answers: Any) -> Any:
        request = ReplaceLostCode(
            actor=actor or self.operator,
            case_id=case_id,
            idempotency_key=key or uuid4().hex,
            sealed_answers=self.sealed(LostCodeAnswers(**answers)),
        )
        return self.client.call("intake", "replace_lost_code", request)

    def recoded(self, command: FileSubmission, number: int = 1) -> list[dict[str, Any]]:
        """The events that gave it other codes, in their order."""

        def arrived() -> list[dict[str, Any]] | None:
            events = {
                event["id"]: event
                for event in self.client.recorded_events(RECODED)
                if event["case_id"] == str(command.submission_id)
            }
            return list(events.values()) if len(events) == number else None

        events = eventually(arrived)
        assert events is not None
        return sorted(events, key=lambda event: int(event["attempt"]))

    def audited(self, command: FileSubmission | None, name: str) -> list[str]:
        """The results of this command in the audit, in order."""
        rows = self.office.sql(
            "SELECT result FROM (SELECT at, command, subjects, result, actor_id FROM audit"
            " UNION ALL SELECT at, command, subjects, result, actor_id FROM audit_waiting) AS entries"
            " WHERE command = %s AND actor_id = %s AND (%s::text IS NULL OR %s = ANY(subjects)) ORDER BY at",
            name,
            self.operator.id,
            *[str(command.submission_id) if command else None] * 2,
        )
        return [result for (result,) in rows]


@pytest.fixture
def desk(office: Office, intake_client: BrokerClient) -> Desk:
    return Desk(office, intake_client)


class TestAMistypedMobile:
    def test_is_corrected_with_a_new_code_that_goes_to_the_right_one(self, office: Office, desk: Desk) -> None:
        code, right = office.new_code(), new_mobile()
        identity = citizen()
        filed = desk.filed(identity, code_hash=office.hash_of(code))
        answer = desk.correct(filed.submission_id, right)

        assert answer == {"by_sms": True, "code": None}
        [event] = desk.recoded(filed)
        contact = office.contact_in(event["sealed_contact"])
        assert contact.mobile == right
        assert event["code_hash"] == office.hash_of(str(contact.code))
        about = {name: event[name] for name in ("reason", "attempt", "by", "old_code_hash", "mobile_hash")}
        assert about == {
            "reason": "corrected",
            "attempt": 1,
            "by": desk.operator.id,
            "old_code_hash": filed.code_hash,
            "mobile_hash": desk.hash_of(right),
        }
        kept = office.identity_of(desk.client, filed.submission_id)
        assert kept == identity.model_copy(update={"mobile": right})
        with pytest.raises(UnknownCase):  # the receipt and the old code tell nothing of the new one
            receipt(desk.client, office, filed.submission_id, code)
        assert receipt(desk.client, office, filed.submission_id, str(contact.code)).registered
        assert desk.audited(filed, "correct_mobile") == ["done"]

    def test_is_corrected_once_for_a_repeated_request(self, desk: Desk) -> None:
        filed, right = desk.filed(citizen()), new_mobile()
        assert desk.correct(filed.submission_id, right, "a-key-of-its-own") == desk.correct(
            filed.submission_id, right, "a-key-of-its-own"
        )
        with pytest.raises(KeyReused):
            desk.correct(filed.submission_id, new_mobile(), "a-key-of-its-own")
        assert len(desk.recoded(filed)) == 1

    def test_each_correction_has_a_code_of_its_own(self, desk: Desk) -> None:
        filed = desk.filed(citizen())
        for _ in range(3):
            desk.correct(filed.submission_id, new_mobile())
        events = desk.recoded(filed, 3)
        assert [event["attempt"] for event in events] == [1, 2, 3]
        assert [event["old_code_hash"] for event in events[1:]] == [event["code_hash"] for event in events[:2]]

    def test_without_consent_to_sms_the_code_is_for_the_paper(self, office: Office, desk: Desk) -> None:
        filed = desk.filed(citizen(), to=("filing",))
        answer = desk.correct(filed.submission_id, new_mobile())
        [event] = desk.recoded(filed)
        assert (answer["by_sms"], event["sealed_contact"]) == (False, None)
        assert event["code_hash"] == office.hash_of(answer["code"])

    def test_is_the_affair_of_who_filed_it_and_of_heads(self, desk: Desk) -> None:
        filed, anonymous, own = desk.filed(citizen()), desk.filed(), desk.office.submission(identity=citizen())
        send(desk.client, own)
        desk.office.stored(own)
        other = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.OPERATOR}))
        head = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}))
        screener = Actor(kind=ActorKind.STAFF, id=desk.operator.id, roles=frozenset({Role.SCREENER}))
        for case_id, actor, error in (
            (filed.submission_id, other, UnknownCase),
            (filed.submission_id, screener, NotAllowed),
            (own.submission_id, head, UnknownCase),
            (anonymous.submission_id, head, AnonymousFiling),
            (uuid4(), head, UnknownCase),
        ):
            with pytest.raises(error):
                desk.correct(case_id, new_mobile(), actor=actor)
        assert desk.correct(filed.submission_id, new_mobile(), actor=head)["by_sms"]

    def test_the_database_holds_neither_mobile_nor_code(self, office: Office, desk: Desk) -> None:
        filed, right = desk.filed(citizen()), new_mobile()
        desk.correct(filed.submission_id, right)
        [event] = desk.recoded(filed)
        dump = office.dump()
        for secret in (right, right[3:], str(office.contact_in(event["sealed_contact"]).code)):
            assert secret not in dump


class TestALostCode:
    def test_is_replaced_for_two_right_answers(self, office: Office, desk: Desk) -> None:
        identity = citizen()
        filed = desk.filed(identity)
        today = jalali.today(now())
        answer = desk.replace(filed.submission_id, national_id=identity.national_id, filed_on=today)
        assert answer == {"by_sms": True, "code": None}
        [event] = desk.recoded(filed)
        assert (event["reason"], event["mobile_hash"]) == ("lost", None)
        assert office.contact_in(event["sealed_contact"]).mobile == identity.mobile

    def test_without_a_mobile_it_is_for_the_paper_and_the_same_for_a_retry(self, office: Office, desk: Desk) -> None:
        filed = desk.filed(Identity(name="بی‌همراه"))
        first = desk.replace(filed.submission_id, "lost-once", unit=UNIT, ground="delay")
        again = desk.replace(filed.submission_id, "lost-once", unit=UNIT, ground="delay")
        assert first == again
        [event] = desk.recoded(filed)
        assert event["code_hash"] == office.hash_of(first["code"])

    def test_wrong_answers_and_no_case_are_refused_alike_recorded_and_limited(self, desk: Desk) -> None:
        filed = desk.filed(citizen())
        wrong: tuple[tuple[UUID | None, dict[str, Any]], ...] = (
            (filed.submission_id, {"mobile_digits": "0000", "ground": "delay"}),
            (filed.submission_id, {"ground": "delay"}),
            (None, {"unit": UNIT, "ground": "delay"}),
            (uuid4(), {"unit": UNIT, "ground": "delay"}),
            (filed.submission_id, {"unit": "dep.urb", "ground": "delay"}),
        )
        for case_id, answers in wrong:
            with pytest.raises(IdentityNotConfirmed) as refusal:
                desk.replace(case_id, **answers)
            assert refusal.value.params == {}
        other = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.OPERATOR}))
        with pytest.raises(TooMany) as limited:  # right, and too late, for whoever tries
            desk.replace(filed.submission_id, actor=other, unit=UNIT, ground="delay")
        assert 80_000 < limited.value.params["retry_after"] <= 86_400
        assert desk.audited(filed, "replace_lost_code") == ["identity_not_confirmed"] * 3
        assert desk.audited(None, "replace_lost_code") == ["identity_not_confirmed"] * 5
        assert events_of(desk.client, RECODED, filed) == {}

    def test_one_person_tries_ten_times_an_hour(self, desk: Desk) -> None:
        for _ in range(10):
            with pytest.raises(IdentityNotConfirmed):
                desk.replace(None, ground="delay", unit=UNIT)
        with pytest.raises(TooMany):
            desk.replace(None, ground="delay", unit=UNIT)

    def test_of_a_report_nothing_about_the_person_is_answered(self, desk: Desk) -> None:
        identity = citizen()
        filed = desk.filed(identity, kind=Kind.INFORMATION)
        with pytest.raises(IdentityNotConfirmed):
            desk.replace(filed.submission_id, national_id=identity.national_id, mobile_digits=str(identity.mobile)[-4:])
        assert desk.replace(filed.submission_id, unit=UNIT, ground="delay")["by_sms"]

    def test_is_the_affair_of_operators_and_heads(self, desk: Desk) -> None:
        filed = desk.filed(citizen())
        for role in (Role.SCREENER, Role.INSPECTOR, Role.CUSTODIAN, Role.ADMINISTRATOR):
            actor = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role}))
            with pytest.raises(NotAllowed):
                desk.replace(filed.submission_id, actor=actor, unit=UNIT, ground="delay")


class TestFinding:
    def test_an_operator_finds_by_last_digits_what_they_filed_themselves(self, office: Office, desk: Desk) -> None:
        identity = citizen()
        filed, quiet = desk.filed(identity), desk.filed(identity, to=("filing",))
        other = Desk(office, desk.client)
        other.filed(identity)
        digits = str(identity.mobile)[-4:]

        def found(who: Desk, digits: str) -> set[str]:
            answer = who.client.call("intake", "find_filed", FindFiled(actor=who.operator, last_digits=digits))
            return set(answer["items"])

        assert found(desk, digits) == {str(filed.submission_id), str(quiet.submission_id)}
        right = new_mobile()
        desk.correct(filed.submission_id, right)
        assert str(filed.submission_id) in found(desk, right[-4:])
        head = desk.operator.model_copy(update={"roles": frozenset({Role.HEAD})})
        with pytest.raises(NotAllowed):
            desk.client.call("intake", "find_filed", FindFiled(actor=head, last_digits=digits))

    def test_a_receipt_is_made_again_of_what_it_was_made_of(self, desk: Desk) -> None:
        filed = desk.filed(citizen())
        request = PrintReceipt(actor=desk.operator, case_id=filed.submission_id)
        answer = desk.client.call("intake", "print_receipt", request)
        assert answer == {
            "submission_id": str(filed.submission_id),
            "filed_at": filed.filed_at.isoformat().replace("+00:00", "Z"),
            "kind": "complaint",
            "content_hash": filed.content_hash,
        }
        assert desk.audited(filed, "print_receipt") == ["done"]

    def test_a_receipt_gets_no_code_but_its_own(self, desk: Desk) -> None:
        filed, other = desk.filed(citizen()), desk.filed(citizen())
        own, foreign = filed.code_hash, other.code_hash
        request = PrintReceipt(actor=desk.operator, case_id=filed.submission_id, code_hashes=["0" * 64, own])
        assert desk.client.call("intake", "print_receipt", request)["submission_id"] == str(filed.submission_id)
        with pytest.raises(InvalidField) as refused:
            desk.client.call("intake", "print_receipt", request.model_copy(update={"code_hashes": [foreign]}))
        assert refused.value.params == {"fields": [{"field": "tracking_code", "reason": "code_of_another"}]}


class TestFiledForACitizen:
    def mine(self, desk: Desk, mobile: str, who: Actor) -> list[str]:
        request = ListFiledForMe(actor=who, mobile_hash=desk.hash_of(mobile))
        return [item["case_id"] for item in desk.client.call("intake", "list_filed_for_me", request)["items"]]

    def answer(self, desk: Desk, filed: FileSubmission, mobile: str, who: Actor, mine: bool) -> Any:
        request = AnswerFiledForMe(actor=who, mobile_hash=desk.hash_of(mobile), case_id=filed.submission_id, mine=mine)
        return desk.client.call("intake", "answer_filed_for_me", request)

    def test_it_is_theirs_once_they_say_so(self, office: Office, desk: Desk) -> None:
        identity, who, stranger = citizen(), person(), person()
        mobile = str(identity.mobile)
        filed = desk.filed(identity, to=("filing",))
        assert self.mine(desk, mobile, who) == [str(filed.submission_id)]
        with pytest.raises(UnknownCase):
            self.answer(desk, filed, new_mobile(), stranger, mine=True)
        assert self.answer(desk, filed, mobile, who, mine=True)["items"] == []
        event = await_events_of(desk.client, filed, name=CLAIMED)[filed.submission_id]
        assert (event["citizen_id"], event["attempt"]) == (who.id, 0)
        assert self.answer(desk, filed, mobile, who, mine=True)["items"] == []
        with pytest.raises(AlreadyDecided):
            self.answer(desk, filed, mobile, who, mine=False)
        assert office.sql("SELECT citizen_id FROM submissions WHERE submission_id = %s", filed.submission_id) == [
            (UUID(who.id),)
        ]

    def test_who_disowns_it_is_not_asked_again_and_the_operator_is_named(self, desk: Desk) -> None:
        identity, who = citizen(), person()
        filed = desk.filed(identity)
        self.answer(desk, filed, str(identity.mobile), who, mine=False)
        assert self.mine(desk, str(identity.mobile), who) == []
        event = await_events_of(desk.client, filed, name=DISOWNED)[filed.submission_id]
        assert event["filed_by"] == desk.operator.id
        assert "citizen_id" not in event

    def test_no_code_goes_to_a_mobile_that_was_disowned(self, office: Office, desk: Desk) -> None:
        identity, who, right = citizen(), person(), new_mobile()
        wrong = str(identity.mobile)
        filed = desk.filed(identity)
        self.answer(desk, filed, wrong, who, mine=False)
        lost = desk.replace(filed.submission_id, unit=UNIT, ground="delay")
        [event] = desk.recoded(filed)
        assert (lost["by_sms"], event["sealed_contact"]) == (False, None)
        assert event["code_hash"] == office.hash_of(lost["code"])
        assert event["holder"] == {"mobile_hash": None, "citizen_id": None}

        def correct_to_the_wrong_one() -> None:
            with pytest.raises(InvalidField) as refused:
                desk.correct(filed.submission_id, wrong)
            assert refused.value.params["fields"] == [{"field": "mobile", "reason": "mobile_disowned"}]

        correct_to_the_wrong_one()
        assert desk.correct(filed.submission_id, right)["by_sms"]
        event = desk.recoded(filed, 2)[1]
        assert office.contact_in(event["sealed_contact"]).mobile == right
        assert event["holder"] == {"mobile_hash": desk.hash_of(right), "citizen_id": None}
        correct_to_the_wrong_one()  # also when it is not the one that is named any more

    def test_a_replaced_code_says_who_has_confirmed_it(self, desk: Desk) -> None:
        identity, who = citizen(), person()
        filed = desk.filed(identity)
        self.answer(desk, filed, str(identity.mobile), who, mine=True)
        desk.replace(filed.submission_id, unit=UNIT, ground="delay")
        [event] = desk.recoded(filed)
        assert event["holder"] == {"mobile_hash": desk.hash_of(str(identity.mobile)), "citizen_id": who.id}

    def test_a_corrected_mobile_takes_it_from_who_confirmed_it_wrongly(self, office: Office, desk: Desk) -> None:
        identity, wrong, right = citizen(), person(), person()
        filed, mobile = desk.filed(identity), new_mobile()
        self.answer(desk, filed, str(identity.mobile), wrong, mine=True)
        desk.correct(filed.submission_id, mobile)
        assert self.mine(desk, str(identity.mobile), wrong) == []
        assert self.mine(desk, mobile, right) == [str(filed.submission_id)]
        self.answer(desk, filed, mobile, right, mine=True)
        [claim] = [event for event in eventually(lambda: claims(desk, filed, 2)) if event["citizen_id"] == right.id]
        assert claim["attempt"] == 1

    def test_what_a_citizen_filed_and_staff_are_not_asked_of(self, desk: Desk) -> None:
        identity = citizen()
        own = desk.office.submission(identity=identity, citizen_id=uuid4())
        send(desk.client, own)
        desk.office.stored(own)
        assert self.mine(desk, str(identity.mobile), person()) == []
        with pytest.raises(NotAllowed):
            self.mine(desk, str(identity.mobile), desk.operator)


def person() -> Actor:
    """A citizen, signed in."""
    return Actor(kind=ActorKind.CITIZEN, id=str(uuid4()))


def claims(desk: Desk, filed: FileSubmission, number: int) -> list[dict[str, Any]] | None:
    events = {
        event["id"]: event
        for event in desk.client.recorded_events(CLAIMED)
        if event["case_id"] == str(filed.submission_id)
    }
    return list(events.values()) if len(events) == number else None
