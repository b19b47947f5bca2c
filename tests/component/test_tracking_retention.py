"""The purge on three replicas: each part of each case goes once, whichever is killed; the timeline's chain holds."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest

from backbone.storage.database import Database
from contracts.base import now
from contracts.intake import Catalogue, CatalogueChanged, RetentionRule
from contracts.tracking import Decide, Recommendation, ReportRecommendation, Withdraw
from contracts.vocabulary import Kind, Outcome, Stage
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.tracking.case.verify_history import broken
from tests.support.processes import BusClient, ServiceProcess, eventually, prepared
from tests.support.tracking import Office, catalogue, submission, three_of_tracking

pytestmark = pytest.mark.timeout(240)

RULES = [
    RetentionRule(kind=Kind.COMPLAINT, identity_months=12, evidence_months=24),
    RetentionRule(kind=Kind.COMPLAINT, outcome=Outcome.UPHELD, identity_months=1, evidence_months=1, text_months=1),
]
ENTRIES = "SELECT details FROM timeline WHERE case_id = %s AND entry = 'erased' ORDER BY sequence"


@pytest.fixture(scope="module")
def environment(broker: RabbitMQ, postgres: PostgreSQL) -> dict[str, str]:
    return prepared("tracking", broker.url, postgres.url, "tracking_retention")


@pytest.fixture(scope="module")
def replicas(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServiceProcess]]:
    with three_of_tracking(environment, tmp_path_factory.mktemp("tracking")) as processes:
        yield processes


@pytest.fixture
def office(replicas: list[ServiceProcess], environment: dict[str, str], wire: BusClient) -> Office:
    wire.listen("tracking.events")
    office = Office(wire, environment["DATABASE_URL"]).gather()
    whole = Catalogue(**{**catalogue(2).catalogue.model_dump(), "version": 2, "retention": RULES})
    wire.event(CatalogueChanged(id=uuid.uuid4(), occurred_at=now(), catalogue=whole))
    eventually(lambda: office.one("SELECT version FROM catalogue") == 2)
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
    return [one for one in office.wire.heard("case.retention_due.v1") if one["case_id"] == str(case_id)]


def holds(environment: dict[str, str]) -> bool:
    with Database(environment["DATABASE_URL"], pool_size=1).read() as connection:
        assert [problem for _, problem in broken(connection) if problem] == []
    return True


def test_each_part_goes_once_and_is_said_once_while_replicas_are_killed(
    office: Office, replicas: list[ServiceProcess], environment: dict[str, str]
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
    assert holds(environment)


def test_what_goes_is_what_the_rule_says_and_figures_stay(office: Office, environment: dict[str, str]) -> None:
    case_id = ended(office, 2, text="در این پرونده ققنوس را گم کردند.", people=["ققنوس"])
    all_gone(office, case_id)
    [row] = office.rows("SELECT c::text, t.lines FROM cases c, LATERAL (SELECT string_agg(details::text, '') AS lines"
                        " FROM timeline WHERE case_id = c.case_id) t WHERE case_id = %s", case_id)  # fmt: skip
    assert "ققنوس" not in str(row)
    assert "پروانه در مهلت" not in str(row)
    code_hash = office.one("SELECT code_hash FROM cases WHERE case_id = %s", case_id)
    assert office.view(code_hash)["filed"] is None
    kept = "SELECT citizen_id, text, outcome, root_causes, kind, stage, reasons FROM cases WHERE case_id = %s"
    assert office.rows(kept, case_id) == [(None, "", "upheld", ["process"], "complaint", "closed", "")]
    assert office.one("SELECT count(*) FROM timeline WHERE case_id = %s AND actor_kind = 'citizen'"
                      " AND actor_id IS NOT NULL", case_id) == 0  # fmt: skip
    assert office.get(case_id)["attachments"][0]["state"] == "removed"
    assert holds(environment)


def test_what_is_written_when_the_texts_have_gone_goes_too(office: Office, environment: dict[str, str]) -> None:
    filed = office.investigated()
    advised = Recommendation(text="باجه دوم", due_on=date(2030, 1, 1))
    decided = Decide(outcome="upheld", reasons="راز", root_causes=["process"], recommendations=[advised])
    [advice] = office.do(office.inspector, filed.case_id, decided)["followed"]
    office.run(
        "UPDATE cases SET stage = 'closed', next_check_on = NULL, ended_at = now() - interval '2 months'"
        f" WHERE case_id = '{filed.case_id}'"
    )
    eventually(lambda: "texts" in gone(office, filed.case_id), timeout=60)
    report = ReportRecommendation(
        actor=office.liaison,
        recommendation_id=UUID(advice["recommendation_id"]),
        done=False,
        reason="ققنوس بودجه ندارد",
        idempotency_key=uuid.uuid4().hex,
    )
    office.ask("report_recommendation", report)
    eventually(lambda: gone(office, filed.case_id).count("texts") == 2, timeout=60)
    told = "SELECT string_agg(details::text, '') FROM timeline WHERE case_id = %s"
    assert "ققنوس" not in str(office.rows(told, filed.case_id))
    assert office.rows("SELECT state, reason FROM recommendations WHERE case_id = %s", filed.case_id) == [
        ("reported_declined", None)
    ]
    assert holds(environment)


def test_before_its_time_nothing_goes_and_an_open_case_keeps_all(office: Office) -> None:
    young, still_open, other = ended(office, 0), office.decided(citizen_id=uuid.uuid4()).case_id, ended(office, 2)
    undecided = ended(office, 3, "stage = 'closed', outcome = NULL")
    all_gone(office, other)
    for case_id in (young, still_open, undecided):  # what was never decided goes by the general rule of its kind
        assert gone(office, case_id) == []


def test_when_a_case_ended_is_noted_by_its_timeline(office: Office) -> None:
    filed = office.open(kind=Kind.INFORMATION, ground="waste", anonymous=True)
    office.do_as_citizen(filed.code_hash, Withdraw())
    said = "SELECT c.ended_at = t.at FROM cases c JOIN timeline t USING (case_id) WHERE case_id = %s AND entry = 'withdrawn'"
    eventually(lambda: office.rows(said, filed.case_id) == [(True,)], timeout=40)


def test_a_merged_case_waits_for_the_end_of_the_one_it_joined(office: Office) -> None:
    target = office.investigated()
    case_id = ended(office, 3, f"stage = 'merged', merged_into = '{target.case_id}'")
    other = ended(office, 2)
    all_gone(office, other)
    assert gone(office, case_id) == []
    office.run(f"UPDATE cases SET stage = 'closed', ended_at = now() WHERE case_id = '{target.case_id}'")
    all_gone(office, case_id)


def test_a_registration_that_comes_again_brings_nothing_back(office: Office) -> None:
    case_id = ended(office, 2)
    all_gone(office, case_id)
    version = office.one("SELECT version FROM cases WHERE case_id = %s", case_id)
    code = office.one("SELECT code_hash FROM cases WHERE case_id = %s", case_id)
    again = submission(case_id=case_id, code_hash=code, citizen_id=uuid.uuid4(), text="همان متن دوباره آمد.")
    office.wire.event(again)
    office.open()  # taken after it
    eventually(lambda: office.one("SELECT count(*) FROM inbox WHERE event_id = %s", again.id) == 1)
    kept = "SELECT citizen_id, text, version, stage FROM cases WHERE case_id = %s"
    assert office.rows(kept, case_id) == [(None, "", version, Stage.CLOSED)]


def test_the_timeline_is_written_anew_by_nobody(office: Office) -> None:
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
