"""Rules that the administrator changes: previewed, then applied to open cases or to new ones alone."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from contracts.base import now
from contracts.errors import FourEyesNeeded, InvalidField, NotAllowed
from contracts.gateway import Actor
from contracts.intake import (
    DeadlineRule,
    EarlierDecisionRules,
    EarlierRetention,
    RetentionRule,
    SetDeadlines,
    SetDecisions,
    SetRetention,
)
from contracts.rule_previews import PreviewRules, RulesPreview
from contracts.vocabulary import ActorKind, Kind, Role
from services.tracking.reference.workdays import Workdays, day_of
from tests.support.processes import BrokerClient, ServiceProcess, eventually
from tests.support.tracking import Office, decision

WEEK = Workdays(frozenset({3, 4}))
FIVE = [DeadlineRule(kind=Kind.COMPLAINT, days=5)]


@pytest.fixture
def office(replicas: list[ServiceProcess], tracking_environment: dict[str, str], broker_client: BrokerClient) -> Office:
    return Office(broker_client, tracking_environment["DATABASE_URL"]).gather()


def administrator(*roles: Role) -> Actor:
    return Actor(kind=ActorKind.STAFF, id=str(uuid.uuid4()), roles=frozenset({Role.ADMINISTRATOR, *roles}))


def preview(office: Office, change: Any, actor: Actor | None = None, **page: Any) -> RulesPreview:
    request = PreviewRules(actor=actor or administrator(), change=change, **page)
    return RulesPreview.model_validate(office.broker_client.call("tracking", "preview_rules", request))


def test_deadlines_are_previewed_and_then_move_open_cases(office: Office) -> None:
    filed, paused = [office.open() for _ in range(3)], office.investigated()
    change = SetDeadlines(deadlines=FIVE, applies_to="open")
    shown = preview(office, change)
    complaints = office.value(
        "SELECT count(*) FROM cases WHERE kind = 'complaint' AND stage NOT IN ('closed', 'merged')"
    )
    assert shown.open_cases >= shown.moved >= 4
    assert shown.moved <= complaints
    assert [(moved.step, moved.working_days) for moved in shown.by] == [("decision", -10)]
    assert (shown.items, shown.next) == ([], None)  # who sees no cases sees none here
    assert preview(office, SetDeadlines(deadlines=FIVE)).moved == 0

    first = preview(office, change, administrator(Role.HEAD), limit=1)
    rest = preview(office, change, administrator(Role.HEAD), after=first.next, limit=100)
    listed = {item.case_id: item for item in (*first.items, *rest.items)}
    assert len(first.items) == 1
    assert {case.case_id for case in filed} <= set(listed)
    five = WEEK.after(day_of(filed[0].filed_at), 5)
    assert listed[filed[0].case_id].due_on_after == five

    office.set_catalogue(12, deadlines=FIVE)  # for new cases
    new = office.open()
    assert office.view(new.code_hash)["expected_on"] == five.isoformat()
    assert office.view(filed[0].code_hash)["expected_on"] == WEEK.after(day_of(filed[0].filed_at), 15).isoformat()
    office.set_catalogue(13, deadlines=FIVE, open_case_rules=1)
    for case in (*filed, paused):
        eventually(lambda case=case: office.view(case.code_hash)["expected_on"] == five.isoformat())  # type: ignore[misc]
    entries = [entry["entry"] for entry in office.get(filed[0].case_id)["timeline"]]
    assert entries.count("rescheduled") == 1
    assert office.get(new.case_id)["version"] == 1
    assert preview(office, change).moved == 0


def test_only_the_administrator_previews_and_what_cannot_be_is_refused(office: Office) -> None:
    change = SetDeadlines(deadlines=FIVE, applies_to="open")
    for actor in (office.head, office.screener, office.inspector, office.liaison):
        with pytest.raises(NotAllowed):
            preview(office, change, actor)
    for days in (0, 251, 10**9):
        with pytest.raises(InvalidField):
            preview(office, SetDeadlines(deadlines=[DeadlineRule(days=days)], applies_to="open"))
    with pytest.raises(InvalidField):
        preview(office, change, administrator(Role.HEAD), after="nothing")


def test_cases_about_the_administrators_own_unit_are_not_counted(office: Office) -> None:
    case = office.open()
    own = administrator().model_copy(update={"unit": case.unit})
    change = SetDeadlines(deadlines=[DeadlineRule(days=7)], applies_to="open")
    assert preview(office, change, own).open_cases < preview(office, change).open_cases


def test_four_eyes_for_new_cases_alone_leave_older_ones_as_they_were(office: Office) -> None:
    old = office.investigated()
    shown = preview(office, SetDecisions(four_eyes=[Kind.COMPLAINT]))
    assert shown.approvals_added >= 1
    assert preview(office, SetDecisions(four_eyes=[Kind.COMPLAINT], applies_to="new")).approvals_added == 0
    earlier = EarlierDecisionRules(before=now(), four_eyes=[], auto_close_days=10)
    office.set_catalogue(20, four_eyes=[Kind.COMPLAINT], earlier_decisions=[earlier])
    new = office.investigated()
    with pytest.raises(FourEyesNeeded):
        office.do(office.inspector, new.case_id, decision())
    office.do(office.inspector, old.case_id, decision())
    assert preview(office, SetDecisions(four_eyes=[])).approvals_dropped >= 1
    office.set_catalogue(21)


def test_a_shorter_closing_is_previewed(office: Office) -> None:
    decided = office.decided()
    past = "decided_at = decided_at - interval '12 days', objection_until = current_date - 3"
    office.run(f"UPDATE cases SET {past}, next_check_on = current_date + 5 WHERE case_id = '{decided.case_id}'")
    before = preview(office, SetDecisions(auto_close_days=200)).closed_at_once
    assert preview(office, SetDecisions(auto_close_days=1)).closed_at_once == before + 1


def test_a_retention_is_previewed_and_may_leave_older_cases_as_they_were(office: Office) -> None:
    office.set_catalogue(30, retention=[RetentionRule(kind=Kind.CRITICISM, identity_months=60, evidence_months=60)])
    filed = office.decided(kind=Kind.CRITICISM, citizen_id=uuid.uuid4())
    ended = "stage = 'closed', next_check_on = NULL, ended_at = now() - interval '14 months'"
    office.run(f"UPDATE cases SET {ended}, filed_at = now() - interval '15 months' WHERE case_id = '{filed.case_id}'")
    year = [RetentionRule(kind=Kind.CRITICISM, identity_months=12, evidence_months=60)]
    due = {
        erased.part: (erased.before, erased.cases) for erased in preview(office, SetRetention(retention=year)).erased
    }
    assert due == {"identity": (0, 1), "evidence": (0, 0), "texts": (0, 0)}
    for_new = preview(office, SetRetention(retention=year, applies_to="new")).erased
    assert [erased.cases for erased in for_new] == [0, 0, 0]
    with pytest.raises(InvalidField):
        preview(office, SetRetention(retention=[year[0].model_copy(update={"identity_months": 10**6})]))

    longer = [RetentionRule(kind=Kind.CRITICISM, identity_months=60, evidence_months=60)]
    office.set_catalogue(31, retention=year, earlier_retention=[EarlierRetention(before=now(), retention=longer)])
    erased = "SELECT identity_erased_at FROM cases WHERE case_id = %s"
    newer = office.decided(kind=Kind.CRITICISM, citizen_id=uuid.uuid4())
    assert office.value(erased, filed.case_id) is None
    office.set_catalogue(32, retention=year)
    eventually(lambda: office.value(erased, filed.case_id) is not None, timeout=90)
    assert office.value(erased, newer.case_id) is None
