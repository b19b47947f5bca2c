"""The purge on three replicas: each part of each case goes once, whichever is killed; the timeline's chain holds."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest

from backbone.storage.database import Database
from contracts.intake import RetentionRule
from contracts.tracking import Decide, Recommendation, ReportRecommendation, Withdraw
from contracts.vocabulary import Kind, Outcome, Stage
from deploy.local.parts import RabbitMQ
from services.tracking.case.verify_history import broken
from tests.support.processes import BrokerClient, ServiceProcess, eventually
from tests.support.tracking import Office, submission

pytestmark = pytest.mark.timeout(240)

RULES = [
    RetentionRule(kind=Kind.COMPLAINT, identity_months=12, evidence_months=24),
    RetentionRule(kind=Kind.COMPLAINT, outcome=Outcome.UPHELD, identity_months=1, evidence_months=1, text_months=1),
]
ENTRIES = "SELECT details FROM timeline WHERE case_id = %s AND entry = 'erased' ORDER BY sequence"


@pytest.fixture
def office(replicas: list[ServiceProcess], tracking_environment: dict[str, str], broker_client: BrokerClient) -> Office:
    broker_client.record_events("tracking.events")
    office = Office(broker_client, tracking_environment["DATABASE_URL"]).gather()
    office.set_catalogue(2, retention=RULES)
    return office


def ended(office: Office, months: int, how: str = "stage = 'closed'", **changes: Any) -> UUID:
    """A case that was upheld and ended so many months ago; nothing of it has gone yet."""
    filed = office.decided(uploads=["m" * 22], citizen_id=uuid.uuid4(), **changes)
    office.run(
        f"UPDATE cases SET {how}, next_check_on = NULL, ended_at = now() - interval '{months} months 1 day'"
        f" WHERE case_id = '{filed.case_id}'"
    )
    return filed.case_id


def gone(office: Office, case_id: UUID) -> list[str]:
    return [details["what"] for (details,) in office.rows(ENTRIES, case_id)]


def all_gone(office: Office, case_id: UUID) -> None:
    """Waits until the three parts have gone."""
    eventually(lambda: len(gone(office, case_id)) >= 3, timeout=60)


def due(office: Office, case_id: UUID) -> list[dict[str, Any]]:
    return [
        event
        for event in office.broker_client.recorded_events("case.retention_due.v1")
        if event["case_id"] == str(case_id)
    ]


def holds(tracking_environment: dict[str, str]) -> bool:
    with Database(tracking_environment["DATABASE_URL"], pool_size=1).read() as connection:
        assert [problem for _, problem in broken(connection) if problem] == []
    return True


def test_each_part_is_erased_and_published_once_while_replicas_are_killed(
    office: Office, replicas: list[ServiceProcess], tracking_environment: dict[str, str]
) -> None:
    cases = [ended(office, 2) for _ in range(8)]
    for process in replicas:
        process.kill()
        process.start()
        due(office, cases[0])  # the test's own connection stays in use
    for case_id in cases:
        all_gone(office, case_id)
        assert sorted(gone(office, case_id)) == ["evidence", "identity", "texts"]
    eventually(lambda: all(len(due(office, case_id)) >= 3 for case_id in cases), timeout=30)
    for case_id in cases:
        events = {event["id"]: event for event in due(office, case_id)}
        assert sorted(event["part"] for event in events.values()) == ["evidence", "identity", "texts"]
        [of_evidence] = [event for event in events.values() if event["part"] == "evidence"]
        assert (of_evidence["media"], of_evidence["months"], of_evidence["rule_outcome"]) == (["m" * 22], 1, "upheld")
    assert holds(tracking_environment)


def test_erasure_follows_the_rule_and_keeps_figures(office: Office, tracking_environment: dict[str, str]) -> None:
    case_id = ended(office, 2, text="در این پرونده ققنوس را گم کردند.", people=["ققنوس"])
    all_gone(office, case_id)
    [row] = office.rows("SELECT c::text, t.lines FROM cases c, LATERAL (SELECT string_agg(details::text, '') AS lines"
                        " FROM timeline WHERE case_id = c.case_id) t WHERE case_id = %s", case_id)  # fmt: skip
    assert "ققنوس" not in str(row)
    assert "پروانه در مهلت" not in str(row)
    code_hash = office.value("SELECT code_hash FROM cases WHERE case_id = %s", case_id)
    assert office.view(code_hash)["filed"] is None
    kept = "SELECT citizen_id, text, outcome, root_causes, kind, stage, reasons FROM cases WHERE case_id = %s"
    assert office.rows(kept, case_id) == [(None, "", "upheld", ["process"], "complaint", "closed", "")]
    assert office.value("SELECT count(*) FROM timeline WHERE case_id = %s AND actor_kind = 'citizen'"
                      " AND actor_id IS NOT NULL", case_id) == 0  # fmt: skip
    assert office.get(case_id)["attachments"][0]["state"] == "removed"
    assert holds(tracking_environment)


def test_text_written_after_the_erasure_is_erased_too(office: Office, tracking_environment: dict[str, str]) -> None:
    filed = office.investigated()
    advised = Recommendation(text="باجه دوم", due_on=date(2030, 1, 1))
    decided = Decide(outcome="upheld", reasons="راز", root_causes=["process"], recommendations=[advised])
    [recommendation] = office.do(office.inspector, filed.case_id, decided)["followed"]
    office.run(
        "UPDATE cases SET stage = 'closed', next_check_on = NULL, ended_at = now() - interval '2 months'"
        f" WHERE case_id = '{filed.case_id}'"
    )
    eventually(lambda: "texts" in gone(office, filed.case_id), timeout=60)
    report = ReportRecommendation(
        actor=office.liaison,
        recommendation_id=UUID(recommendation["recommendation_id"]),
        done=False,
        reason="ققنوس بودجه ندارد",
        idempotency_key=uuid.uuid4().hex,
    )
    office.ask("report_recommendation", report)
    eventually(lambda: gone(office, filed.case_id).count("texts") == 2, timeout=60)
    query = "SELECT string_agg(details::text, '') FROM timeline WHERE case_id = %s"
    assert "ققنوس" not in str(office.rows(query, filed.case_id))
    assert office.rows("SELECT state, reason FROM recommendations WHERE case_id = %s", filed.case_id) == [
        ("reported_declined", None)
    ]
    assert holds(tracking_environment)


def test_nothing_is_erased_early_and_an_open_case_keeps_everything(office: Office) -> None:
    young, still_open, other = ended(office, 0), office.decided(citizen_id=uuid.uuid4()).case_id, ended(office, 2)
    undecided = ended(office, 3, "stage = 'closed', outcome = NULL")
    all_gone(office, other)
    for case_id in (young, still_open, undecided):  # what was never decided goes by the general rule of its kind
        assert gone(office, case_id) == []


def test_the_end_of_a_case_is_dated_by_its_timeline(office: Office) -> None:
    filed = office.open(kind=Kind.INFORMATION, ground="waste", anonymous=True)
    office.do_as_citizen(filed.code_hash, Withdraw())
    query = "SELECT c.ended_at = t.at FROM cases c JOIN timeline t USING (case_id) WHERE case_id = %s AND entry = 'withdrawn'"
    eventually(lambda: office.rows(query, filed.case_id) == [(True,)], timeout=40)


def test_a_merged_case_waits_for_the_end_of_the_one_it_joined(office: Office) -> None:
    target = office.investigated()
    case_id = ended(office, 3, f"stage = 'merged', merged_into = '{target.case_id}'")
    other = ended(office, 2)
    all_gone(office, other)
    assert gone(office, case_id) == []
    office.run(f"UPDATE cases SET stage = 'closed', ended_at = now() WHERE case_id = '{target.case_id}'")
    all_gone(office, case_id)


def test_a_repeated_registration_restores_nothing(office: Office, broker: RabbitMQ) -> None:
    case_id = ended(office, 2)
    all_gone(office, case_id)
    version = office.value("SELECT version FROM cases WHERE case_id = %s", case_id)
    code = office.value("SELECT code_hash FROM cases WHERE case_id = %s", case_id)
    again = submission(case_id=case_id, code_hash=code, citizen_id=uuid.uuid4(), text="همان متن دوباره آمد.")
    office.broker_client.publish_event(again)
    office.open()
    # With those in hand, which a passive declaration does not count.
    eventually(lambda: "tracking.registrations\t0" in broker.control("list_queues", "name", "messages").splitlines())
    kept = "SELECT citizen_id, text, version, stage FROM cases WHERE case_id = %s"
    assert office.rows(kept, case_id) == [(None, "", version, Stage.CLOSED)]


def test_nobody_can_rewrite_the_timeline(office: Office) -> None:
    case_id = office.investigated().case_id
    this = f"WHERE case_id = '{case_id}' AND sequence = 1"
    erasing = "SELECT set_config('peygir.erasing', 'on', false);"
    for statement in (
        f"UPDATE timeline SET details = '{{}}' {this}",
        f"DELETE FROM timeline {this}",
        f"{erasing} DELETE FROM timeline {this}",
        f'{erasing} UPDATE timeline SET details = \'{{"outcome": "upheld"}}\' {this}',
        f"{erasing} UPDATE timeline SET entry = 'closed' {this}",
        f"{erasing} UPDATE timeline SET actor_id = 'another' {this}",
        f"{erasing} UPDATE timeline SET at = at - interval '1 day' {this}",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            office.run(statement)
