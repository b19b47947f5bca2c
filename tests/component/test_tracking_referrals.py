"""Referrals to bodies outside: what is prepared, the register, the timeline, and what is left when texts are erased."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any
from uuid import UUID

import pytest

from backbone.persian import jalali
from backbone.storage.database import Database
from contracts.base import now
from contracts.errors import ConsentNeeded, Gone, InvalidField, KeyReused, NotAllowed, NotFound, UnknownCase, WrongStage
from contracts.gateway import Actor
from contracts.identities import AskForIdentity, DecideIdentityRequest
from contracts.intake import OutsideBody
from contracts.referrals import ListReferrals, PrepareReferral, RecordReferral, RecordReferralAnswer
from contracts.tracking import Decide
from contracts.vocabulary import Kind, Role
from services.tracking.case import store as case_store
from services.tracking.retention import store as retention_store
from tests.support.tracking import Office, actor

KEY = "age103hxfpfsdnsgsenjntpdafc4dqpry7ls37pcuc65mq7ra39jfgfsqjzukx"
BODIES = [
    OutsideBody(code="court", name_fa="دادگاه", name_en="Court", age_key=KEY),
    OutsideBody(code="keyless", name_fa="بی‌کلید", name_en="Without a key"),
    OutsideBody(code="closed", name_fa="تعطیل", name_en="Closed", age_key=KEY, active=False),
]
INFORMATION: dict[str, Any] = {"kind": Kind.INFORMATION, "ground": "waste", "anonymous": True}
REFERRED = Decide(outcome="referred", reasons="در صلاحیت دادگاه است.")
REASON = "رسیدگی کیفری لازم است."


@pytest.fixture(autouse=True)
def bodies(office: Office) -> None:
    office.set_catalogue(2, outside_bodies=BODIES)


def values(case_id: UUID, who: Actor, **more: Any) -> dict[str, Any]:
    about = {"actor": who, "case_id": case_id, "body": "court", "reason": REASON, "idempotency_key": uuid.uuid4().hex}
    return about | more


def prepares(office: Office, case_id: UUID, who: Actor | None = None, **more: Any) -> Any:
    request = PrepareReferral.model_validate(values(case_id, who or office.head, **more))
    return office.ask("prepare_referral", request)


def records(office: Office, case_id: UUID, who: Actor | None = None, **more: Any) -> Any:
    package = {
        "contents": [{"name": "letter.pdf", "size": 7, "sha256": "a" * 64}],
        "sha256": uuid.uuid4().hex * 2,
        "size": 700,
        "key_fingerprint": hashlib.sha256(KEY.encode()).hexdigest(),
    }
    request = RecordReferral.model_validate(values(case_id, who or office.head, **{**package, **more}))
    return office.ask("record_referral", request)


def answers(office: Office, referral_id: str, who: Actor | None = None, **more: Any) -> Any:
    about = {"answered_on": jalali.today(now()), "outcome": "accepted", "text": "پذیرفته شد.", "number": "۸۸۱"}
    key = {"actor": who or office.head, "referral_id": referral_id, "idempotency_key": uuid.uuid4().hex}
    request = RecordReferralAnswer.model_validate({**about, **key, **more})
    return office.ask("record_referral_answer", request)


def listed(office: Office, who: Actor | None = None, **more: Any) -> list[Any]:
    items, after = [], None
    while True:
        page = office.ask("list_referrals", ListReferrals(actor=who or office.head, after=after, limit=2, **more))
        items += page["items"]
        after = page["next"]
        if after is None:
            return items


@pytest.fixture
def case_id(office: Office) -> UUID:
    """A complaint that was decided as referred."""
    filed = office.investigated()
    office.do(office.inspector, filed.case_id, REFERRED)
    return filed.case_id


def test_what_is_prepared_has_the_case_and_nobody_in_it(office: Office, case_id: UUID) -> None:
    draft = prepares(office, case_id)
    assert (draft["body"]["age_key"], draft["case"]["outcome"], draft["case"]["stage"]) == (KEY, "referred", "decided")
    assert draft["case"]["ground_name_fa"] == "اطاله"
    assert [entry["entry"] for entry in draft["case"]["timeline"]][-1] == "decided"
    text = str(draft)
    for person in (office.head, office.inspector, office.screener):
        assert person.id not in text
    [(code_hash,)] = office.rows("SELECT code_hash FROM cases WHERE case_id = %s", case_id)
    assert code_hash not in text
    key = uuid.uuid4().hex
    ids = {prepares(office, case_id, idempotency_key=key)["referral_id"] for _ in range(2)}
    assert len(ids) == 1
    assert office.value("SELECT count(*) FROM referrals WHERE case_id = %s", case_id) == 0


def test_the_register_and_the_timeline_have_a_referral_once_however_often_its_package_is_made(
    office: Office, case_id: UUID
) -> None:
    key = uuid.uuid4().hex
    first = records(office, case_id, idempotency_key=key)
    again = records(office, case_id, idempotency_key=key)
    assert first["referral_id"] == again["referral_id"]
    assert [package["sha256"] for package in again["packages"]][:1] == [first["packages"][0]["sha256"]]
    assert len(again["packages"]) == 2
    with pytest.raises(KeyReused):
        records(office, case_id, idempotency_key=key, reason="دلیلی دیگر")
    view = office.get(case_id)
    lines = [entry for entry in view["timeline"] if entry["entry"] == "referred"]
    assert [line["details"]["text"] for line in lines] == [REASON]
    assert view["stage"] == "decided"
    [line] = listed(office, case_id=case_id)
    assert (line["body_name_fa"], line["identity"], line["made_by"]) == ("دادگاه", False, office.head.id)


def test_the_citizen_reads_to_whom_and_not_why(office: Office) -> None:
    filed = office.investigated(**INFORMATION)
    before = office.view(filed.code_hash)["version"]
    referral = records(office, filed.case_id)
    answers(office, referral["referral_id"])
    view = office.view(filed.code_hash)
    assert view["timeline"][-1] | {"at": "", "sequence": 0} == {
        "sequence": 0,
        "at": "",
        "entry": "referred",
        "by": "office",
        "stage": "investigating",
        "text": None,
        "outcome": None,
        "uploads": [],
        **dict.fromkeys(("message_id", "corrected_at", "withdrawn_at", "can_correct_until")),
        "body_fa": "دادگاه",
        "body_en": "Court",
    }
    assert view["version"] == before + 1
    assert REASON not in str(view)


def test_an_answer_is_recorded_with_the_referral_and_for_the_office(office: Office, case_id: UUID) -> None:
    referral = records(office, case_id)
    assert referral["referral_id"] in [item["referral_id"] for item in listed(office, answered=False, body="court")]
    key = uuid.uuid4().hex
    for _ in range(2):
        answered = answers(office, referral["referral_id"], idempotency_key=key)
    assert [(answer["outcome"], answer["number"]) for answer in answered["answers"]] == [("accepted", "۸۸۱")]
    assert referral["referral_id"] not in [item["referral_id"] for item in listed(office, answered=False)]
    assert office.get(case_id)["timeline"][-1]["details"]["text"] == "پذیرفته شد."
    with pytest.raises(InvalidField):
        answers(office, referral["referral_id"], answered_on="2020-01-01")
    for who, error in ((office.inspector, NotAllowed), (office.liaison, NotAllowed)):
        with pytest.raises(error):
            answers(office, referral["referral_id"], who)
    with pytest.raises(NotFound):
        answers(office, str(uuid.uuid4()))


def test_wrong_stage_wrong_role_and_a_conflict_of_interest_are_refused(office: Office, case_id: UUID) -> None:
    complaint, upheld = office.investigated().case_id, office.decided().case_id
    for attempt in (prepares, records):
        for other in (complaint, upheld, office.open(**INFORMATION).case_id):
            with pytest.raises(WrongStage):
                attempt(office, other)
        for who in (office.screener, office.inspector, office.liaison, actor(Role.ANALYST)):
            with pytest.raises(NotAllowed):
                attempt(office, case_id, who)
        conflicted = actor(Role.HEAD, unit="dep.urb.permits.desk")
        with pytest.raises(UnknownCase):
            attempt(office, case_id, conflicted)
        for body in ("nobody", "keyless", "closed"):
            with pytest.raises(InvalidField):
                attempt(office, case_id, body=body)
    with pytest.raises(InvalidField):  # the body has another key since the package was made
        records(office, case_id, key_fingerprint="0" * 64)
    records(office, case_id)
    assert case_id not in [UUID(item["case_id"]) for item in listed(office, conflicted)]
    with pytest.raises(UnknownCase):
        listed(office, conflicted, case_id=case_id)
    with pytest.raises(NotAllowed):
        listed(office, office.screener)


def test_the_identity_goes_with_it_only_with_a_custodians_consent(office: Office, case_id: UUID) -> None:
    head, custodian = actor(Role.HEAD), actor(Role.CUSTODIAN)
    for attempt in (prepares, records):
        with pytest.raises(ConsentNeeded):
            attempt(office, case_id, head, identity=True)
    wish = {"reason": "برای ارجاع", "minutes": 60, "idempotency_key": uuid.uuid4().hex}
    identity_request = office.ask("ask_for_identity", AskForIdentity(actor=head, case_id=case_id, **wish))
    word = DecideIdentityRequest(actor=custodian, request_id=identity_request["request_id"], consent=True)
    office.ask("decide_identity_request", word)
    assert prepares(office, case_id, head, identity=True)["consented_by"] == custodian.id
    line = records(office, case_id, head, identity=True)
    assert (line["identity"], line["consented_by"]) == (True, custodian.id)
    with pytest.raises(ConsentNeeded):  # another head has no consent of their own
        records(office, case_id, actor(Role.HEAD), identity=True)
    anonymous = office.investigated(**INFORMATION).case_id
    with pytest.raises(InvalidField):
        prepares(office, anonymous, identity=True)


def test_an_auditor_reads_the_register_without_what_was_written(office: Office, case_id: UUID) -> None:
    auditor = actor(Role.AUDITOR)
    referral = records(office, case_id)
    answers(office, referral["referral_id"])
    [line] = listed(office, auditor, case_id=case_id)
    assert (line["packages"], line["answers"][0]["outcome"]) == (referral["packages"], "accepted")
    assert (line["reason"], line["answers"][0]["text"]) == (None, None)
    for refused in (prepares, records):
        with pytest.raises(NotAllowed):
            refused(office, case_id, auditor)
    with pytest.raises(NotAllowed):
        answers(office, referral["referral_id"], auditor)


def test_reasons_and_answers_go_with_the_texts_of_the_case_and_the_line_stays(
    office: Office, tracking_environment: dict[str, str], case_id: UUID
) -> None:
    referral = records(office, case_id)
    answers(office, referral["referral_id"])
    with Database(tracking_environment["DATABASE_URL"], pool_size=1).transaction() as connection:
        case = case_store.lock(connection, case_id)
        assert case is not None
        retention_store.forget_texts(connection, case)
    [line] = listed(office, case_id=case_id)
    assert (line["reason"], [answer["text"] for answer in line["answers"]]) == (None, [None])
    assert (line["packages"], line["contents"]) == (referral["packages"], referral["contents"])
    with pytest.raises(Gone):
        prepares(office, case_id)
