"""The calendar at work, with the service as processes: each warning and escalation once, whoever is killed; a calendar that
changes; what closes by itself."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.base import now
from contracts.intake import CatalogueChanged, DeadlineRule
from contracts.tracking import AskUnit, Refuse, StartScreening
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.tracking.reference.workdays import Workdays, day_of
from tests.support.processes import BusClient, ServiceProcess, eventually, prepared
from tests.support.tracking import UNIT, Office, catalogue, decision, submission, three_of_tracking

LONG_AGO = timedelta(days=120)


@pytest.fixture(scope="module")
def environment(broker: RabbitMQ, postgres: PostgreSQL) -> dict[str, str]:
    return prepared("tracking", broker.url, postgres.url, "tracking_deadlines", MAYOR_UNIT="insp")


@pytest.fixture(scope="module")
def replicas(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServiceProcess]]:
    with three_of_tracking(environment, tmp_path_factory.mktemp("tracking")) as processes:
        yield processes


@pytest.fixture
def office(replicas: list[ServiceProcess], environment: dict[str, str], wire: BusClient) -> Office:
    wire.listen("tracking.events")
    return Office(wire, environment["DATABASE_URL"]).gather()


def heard(office: Office, name: str, case_id: UUID) -> list[dict[str, Any]]:
    return [event for event in office.wire.heard(name) if event["case_id"] == str(case_id)]


def publish(office: Office, version: int, **changes: Any) -> None:
    """The catalogue as the administrator has just set it."""
    whole = catalogue(version).catalogue.model_copy(update=changes)
    whole = type(whole).model_validate(whole.model_dump())
    office.wire.event(CatalogueChanged(id=uuid.uuid4(), occurred_at=now(), catalogue=whole))
    eventually(lambda: office.one("SELECT version FROM catalogue") == version)


def test_each_warning_and_escalation_is_said_once_by_three_replicas_of_which_any_is_killed(
    office: Office, replicas: list[ServiceProcess]
) -> None:
    filed = [submission(filed_at=now() - LONG_AGO) for _ in range(240)]
    for one in filed:
        office.wire.event(one)
    chance = random.Random(7)
    for _ in range(4):
        victim = chance.choice(replicas)
        victim.kill()
        victim.start(ready=False)
    ids = [one.case_id for one in filed]

    def all_said() -> bool:
        rows = office.rows("SELECT count(*) FROM cases WHERE case_id = ANY(%s) AND next_check_on IS NULL", ids)
        return bool(rows[0][0] == len(ids))

    eventually(all_said, timeout=90)
    kinds = ("case.deadline_warned.v1", "case.escalated.v1")

    def told() -> Counter[tuple[str, str, str]]:
        # An event may be published twice, with its one id, when its relay is killed: consumers know it by that.
        events = {event["id"]: event for name in kinds for event in office.wire.heard(name)}
        return Counter((e["case_id"], e["step"], e.get("level", "warning")) for e in events.values())

    ladder = [("first_reading", "warning"), ("first_reading", "head")]
    ladder += [("decision", level) for level in ("warning", "head", "mayor")]
    expected = {(str(case_id), *rung) for case_id in ids for rung in ladder}
    eventually(lambda: expected <= set(told()), timeout=60)
    said = told()
    assert {said[one] for one in expected} == {1}
    lines = office.rows(
        "SELECT case_id, details->>'step', details->>'level', count(*) FROM timeline "
        "WHERE case_id = ANY(%s) AND entry IN ('deadline_warned', 'escalated') GROUP BY 1, 2, 3",
        ids,
    )
    assert {count for *_, count in lines} == {1}
    assert len(lines) == len(expected)
    sent_up = [event for event in office.wire.heard("case.escalated.v1") if event["level"] == "mayor"]
    assert {event["to_unit"] for event in sent_up if event["case_id"] in {str(one) for one in ids}} == {"insp"}
    for process in replicas:
        eventually(process.ready, timeout=40)


def test_who_answers_for_the_mayors_office_hears_nothing_of_a_case_against_it(office: Office) -> None:
    filed = office.open(unit="insp", filed_at=now() - LONG_AGO)
    rungs = eventually(lambda: len(found := heard(office, "case.escalated.v1", filed.case_id)) == 3 and found)
    assert {event["to_unit"] for event in rungs} == {None}


def test_a_units_late_answer_is_told_and_the_citizen_still_sees_the_day(office: Office) -> None:
    filed = office.investigated()
    office.do(office.inspector, filed.case_id, AskUnit(text="چرا؟"))
    assert office.view(filed.code_hash)["expected_on"] is not None
    office.run(
        'UPDATE cases SET pending_question = pending_question || \'{"on": "2026-01-03", "due_on": "2026-01-10"}\', '
        "next_check_on = '2026-01-10' "
        f"WHERE case_id = '{filed.case_id}'"
    )
    [warned] = eventually(lambda: heard(office, "case.deadline_warned.v1", filed.case_id))
    assert (warned["step"], warned["unit_asked"]) == ("unit", UNIT)
    [late] = eventually(lambda: heard(office, "case.escalated.v1", filed.case_id))
    assert (late["step"], late["level"], late["unit_asked"]) == ("unit", "head", UNIT)
    entries = [entry["entry"] for entry in office.view(filed.code_hash)["timeline"]]
    assert "escalated" not in entries  # the office's own


def test_what_was_decided_or_refused_long_ago_is_closed_once(office: Office) -> None:
    decided = office.decided()
    refused = office.open()
    office.do(office.screener, refused.case_id, StartScreening())
    office.do(office.screener, refused.case_id, Refuse(reason="no_reasons", explanation="دلیلی نیست."))
    past = "decided_at = decided_at - interval '90 days', objection_until = objection_until - 90, refused_on = refused_on - 90"
    for one in (decided, refused):
        assert office.get(one.case_id)["stage"] != "closed"
        office.run(f"UPDATE cases SET {past}, next_check_on = current_date - 1 WHERE case_id = '{one.case_id}'")
        eventually(lambda one=one: office.view(one.code_hash)["stage"] == "closed")  # type: ignore[misc]
        entries = [entry["entry"] for entry in office.get(one.case_id)["timeline"]]
        assert entries.count("closed") == 1
        assert "object" not in office.view(one.code_hash)["can"]


def test_a_holiday_that_is_set_moves_the_days_of_open_cases_and_says_so(office: Office) -> None:
    filed = office.open()
    asked = office.investigated()
    office.do(office.inspector, asked.case_id, AskUnit(text="چرا؟"))
    before = date.fromisoformat(office.view(filed.code_hash)["expected_on"])
    week = Workdays(frozenset({3, 4}))
    holiday = week.after(day_of(now()), 1)
    publish(office, 2, holidays=[holiday])
    after = week.after(before, 1)
    eventually(lambda: office.view(filed.code_hash)["expected_on"] == after.isoformat())
    [told] = eventually(lambda: heard(office, "case.rescheduled.v1", filed.case_id))
    assert told["state"]["expected_on"] == after.isoformat()
    due = week.after(day_of(now()), 6).isoformat()
    eventually(lambda: office.get(asked.case_id)["questions"][0]["due_on"] == due)
    # Without a change of any working day nothing is reckoned anew.
    version = office.get(filed.case_id)["version"]
    publish(office, 3, holidays=[holiday])
    assert office.one("SELECT calendar FROM catalogue") == 2
    assert office.get(filed.case_id)["version"] == version
    # Another weekend, and rules of the administrator's own.
    publish(office, 4, holidays=[], weekend=[4], deadlines=[DeadlineRule(kind="complaint", ground="conduct", days=3)])
    six_days = Workdays(frozenset({4}))
    eventually(
        lambda: office.view(filed.code_hash)["expected_on"] == six_days.after(day_of(filed.filed_at), 15).isoformat()
    )
    ruled = office.open(ground="conduct")
    assert office.view(ruled.code_hash)["expected_on"] == six_days.after(day_of(ruled.filed_at), 3).isoformat()
    publish(office, 5)


def test_a_decision_after_the_warning_silences_what_was_to_come(office: Office) -> None:
    filed = office.investigated(filed_at=now() - LONG_AGO)
    eventually(lambda: len(heard(office, "case.escalated.v1", filed.case_id)) >= 2)
    office.do(office.inspector, filed.case_id, decision())
    row = office.rows("SELECT next_check_on, objection_until FROM cases WHERE case_id = %s", filed.case_id)[0]
    assert row[0] == row[1] + timedelta(days=1)
