"""Which cases may be referred to a body outside, by whom; one sentence each."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest

from contracts.errors import InvalidField, NotAllowed, WrongStage
from contracts.gateway import Actor
from contracts.intake import OutsideBody
from contracts.referrals import RecordReferral, RecordReferralAnswer
from contracts.vocabulary import ActorKind, Kind, Outcome, Role, Stage
from services.tracking.case.lifecycle import PUBLIC_ENTRIES, Change
from services.tracking.referrals import rules
from tests.support.cases import HEAD, case, person

REFERRAL = uuid4()
BODY = OutsideBody(code="court", name_fa="دادگاه", name_en="Court", age_key="age1x")


def refused_at(**about: object) -> set[Stage]:
    """The stages in which such a case is not referred."""
    stages = set()
    for stage in Stage:
        try:
            rules.require_stage(case(stage, **about))
        except WrongStage:
            stages.add(stage)
    return stages


def test_a_case_is_referred_once_it_is_decided_so() -> None:
    assert set(Stage) - refused_at(outcome=Outcome.REFERRED) == {Stage.DECIDED, Stage.REVIEW, Stage.CLOSED}
    for outcome in (None, *Outcome):
        if outcome is not Outcome.REFERRED:
            assert refused_at(outcome=outcome) == set(Stage)


def test_information_is_referred_whenever_the_head_decides_so_after_it_was_read() -> None:
    assert refused_at(kind=Kind.INFORMATION) == {Stage.REGISTERED, Stage.MERGED, Stage.WITHDRAWN}


@pytest.mark.parametrize("role", set(Role) - {Role.HEAD, Role.SUBSTITUTE})
def test_nobody_but_a_head_refers(role: Role) -> None:
    with pytest.raises(NotAllowed):
        rules.authorise(Actor(kind=ActorKind.STAFF, id=str(HEAD), roles=frozenset({role})), case(), frozenset({"dep"}))
    rules.authorise(person(HEAD), case(), frozenset())


def test_a_substitute_refers_cases_about_the_inspection_alone() -> None:
    substitute = Actor(kind=ActorKind.STAFF, id=str(HEAD), roles=frozenset({Role.SUBSTITUTE}))
    rules.authorise(substitute, case(unit="insp"), frozenset({"insp"}))
    with pytest.raises(NotAllowed):
        rules.authorise(substitute, case(unit="dep"), frozenset({"insp"}))


@pytest.mark.parametrize(
    ("bodies", "reason"),
    [
        ({}, "unknown_code"),
        ({"court": BODY.model_copy(update={"active": False})}, "not_offered"),
        ({"court": BODY.model_copy(update={"age_key": ""})}, "no_key"),
    ],
)
def test_a_body_is_known_open_and_has_a_key(bodies: dict[str, OutsideBody], reason: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        rules.require_body(bodies, "court")
    assert refusal.value.params["fields"] == [{"field": "body", "reason": reason}]
    assert rules.require_body({"court": BODY}, "court") == BODY


def test_the_citizen_reads_to_whom_it_was_referred_and_nothing_of_the_answer() -> None:
    request = RecordReferral(
        actor=person(HEAD),
        case_id=uuid4(),
        body="court",
        reason="در صلاحیت دادگاه",
        idempotency_key="a" * 8,
        contents=[{"name": "letter.pdf", "size": 1, "sha256": "a" * 64}],
        sha256="b" * 64,
        size=9,
        key_fingerprint="c" * 64,
    )
    [entry] = rules.refer(case(Stage.DECIDED), BODY, request, REFERRAL).entries
    assert entry.entry in PUBLIC_ENTRIES
    assert (entry.details["body_fa"], entry.details["body_en"]) == ("دادگاه", "Court")
    assert set(entry.fields) == {"referral_id", "body", "identity"}  # no text travels
    [answered] = answer(date(2026, 11, 22)).entries
    assert answered.entry not in PUBLIC_ENTRIES
    assert set(answered.fields) == {"referral_id", "body", "outcome"}


def answer(day: date, referral_id: UUID = REFERRAL) -> Change:
    request = RecordReferralAnswer(
        actor=person(HEAD),
        referral_id=referral_id,
        answered_on=day,
        outcome="accepted",
        text="پذیرفته شد",
        idempotency_key="a" * 8,
    )
    return rules.record_answer(case(Stage.CLOSED), request, "court", date(2026, 11, 21), date(2026, 11, 23))


@pytest.mark.parametrize(
    ("day", "reason"), [(date(2026, 11, 20), "before_the_referral"), (date(2026, 11, 24), "in_the_future")]
)
def test_an_answer_comes_after_the_referral_and_not_tomorrow(day: date, reason: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        answer(day)
    assert refusal.value.params["fields"] == [{"field": "answered_on", "reason": reason}]
