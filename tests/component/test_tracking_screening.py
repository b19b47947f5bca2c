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
from tests.support.processes import BusClient, ServiceProcess, bus, eventually, prepared
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
def office(service: ServiceProcess, wire: BusClient) -> Office:
    return Office(wire, service.environment["DATABASE_URL"]).gather()


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


def test_a_case_goes_to_whoever_is_skilled_and_has_the_fewest(office: Office) -> None:
    set_skills(office, office.inspector, "delay")
    set_skills(office, office.other_inspector, "delay", "conduct")
    cases = screened(office, 4)
    handlers = [office.do(office.screener, one, Assign())["handler"] for one in cases]
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


def test_two_who_choose_at_once_do_not_both_find_the_same_one_free(office: Office, broker: RabbitMQ) -> None:
    cases = screened(office, 8)

    def assign(own: list[UUID]) -> None:
        with bus(broker.url) as client:
            for case_id in own:
                request = ExecuteCommand(
                    actor=office.screener,
                    case_id=case_id,
                    expected_version=2,
                    idempotency_key=uuid.uuid4().hex,
                    command=Assign(),
                )
                client.ask("tracking", "execute", request)

    threads = [threading.Thread(target=assign, args=(cases[part::2],)) for part in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(loads(office).values()) == [0, 4, 4]


def test_many_are_assigned_at_once_and_one_that_cannot_be_stops_no_other(office: Office) -> None:
    cases = screened(office, 3)
    unread, unknown = office.open().case_id, uuid.uuid4()
    stale = screened(office, 1)[0]
    office.do(office.screener, stale, Correct(urgent=True))
    chosen, key = [*cases, unread, unknown, stale], "many-at-once"
    told = assign_many(office, chosen, inspector=UUID(office.inspector.id), key=key)
    assert [told[str(one)]["handler"] for one in cases] == [office.inspector.id] * 3
    errors = {"unknown_case": unknown, "stale_version": stale}
    assert {code: told[str(one)]["error"] for code, one in errors.items()} == {code: code for code in errors}
    assert told[str(unread)]["error"] == "stale_version"
    assert assign_many(office, [unread], version=1)[str(unread)]["error"] == "wrong_stage"
    again = assign_many(office, cases, inspector=UUID(office.inspector.id), key=key)
    assert {again[str(one)]["version"] for one in cases} == {3}  # once
    with pytest.raises(KeyReused):
        raise_for(assign_many(office, cases, inspector=UUID(office.other_inspector.id), key=key))
    assert office.get(stale)["handler"] is None


def raise_for(told: dict[str, dict[str, Any]]) -> None:
    assert {one["error"] for one in told.values()} == {"idempotency_key_reused"}
    raise KeyReused


def test_a_leavers_open_cases_go_to_others_in_one_step(office: Office) -> None:
    gone = office.decided().case_id
    cases = [office.investigated().case_id for _ in range(3)]
    asked = cases[0]
    office.do(office.inspector, asked, AskUnit(text="چرا؟"))
    for who in (office.inspector, actor(Role.LIAISON, UNIT)):
        with pytest.raises(NotAllowed):
            office.ask("hand_over", HandOver(actor=who, leaver=UUID(office.inspector.id), idempotency_key="x" * 8))
    handed = HandOver(actor=office.head, leaver=UUID(office.inspector.id), idempotency_key="handed-over")
    items = office.ask("hand_over", handed)["items"]
    assert {item["case_id"] for item in items} == {str(one) for one in cases}
    assert {item["handler"] for item in items} == {office.other_inspector.id}
    assert office.get(asked)["stage"] == "awaiting_unit"
    assert office.get(gone)["handler"] == office.inspector.id
    assert office.ask("hand_over", handed)["items"] == []
    back = HandOver(
        actor=actor(Role.HEAD, UNIT), leaver=UUID(office.other_inspector.id), idempotency_key=uuid.uuid4().hex
    )
    assert office.ask("hand_over", back)["items"] == []  # conflict of interest


def test_skills_are_the_heads_to_say(office: Office) -> None:
    request = {"inspector": UUID(office.inspector.id), "grounds": ["delay"]}
    for who in (office.screener, office.inspector):
        with pytest.raises(NotAllowed):
            office.ask("set_skills", SetSkills(actor=who, **request))
    for nobody in (UUID(office.screener.id), uuid.uuid4()):
        with pytest.raises(NotFound):
            office.ask("set_skills", SetSkills(actor=office.head, **request | {"inspector": nobody}))
    known = SetSkills(actor=office.head, **request | {"grounds": ["nothing", "delay"]})
    told = {one["inspector"]: one["grounds"] for one in office.ask("set_skills", known)["items"]}
    assert told[office.inspector.id] == ["delay"]
    office.wire.event(staff(office.other_inspector, version=2, active=False))
    eventually(lambda: office.other_inspector.id not in loads(office))


def test_earlier_cases_suggest_what_a_new_one_is_and_open_ones_that_it_repeats(office: Office) -> None:
    for _ in range(3):
        office.investigated(text="پروانه ساختمان ما در شهرداری معطل استعلام مانده است.")
    office.open(text="پروانه ساختمان ما در شهرداری معطل استعلام است.", unit="dep.civ", ground="conduct")
    new = office.open(text="پروانه ساختمان من معطل استعلام مانده و خطر دارد.", unit=None, ground="delay")
    asked = SuggestScreening(actor=office.screener, case_id=new.case_id)
    told = office.ask("suggest_screening", asked)
    assert told["unit"]["value"] == UNIT
    assert told["unit"]["of"] == 3
    assert {"پروانه", "ساختمان", "استعلام"} <= set(told["unit"]["words"])
    assert told["ground"]["value"] == "delay"
    assert told["urgent"]["words"] == ["خطر"]
    assert [one["same"] for one in told["similar"]] == [["ground"]] * 3
    assert all(0.2 <= one["similarity"] <= 1 for one in told["similar"])
    # Who belongs to the unit complained about learns nothing of it by way of suggestions.
    inside = office.ask("suggest_screening", SuggestScreening(actor=actor(Role.SCREENER, UNIT), case_id=new.case_id))
    assert (inside["unit"], inside["ground"], inside["similar"]) == (None, None, [])
    with pytest.raises(NotAllowed):
        office.ask("suggest_screening", SuggestScreening(actor=office.inspector, case_id=new.case_id))
    with pytest.raises(UnknownCase):
        office.ask("suggest_screening", SuggestScreening(actor=office.screener, case_id=uuid.uuid4()))
