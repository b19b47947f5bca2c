"""What changed rules would do to open cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from contracts.rule_previews import MovedDays
from contracts.vocabulary import Kind
from services.tracking.reference.workdays import Deadlines, Rule, Workdays
from services.tracking.retention.rules import rules_by_filing
from services.tracking.rule_previews.rules import Alike, new_days, totals

WEEK = Workdays(frozenset({3, 4}))
TODAY = date(2026, 11, 25)
FIVE = replace(Deadlines(), rules=(Rule("decision", 5, kind="complaint"),))


def alike(cases: int = 1, **changes: Any) -> Alike:
    values: dict[str, Any] = {
        "kind": Kind.COMPLAINT,
        "ground": "delay",
        "urgent": False,
        "due_from": date(2026, 11, 21),
        "due_days": 15,
        "due_on": date(2026, 12, 12),
        "pauses": (),
        "filed_on": None,
        "first_due_on": None,
    }
    return Alike(**{**values, **changes}, cases=cases)


def test_moved_cases_are_counted_by_how_far_and_those_that_would_be_late_at_once() -> None:
    old = alike(3, due_from=date(2026, 11, 14), due_on=date(2026, 12, 5))
    groups = [alike(2), old, alike(4, kind=Kind.CRITICISM)]
    counted = totals(groups, FIVE, WEEK, TODAY)
    assert (counted.moved, counted.late_at_once) == (5, 3)
    assert counted.by == [MovedDays(step="decision", working_days=-10, cases=5, late_at_once=3)]
    assert new_days(groups, FIVE) == {(Kind.COMPLAINT, "delay", False): 5}


def test_an_urgent_case_keeps_what_had_passed_when_it_was_marked() -> None:
    urgent = alike(urgent=True, due_days=6, due_on=date(2026, 11, 29))
    one_day = replace(Deadlines(), rules=(Rule("decision", 1, urgent=True),))
    assert totals([urgent], one_day, WEEK, TODAY).moved == 0
    assert new_days([urgent], one_day) == {}
    ten = replace(Deadlines(), rules=(Rule("decision", 10, urgent=True),))
    assert new_days([urgent], ten) == {(Kind.COMPLAINT, "delay", True): 10}


def test_a_paused_case_and_one_that_is_late_already_are_not_late_at_once() -> None:
    paused = alike(due_from=date(2026, 11, 1), due_on=None)
    late = alike(due_from=date(2026, 10, 1), due_on=date(2026, 10, 22))
    assert totals([paused, late], FIVE, WEEK, TODAY).late_at_once == 0


def test_the_day_of_the_first_reading_moves_too() -> None:
    waiting = alike(filed_on=date(2026, 11, 21), first_due_on=date(2026, 11, 23))
    days = replace(Deadlines(), rules=(Rule("first_reading", 4),))
    counted = totals([waiting], days, WEEK, TODAY)
    assert counted.by == [MovedDays(step="first_reading", working_days=2, cases=1, late_at_once=0)]


def test_cases_filed_before_a_change_of_retention_are_kept_by_the_rules_of_before() -> None:
    before = datetime(2026, 11, 1, tzinfo=UTC)
    [older, newer] = [{"kind": "complaint", "identity_months": months} for months in (12, 24)]
    rules = rules_by_filing([newer], [{"before": before.isoformat(), "retention": [older]}])
    assert [(rule.months, rule.filed_from, rule.filed_before) for rule in rules] == [
        (12, None, before),
        (24, before, None),
    ]
