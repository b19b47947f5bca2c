"""The calendar at work, with the service as processes: each warning and escalation once, whoever is killed; a calendar that
changes; what closes by itself."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.base import now
from contracts.errors import WrongStage
from contracts.intake import DeadlineRule, SubmissionRegistered
from contracts.notify import CitizenReplied, Reply
from contracts.tracking import AnswerQuestion, AskCitizen, AskUnit, Rate, Refuse, StartScreening
from services.tracking.reference.workdays import Workdays, day_of
from tests.support.processes import BrokerClient, ServiceProcess, eventually
from tests.support.tracking import UNIT, Office, decision, submission

LONG_AGO = timedelta(days=120)


@pytest.fixture(scope="module")
def tracking_settings() -> dict[str, str]:
    return {"MAYOR_UNIT": "insp"}


@pytest.fixture
def office(replicas: list[ServiceProcess], tracking_environment: dict[str, str], broker_client: BrokerClient) -> Office:
    broker_client.record_events("tracking.events")
    return Office(broker_client, tracking_environment["DATABASE_URL"]).gather()


def events_of_case(office: Office, name: str, case_id: UUID) -> list[dict[str, Any]]:
    return [event for event in office.broker_client.recorded_events(name) if event["case_id"] == str(case_id)]


def test_each_warning_and_escalation_is_published_once_by_three_replicas_under_kills(
    office: Office, replicas: list[ServiceProcess]
) -> None:
    filed = [submission(filed_at=now() - LONG_AGO) for _ in range(240)]
    for submitted in filed:
        office.broker_client.publish_event(submitted)
    chance = random.Random(7)
    for _ in range(4):
        victim = chance.choice(replicas)
        victim.kill()
        victim.start(ready=False)
    ids = [submitted.case_id for submitted in filed]

    def await_events_of() -> bool:
        rows = office.rows("SELECT count(*) FROM cases WHERE case_id = ANY(%s) AND next_check_on IS NULL", ids)
        return bool(rows[0][0] == len(ids))

    eventually(await_events_of, timeout=90)
    kinds = ("case.deadline_warned.v1", "case.escalated.v1")

    def counts() -> Counter[tuple[str, str, str]]:
        # An event may be published twice, with its one id, when its relay is killed: consumers know it by that.
        events = {event["id"]: event for name in kinds for event in office.broker_client.recorded_events(name)}
        return Counter((e["case_id"], e["step"], e.get("level", "warning")) for e in events.values())

    ladder = [("first_reading", "warning"), ("first_reading", "head")]
    ladder += [("decision", level) for level in ("warning", "head", "mayor")]
    expected = {(str(case_id), *rung) for case_id in ids for rung in ladder}
    eventually(lambda: expected <= set(counts()), timeout=60)
    final_counts = counts()
    assert {final_counts[key] for key in expected} == {1}
    lines = office.rows(
        "SELECT case_id, details->>'step', details->>'level', count(*) FROM timeline "
        "WHERE case_id = ANY(%s) AND entry IN ('deadline_warned', 'escalated') GROUP BY 1, 2, 3",
        ids,
    )
    assert {count for *_, count in lines} == {1}
    assert len(lines) == len(expected)
    sent_up = [
        event for event in office.broker_client.recorded_events("case.escalated.v1") if event["level"] == "mayor"
    ]
    assert {event["to_unit"] for event in sent_up if event["case_id"] in {str(case_id) for case_id in ids}} == {"insp"}
    for process in replicas:
        eventually(process.ready, timeout=40)


def test_the_liaison_of_the_mayors_office_is_not_notified_of_a_case_against_it(office: Office) -> None:
    filed = office.open(unit="insp", filed_at=now() - LONG_AGO)
    rungs = eventually(
        lambda: len(events := events_of_case(office, "case.escalated.v1", filed.case_id)) == 3 and events
    )
    assert {event["to_unit"] for event in rungs} == {None}


def test_a_late_unit_answer_is_escalated_and_the_citizen_still_sees_the_date(office: Office) -> None:
    filed = office.investigated()
    office.do(office.inspector, filed.case_id, AskUnit(text="چرا؟"))
    assert office.view(filed.code_hash)["expected_on"] is not None
    office.run(
        'UPDATE cases SET pending_question = pending_question || \'{"on": "2026-01-03", "due_on": "2026-01-10"}\', '
        "next_check_on = '2026-01-10' "
        f"WHERE case_id = '{filed.case_id}'"
    )
    [warned] = eventually(lambda: events_of_case(office, "case.deadline_warned.v1", filed.case_id))
    assert (warned["step"], warned["unit_asked"]) == ("unit", UNIT)
    [late] = eventually(lambda: events_of_case(office, "case.escalated.v1", filed.case_id))
    assert (late["step"], late["level"], late["unit_asked"]) == ("unit", "head", UNIT)
    entries = [entry["entry"] for entry in office.view(filed.code_hash)["timeline"]]
    assert "escalated" not in entries  # the office's own


def asked_long_ago(office: Office, weeks: int) -> SubmissionRegistered:
    """A case whose citizen was asked so long ago, and does not answer."""
    filed = office.investigated()
    office.do(office.inspector, filed.case_id, AskCitizen(text="کدام روز؟"))
    asked_on = day_of(now()) - timedelta(weeks=weeks)
    question = f'{{"on": "{asked_on}", "due_on": "{asked_on + timedelta(weeks=2)}"}}'
    office.run(
        f"UPDATE cases SET pending_question = pending_question || '{question}', next_check_on = '{asked_on}' "
        f"WHERE case_id = '{filed.case_id}'"
    )
    return filed


def test_a_citizen_who_does_not_answer_is_reminded(office: Office) -> None:
    filed = asked_long_ago(office, 2)
    [reminded] = eventually(lambda: events_of_case(office, "case.citizen_reminded.v1", filed.case_id))
    view = office.view(filed.code_hash)
    assert (view["stage"], view["timeline"][-1]["entry"]) == ("awaiting_citizen", "citizen_reminded")
    assert reminded["close_on"] > day_of(now()).isoformat()


def test_a_case_without_an_answer_is_closed_and_one_message_reopens_it(office: Office) -> None:
    filed = asked_long_ago(office, 9)
    [closed] = eventually(lambda: events_of_case(office, "case.closed_unanswered.v1", filed.case_id))
    view = office.view(filed.code_hash)
    assert (view["stage"], view["closed_reason"], view["can"]) == ("closed", "unanswered", ["answer_question"])
    assert (view["answer_until"], view["question"]["text"]) == (closed["object_until"], "کدام روز؟")
    assert office.get(filed.case_id)["closed_reason"] == "unanswered"
    eventually(lambda: office.rows("SELECT 1 FROM cases WHERE case_id = %s AND ended_at IS NOT NULL", filed.case_id))

    office.do_as_citizen(filed.code_hash, AnswerQuestion(text="شنبه"))
    view = office.view(filed.code_hash)
    assert (view["stage"], view["closed_reason"], view["question"]) == ("investigating", None, None)
    assert view["expected_on"] is not None
    [question] = office.get(filed.case_id)["questions"]
    assert question["answer"] == "شنبه"
    assert office.rows("SELECT ended_at, paused_on FROM cases WHERE case_id = %s", filed.case_id) == [(None, None)]


def test_a_case_without_an_answer_is_reopened_by_sms_until_its_day(office: Office) -> None:
    in_time, late = asked_long_ago(office, 9), asked_long_ago(office, 9)
    for filed in (in_time, late):
        eventually(lambda filed=filed: office.view(filed.code_hash)["closed_reason"])  # type: ignore[misc]
    office.run(f"UPDATE cases SET objection_until = current_date - 2 WHERE case_id = '{late.case_id}'")
    with pytest.raises(WrongStage):
        office.do_as_citizen(late.code_hash, AnswerQuestion(text="شنبه"))
    for filed in (in_time, late):
        office.broker_client.publish_event(
            CitizenReplied(id=uuid4(), occurred_at=now(), case_id=filed.case_id, reply=Reply.RESUME)
        )
    eventually(lambda: office.view(in_time.code_hash)["stage"] == "investigating")
    [refused] = eventually(lambda: events_of_case(office, "case.reply_refused.v1", late.case_id))
    assert refused["reason"] == "no_effect"
    assert office.view(late.code_hash)["stage"] == "closed"


def test_a_closed_case_is_rated_until_thirty_days_after_the_closing(office: Office) -> None:
    decided = office.decided()
    past = "decided_at = decided_at - interval '90 days', objection_until = objection_until - 90"
    office.run(f"UPDATE cases SET {past}, next_check_on = current_date - 1 WHERE case_id = '{decided.case_id}'")
    eventually(lambda: office.view(decided.code_hash)["stage"] == "closed")
    assert office.view(decided.code_hash)["can"] == ["rate"]
    assert office.do_as_citizen(decided.code_hash, Rate(score=2))["score"] == 2
    office.run(f"UPDATE cases SET rate_until = current_date - 1 WHERE case_id = '{decided.case_id}'")
    assert office.view(decided.code_hash)["can"] == []
    with pytest.raises(WrongStage):
        office.do_as_citizen(decided.code_hash, Rate(score=3))


def test_cases_decided_or_refused_long_ago_are_closed_once(office: Office) -> None:
    decided = office.decided()
    refused = office.open()
    office.do(office.screener, refused.case_id, StartScreening())
    office.do(office.screener, refused.case_id, Refuse(reason="no_reasons", explanation="دلیلی نیست."))
    past = "decided_at = decided_at - interval '90 days', objection_until = objection_until - 90, refused_on = refused_on - 90"
    for ended in (decided, refused):
        assert office.get(ended.case_id)["stage"] != "closed"
        office.run(f"UPDATE cases SET {past}, next_check_on = current_date - 1 WHERE case_id = '{ended.case_id}'")
        eventually(lambda submitted=ended: office.view(submitted.code_hash)["stage"] == "closed")  # type: ignore[misc]
        entries = [entry["entry"] for entry in office.get(ended.case_id)["timeline"]]
        assert entries.count("closed") == 1
        assert "object" not in office.view(ended.code_hash)["can"]


def test_a_new_holiday_reschedules_open_cases_and_publishes_it(office: Office) -> None:
    filed = office.open()
    unit_asked = office.investigated()
    office.do(office.inspector, unit_asked.case_id, AskUnit(text="چرا؟"))
    before = date.fromisoformat(office.view(filed.code_hash)["expected_on"])
    week = Workdays(frozenset({3, 4}))
    holiday = week.after(day_of(now()), 1)
    office.set_catalogue(2, holidays=[holiday])
    after = week.after(before, 1)
    eventually(lambda: office.view(filed.code_hash)["expected_on"] == after.isoformat())
    [rescheduled] = eventually(lambda: events_of_case(office, "case.rescheduled.v1", filed.case_id))
    assert rescheduled["state"]["expected_on"] == after.isoformat()
    due = week.after(day_of(now()), 6).isoformat()
    eventually(lambda: office.get(unit_asked.case_id)["questions"][0]["due_on"] == due)
    # Without a change of any working day nothing is reckoned anew.
    version = office.get(filed.case_id)["version"]
    office.set_catalogue(3, holidays=[holiday])
    assert office.value("SELECT calendar FROM catalogue") == 2
    assert office.get(filed.case_id)["version"] == version
    # Another weekend, and rules of the administrator's own.
    office.set_catalogue(
        4, holidays=[], weekend=[4], deadlines=[DeadlineRule(kind="complaint", ground="conduct", days=3)]
    )
    six_days = Workdays(frozenset({4}))
    eventually(
        lambda: office.view(filed.code_hash)["expected_on"] == six_days.after(day_of(filed.filed_at), 15).isoformat()
    )
    ruled = office.open(ground="conduct")
    assert office.view(ruled.code_hash)["expected_on"] == six_days.after(day_of(ruled.filed_at), 3).isoformat()
    office.set_catalogue(5)


def test_a_decision_after_the_warning_cancels_later_alarms(office: Office) -> None:
    filed = office.investigated(filed_at=now() - LONG_AGO)
    eventually(lambda: len(events_of_case(office, "case.escalated.v1", filed.case_id)) >= 2)
    office.do(office.inspector, filed.case_id, decision())
    row = office.rows("SELECT next_check_on, objection_until FROM cases WHERE case_id = %s", filed.case_id)[0]
    assert row[0] == row[1] + timedelta(days=1)
