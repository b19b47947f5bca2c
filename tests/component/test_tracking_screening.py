"""Screening: what is suggested, who is free, many cases assigned at once, a leaver's cases handed over."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from contracts.errors import Conflict, KeyReused, NotAllowed, NotFound, UnknownCase
from contracts.gateway import Actor
from contracts.screening import AssignMany, CaseSeen, HandOver, ListSkills, SetSkills, SuggestScreening
from contracts.tracking import AskUnit, Assign, Correct, ExecuteCommand, StartScreening
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.processes import BrokerClient, ServiceProcess, eventually, open_broker_client, prepared
from tests.support.tracking import UNIT, Office, actor, staff


@pytest.fixture
def service(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """Of each test's own: who is free depends on all that anybody has in hand."""
    environment = prepared("tracking", broker.url, postgres.url, "tracking_screening")
    process = ServiceProcess("tracking", environment, tmp_path_factory.mktemp("tracking") / "tracking.log").start()
    yield process
    process.stop()


@pytest.fixture
def office(service: ServiceProcess, broker_client: BrokerClient) -> Office:
    return Office(broker_client, service.environment["DATABASE_URL"]).gather()


def screened(office: Office, count: int, **changes: Any) -> list[UUID]:
    filed = [office.open(**changes).case_id for _ in range(count)]
    for case_id in filed:
        office.do(office.screener, case_id, StartScreening())
    return filed


def assign_many(
    office: Office,
    cases: list[UUID],
    who: Actor | None = None,
    inspector: UUID | None = None,
    key: str = "",
    version: int = 2,
) -> dict[str, dict[str, Any]]:
    request = AssignMany(
        actor=who or office.screener,
        cases=[CaseSeen(case_id=case_id, expected_version=version) for case_id in cases],
        inspector=inspector,
        idempotency_key=key or uuid.uuid4().hex,
    )
    return {item["case_id"]: item for item in office.ask("assign_many", request)["items"]}


def set_skills(office: Office, who: Actor, *grounds: str) -> None:
    request = SetSkills(actor=office.head, inspector=UUID(who.id), grounds=list(grounds))
    office.ask("set_skills", request)


def loads(office: Office) -> dict[str, int]:
    skills = office.ask("list_skills", ListSkills(actor=office.screener))
    return {item["inspector"]: item["open_cases"] for item in skills["items"]}


def test_a_case_is_assigned_to_the_skilled_inspector_with_the_fewest(office: Office) -> None:
    set_skills(office, office.inspector, "delay")
    set_skills(office, office.other_inspector, "delay", "conduct")
    cases = screened(office, 4)
    handlers = [office.do(office.screener, case_id, Assign())["handler"] for case_id in cases]
    assert Counter(handlers) == {office.inspector.id: 2, office.other_inspector.id: 2}  # the insider is conflicted
    [conduct] = screened(office, 1, ground="conduct")
    assert office.do(office.screener, conduct, Assign())["handler"] == office.other_inspector.id
    [waste] = screened(office, 1, ground="waste", kind="information")
    with pytest.raises(Conflict) as raised:
        office.do(office.screener, waste, Assign())
    assert raised.value.params == {"reason": "nobody_free"}
    set_skills(office, office.inspector)  # of any ground again
    assert office.do(office.screener, waste, Assign())["handler"] == office.inspector.id
    assert loads(office) == {office.inspector.id: 3, office.other_inspector.id: 3, office.insider.id: 0}


def test_simultaneous_assignments_choose_different_inspectors(office: Office, broker: RabbitMQ) -> None:
    cases = screened(office, 8)

    def assign(own: list[UUID]) -> None:
        with open_broker_client(broker.url) as client:
            for case_id in own:
                request = ExecuteCommand(
                    actor=office.screener,
                    case_id=case_id,
                    expected_version=2,
                    idempotency_key=uuid.uuid4().hex,
                    command=Assign(),
                )
                client.call("tracking", "execute", request)

    threads = [threading.Thread(target=assign, args=(cases[part::2],)) for part in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(loads(office).values()) == [0, 4, 4]


def test_bulk_assignment_continues_past_a_case_that_cannot_be_assigned(office: Office) -> None:
    cases = screened(office, 3)
    unread, unknown = office.open().case_id, uuid.uuid4()
    stale = screened(office, 1)[0]
    office.do(office.screener, stale, Correct(urgent=True))
    chosen, key = [*cases, unread, unknown, stale], "many-at-once"
    results = assign_many(office, chosen, inspector=UUID(office.inspector.id), key=key)
    assert [results[str(case_id)]["handler"] for case_id in cases] == [office.inspector.id] * 3
    errors = {"unknown_case": unknown, "stale_version": stale}
    assert {code: results[str(case_id)]["error"] for code, case_id in errors.items()} == {code: code for code in errors}
    assert results[str(unread)]["error"] == "stale_version"
    assert assign_many(office, [unread], version=1)[str(unread)]["error"] == "wrong_stage"
    again = assign_many(office, cases, inspector=UUID(office.inspector.id), key=key)
    assert {again[str(case_id)]["version"] for case_id in cases} == {3}  # once
    with pytest.raises(KeyReused):
        raise_for(assign_many(office, cases, inspector=UUID(office.other_inspector.id), key=key))
    assert office.get(stale)["handler"] is None


def raise_for(results: dict[str, dict[str, Any]]) -> None:
    assert {result["error"] for result in results.values()} == {"idempotency_key_reused"}
    raise KeyReused


def test_open_cases_of_a_leaver_are_handed_over_together(office: Office) -> None:
    gone = office.decided().case_id
    cases = [office.investigated().case_id for _ in range(3)]
    case_id = cases[0]
    office.do(office.inspector, case_id, AskUnit(text="چرا؟"))
    for who in (office.inspector, actor(Role.LIAISON, UNIT)):
        with pytest.raises(NotAllowed):
            office.ask("hand_over", HandOver(actor=who, leaver=UUID(office.inspector.id), idempotency_key="x" * 8))
    handed = HandOver(actor=office.head, leaver=UUID(office.inspector.id), idempotency_key="handed-over")
    items = office.ask("hand_over", handed)["items"]
    assert {item["case_id"] for item in items} == {str(case_id) for case_id in cases}
    assert {item["handler"] for item in items} == {office.other_inspector.id}
    assert office.get(case_id)["stage"] == "awaiting_unit"
    assert office.get(gone)["handler"] == office.inspector.id
    assert office.ask("hand_over", handed)["items"] == []
    back = HandOver(
        actor=actor(Role.HEAD, UNIT), leaver=UUID(office.other_inspector.id), idempotency_key=uuid.uuid4().hex
    )
    assert office.ask("hand_over", back)["items"] == []  # conflict of interest


def test_only_the_head_sets_skills(office: Office) -> None:
    request = {"inspector": UUID(office.inspector.id), "grounds": ["delay"]}
    for who in (office.screener, office.inspector):
        with pytest.raises(NotAllowed):
            office.ask("set_skills", SetSkills(actor=who, **request))
    for nobody in (UUID(office.screener.id), uuid.uuid4()):
        with pytest.raises(NotFound):
            office.ask("set_skills", SetSkills(actor=office.head, **request | {"inspector": nobody}))
    request_with_ground = SetSkills(actor=office.head, **request | {"grounds": ["nothing", "delay"]})
    skills = {item["inspector"]: item["grounds"] for item in office.ask("set_skills", request_with_ground)["items"]}
    assert skills[office.inspector.id] == ["delay"]
    office.broker_client.publish_event(staff(office.other_inspector, version=2, active=False))
    eventually(lambda: office.other_inspector.id not in loads(office))


def test_earlier_cases_suggest_unit_and_ground_and_possible_duplicates(office: Office) -> None:
    for _ in range(3):
        office.investigated(text="پروانه ساختمان ما در شهرداری معطل استعلام مانده است.")
    office.open(text="پروانه ساختمان ما در شهرداری معطل استعلام است.", unit="dep.civ", ground="conduct")
    new = office.open(text="پروانه ساختمان من معطل استعلام مانده و خطر دارد.", unit=None, ground="delay")
    request = SuggestScreening(actor=office.screener, case_id=new.case_id)
    suggestions = office.ask("suggest_screening", request)
    assert suggestions["unit"]["value"] == UNIT
    assert suggestions["unit"]["of"] == 3
    assert {"پروانه", "ساختمان", "استعلام"} <= set(suggestions["unit"]["words"])
    assert suggestions["ground"]["value"] == "delay"
    assert suggestions["urgent"]["words"] == ["خطر"]
    assert [similar_case["same"] for similar_case in suggestions["similar"]] == [["ground"]] * 3
    assert all(0.2 <= similar_case["similarity"] <= 1 for similar_case in suggestions["similar"])
    # Who belongs to the unit complained about learns nothing of it by way of suggestions.
    inside = office.ask("suggest_screening", SuggestScreening(actor=actor(Role.SCREENER, UNIT), case_id=new.case_id))
    assert (inside["unit"], inside["ground"], inside["similar"]) == (None, None, [])
    with pytest.raises(NotAllowed):
        office.ask("suggest_screening", SuggestScreening(actor=actor(Role.OPERATOR), case_id=new.case_id))
    for who, case_id in ((office.inspector, new.case_id), (office.screener, uuid.uuid4())):  # another's, and none
        with pytest.raises(UnknownCase):
            office.ask("suggest_screening", SuggestScreening(actor=who, case_id=case_id))
