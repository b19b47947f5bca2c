"""Decisions with four eyes and the follow-up of recommendations, over the broker, with the service as a process."""

from __future__ import annotations

import json
import re
import uuid
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from backbone.persian import jalali
from contracts.base import now
from contracts.errors import (
    FourEyesNeeded,
    InvalidField,
    KeyReused,
    NoLetter,
    NotAllowed,
    NotFound,
    StaleVersion,
    UnknownCase,
    WrongStage,
)
from contracts.gateway import Actor
from contracts.letters import CheckLetter, Letter, ReadLetter
from contracts.tracking import (
    Approve,
    AskCitizen,
    Assign,
    Decide,
    ExecuteCommand,
    ListRecommendations,
    Propose,
    RaiseObjection,
    Recommendation,
    Refuse,
    ReportRecommendation,
    ReturnProposal,
    SettleRecommendation,
    StartScreening,
)
from contracts.vocabulary import ActorKind, Kind, Role
from tests.support.processes import BrokerClient, ServiceProcess, eventually
from tests.support.tracking import UNIT, Office, actor, decision

LATE, SOON = jalali.today(now()) - timedelta(days=3), jalali.today(now()) + timedelta(days=30)


@pytest.fixture
def office(tracking: ServiceProcess, broker_client: BrokerClient) -> Office:
    broker_client.record_events("tracking.events")
    office = Office(broker_client, tracking.environment["DATABASE_URL"]).gather()
    office.set_catalogue(2, four_eyes=[Kind.COMPLAINT])
    return office


def proposal(*due: date) -> Propose:
    made = [Recommendation(text=f"پیشنهاد تا {day}", due_on=day) for day in due]
    return Propose(outcome="upheld", reasons="راز پیشنهاد", root_causes=["process"], recommendations=made)


def recommended(office: Office, *due: date) -> tuple[UUID, list[dict[str, Any]]]:
    """A decided complaint, and what it recommends to the unit."""
    filed = office.investigated()
    eventually_four_eyes(office, filed.case_id)
    office.do(office.inspector, filed.case_id, proposal(*due))
    case = office.do(office.head, filed.case_id, Approve())
    return filed.case_id, case["followed"]


def eventually_four_eyes(office: Office, case_id: UUID) -> None:
    """The service looks at its copy of the catalogue once a second."""

    def needed() -> bool:
        request = ExecuteCommand(
            actor=office.head,
            case_id=case_id,
            expected_version=office.get(case_id)["version"],
            idempotency_key=uuid.uuid4().hex,
            command=Decide(outcome="upheld", reasons="x"),  # not whole: never a decision
        )
        with pytest.raises((FourEyesNeeded, InvalidField)) as raised:
            office.ask("execute", request)
        return isinstance(raised.value, FourEyesNeeded)

    eventually(needed)


def report(
    office: Office,
    recommendation_id: str,
    done: bool,
    reason: str | None = None,
    who: Actor | None = None,
    key: str = "",
) -> Any:
    request = ReportRecommendation(
        actor=who or office.liaison,
        recommendation_id=UUID(recommendation_id),
        done=done,
        reason=reason,
        idempotency_key=key or uuid.uuid4().hex,
    )
    return office.ask("report_recommendation", request)


def listed(office: Office, who: Actor, **filters: Any) -> list[str]:
    items = office.ask("list_recommendations", ListRecommendations(actor=who, **filters))["items"]
    return [item["recommendation_id"] for item in items]


def test_a_decision_is_proposed_returned_proposed_again_and_approved(office: Office) -> None:
    filed = office.investigated()
    eventually_four_eyes(office, filed.case_id)
    seen = office.do(office.inspector, filed.case_id, proposal())
    assert seen["proposal"]["by"] == office.inspector.id
    assert eventually(lambda: office.broker_client.recorded_events("case.decision_proposed.v1"))
    public = office.view(filed.code_hash)
    assert public["stage"] == "investigating"
    assert public["decision"] is None
    assert "راز پیشنهاد" not in json.dumps(public, ensure_ascii=False)
    for who in (office.inspector, office.screener):
        with pytest.raises(NotAllowed):
            office.do(who, filed.case_id, Approve())
    with pytest.raises(WrongStage):
        office.do(office.inspector, filed.case_id, AskCitizen(text="؟"))
    assert office.do(office.head, filed.case_id, ReturnProposal(reason="راز بازگشت"))["proposal"] is None
    with pytest.raises(WrongStage):
        office.do(office.head, filed.case_id, Approve())
    office.do(office.inspector, filed.case_id, proposal())
    with pytest.raises(StaleVersion):
        office.do(office.head, filed.case_id, Approve(), version=3)
    office.do(office.head, filed.case_id, Approve())
    public = office.view(filed.code_hash)
    assert public["decision"]["reasons"] == "راز پیشنهاد"
    assert "راز بازگشت" not in json.dumps(public, ensure_ascii=False)
    assert [entry["entry"] for entry in public["timeline"]][-1] == "decided"


def test_another_inspector_reviews_the_objection_and_the_same_head_may_approve(office: Office) -> None:
    case_id, _ = recommended(office)
    code = office.value("SELECT code_hash FROM cases WHERE case_id = %s", case_id)
    office.do_as_citizen(code, RaiseObjection(text="نه"))
    with pytest.raises(InvalidField):
        office.do(office.head, case_id, Assign(inspector=UUID(office.inspector.id)))
    office.do(office.head, case_id, Assign(inspector=UUID(office.other_inspector.id)))
    with pytest.raises(NotAllowed):
        office.do(office.head, case_id, proposal())
    office.do(office.other_inspector, case_id, proposal())
    assert office.do(office.head, case_id, Approve())["decision"]["final"]


def test_a_head_who_proposed_the_first_decision_does_not_approve_the_final_one(office: Office) -> None:
    filed = office.investigated()
    eventually_four_eyes(office, filed.case_id)
    office.do(office.head, filed.case_id, proposal())
    other_head = actor(Role.HEAD)
    office.do(other_head, filed.case_id, Approve())
    office.do_as_citizen(filed.code_hash, RaiseObjection(text="نه"))
    office.do(office.head, filed.case_id, Assign(inspector=UUID(office.other_inspector.id)))
    office.do(office.other_inspector, filed.case_id, proposal())
    with pytest.raises(NotAllowed):
        office.do(office.head, filed.case_id, Approve())
    assert office.do(other_head, filed.case_id, Approve())["decision"]["final"]


def test_a_kind_without_four_eyes_is_decided_directly(office: Office) -> None:
    filed = office.investigated(kind=Kind.CRITICISM)
    assert office.do(office.inspector, filed.case_id, decision())["stage"] == "decided"


def test_the_unit_reports_what_was_recommended_and_the_office_agrees_or_not(office: Office) -> None:
    case_id, (first, second) = recommended(office, SOON, SOON + timedelta(days=1))
    [event] = eventually(
        lambda: [e for e in office.broker_client.recorded_events("case.decided.v1") if e["case_id"] == str(case_id)]
    )
    assert event["recommended_to"] == UNIT
    first_id, second_id = first["recommendation_id"], second["recommendation_id"]
    assert {first_id, second_id} <= set(listed(office, office.liaison))
    seen = office.ask("list_recommendations", ListRecommendations(actor=office.liaison))["items"]
    assert all(item["case_id"] is None and item["number"] is None for item in seen)
    reported = report(office, first_id, True, key="the-same-report")
    assert reported["state"] == "reported_done"
    assert report(office, first_id, True, key="the-same-report") == reported
    with pytest.raises(KeyReused):
        report(office, first_id, False, "x", key="the-same-report")
    with pytest.raises(InvalidField):
        report(office, second_id, False)
    report(office, second_id, False, "بودجه نیست")
    assert eventually(lambda: len(office.broker_client.recorded_events("case.recommendation_reported.v1")) >= 2)
    for who in (office.screener, office.other_inspector):
        with pytest.raises((NotAllowed, UnknownCase)):
            office.do(who, case_id, SettleRecommendation(recommendation_id=UUID(first_id), accepted=True))
    settled = SettleRecommendation(recommendation_id=UUID(first_id), accepted=True)
    case = office.do(office.inspector, case_id, settled)
    assert {item["recommendation_id"]: item["state"] for item in case["followed"]} == {
        first_id: "done",
        second_id: "reported_declined",
    }
    with pytest.raises(InvalidField):
        office.do(office.head, case_id, SettleRecommendation(recommendation_id=UUID(second_id), accepted=False))
    back = SettleRecommendation(recommendation_id=UUID(second_id), accepted=False, reason="بودجه هست")
    case = office.do(office.head, case_id, back)
    assert {item["recommendation_id"]: item["state"] for item in case["followed"]}[second_id] == "open"
    assert second_id in listed(office, office.liaison)
    assert first_id not in listed(office, office.liaison)
    with pytest.raises(WrongStage):
        report(office, first_id, False, "x")


def test_recommendations_are_listed_to_those_concerned(office: Office) -> None:
    _, [recommendation] = recommended(office, SOON)
    recommendation_id = recommendation["recommendation_id"]
    assert recommendation_id in listed(office, office.head, unit="dep.urb")
    assert recommendation_id not in listed(office, office.head, unit="dep.civ")
    assert recommendation_id in listed(office, office.inspector)
    assert recommendation_id not in listed(office, office.other_inspector)
    assert recommendation_id not in listed(office, actor(Role.HEAD, UNIT))  # conflict of interest
    stranger = actor(Role.LIAISON, "dep.civ")
    assert recommendation_id not in listed(office, stranger)
    with pytest.raises(NotFound):
        report(office, recommendation_id, True, who=stranger)
    with pytest.raises(NotAllowed):
        report(office, recommendation_id, True, who=office.head)
    with pytest.raises(NotAllowed):
        listed(office, actor(Role.ANALYST))


def test_an_overdue_recommendation_is_escalated_once_and_replaced_by_a_final_decision(office: Office) -> None:
    case_id, [recommendation] = recommended(office, SOON)
    office.run(f"UPDATE recommendations SET due_on = '{LATE}' WHERE case_id = '{case_id}'")

    def escalated() -> list[Any]:
        events = {event["id"]: event for event in office.broker_client.recorded_events("case.escalated.v1")}
        return [e for e in events.values() if e["case_id"] == str(case_id) and e["step"] == "recommendation"]

    eventually(escalated)
    assert office.value(
        "SELECT escalated FROM recommendations WHERE recommendation_id = %s", recommendation["recommendation_id"]
    )
    code = office.value("SELECT code_hash FROM cases WHERE case_id = %s", case_id)
    office.do_as_citizen(code, RaiseObjection(text="نه"))
    office.do(office.head, case_id, Assign(inspector=UUID(office.other_inspector.id)))
    office.do(office.other_inspector, case_id, proposal(SOON))
    followed = office.do(actor(Role.HEAD), case_id, Approve())["followed"]
    assert sorted(item["state"] for item in followed) == ["open", "superseded"]
    assert len(escalated()) == 1


def letter(office: Office, code_hash: str) -> Letter:
    bearer = Actor(kind=ActorKind.BEARER, id=code_hash)
    return Letter.model_validate(office.ask("read_letter", ReadLetter(actor=bearer, code_hashes=[code_hash])))


def test_a_letter_is_numbered_at_the_decision_and_again_after_the_objection(office: Office) -> None:
    filed = office.investigated()
    eventually_four_eyes(office, filed.case_id)
    office.do(office.inspector, filed.case_id, proposal())
    with pytest.raises(NoLetter):
        letter(office, filed.code_hash)
    assert office.rows("SELECT serial FROM letters WHERE case_id = %s", filed.case_id) == []
    office.do(office.head, filed.case_id, Approve())
    first = letter(office, filed.code_hash)
    assert re.fullmatch(r"14[0-9]{2}/[1-9][0-9]{6}", first.registry_number or "")
    assert first.approved
    assert letter(office, filed.code_hash) == first  # given once
    office.do_as_citizen(filed.code_hash, RaiseObjection(text="مدرک دوم دیده نشد."))
    assert letter(office, filed.code_hash).registry_number == first.registry_number
    serials = office.rows("SELECT year, serial FROM letters WHERE case_id = %s", filed.case_id)
    assert [f"{year}/{serial}" for year, serial in serials] == [first.registry_number]


def test_a_letter_is_in_force_until_the_final_one_replaces_it(office: Office) -> None:
    def in_force(letter: Letter) -> bool:
        return bool(office.ask("check_letter", CheckLetter(number=letter.number))["in_force"])

    filed = office.decided(kind=Kind.CRITICISM)
    first = letter(office, filed.code_hash)
    assert in_force(first)
    office.do_as_citizen(filed.code_hash, RaiseObjection(text="مدرک دوم دیده نشد."))
    assert in_force(first)
    office.do(office.head, filed.case_id, Assign(inspector=UUID(office.other_inspector.id)))
    office.do(office.other_inspector, filed.case_id, decision())
    final = letter(office, filed.code_hash)
    assert (in_force(first), in_force(final)) == (False, True)


def test_letter_numbers_do_not_reveal_how_many_there_are(office: Office) -> None:
    """Two decisions one after the other: neither next to each other nor in their order, but for a chance in a million."""
    decided = [office.decided(kind=Kind.CRITICISM) for _ in range(6)]
    serials = [
        int((letter(office, submitted.code_hash).registry_number or "0/0").split("/")[1]) for submitted in decided
    ]
    assert len(set(serials)) == 6
    assert min(abs(serial - next_serial) for serial, next_serial in pairwise(serials)) > 1
    assert not letter(office, decided[0].code_hash).approved


def test_a_refusal_has_a_number_too(office: Office) -> None:
    filed = office.open()
    office.do(office.screener, filed.case_id, StartScreening())
    office.do(office.screener, filed.case_id, Refuse(reason="outside_remit", explanation="در صلاحیت نیست."))
    assert letter(office, filed.code_hash).registry_number
