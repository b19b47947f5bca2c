"""Changed rules for open cases or for new ones alone: what the catalogue then holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.base import now
from contracts.intake import (
    Catalogue,
    DeadlineRule,
    EarlierDecisionRules,
    EarlierRetention,
    RetentionRule,
    SetDeadlines,
    SetDecisions,
    SetRetention,
)
from contracts.vocabulary import Kind
from services.intake.catalogue.rules import apply

AT = now()
CATALOGUE = Catalogue(version=1, units=[], grounds=[], four_eyes=[Kind.COMPLAINT])
WEEK = [DeadlineRule(days=5)]
YEAR = [RetentionRule(kind=Kind.COMPLAINT, identity_months=12, evidence_months=12)]


def test_deadlines_hold_for_new_cases_unless_open_ones_are_named() -> None:
    assert apply(CATALOGUE, [SetDeadlines(deadlines=WEEK)]).open_case_rules == 0
    both = apply(CATALOGUE, [SetDeadlines(deadlines=WEEK, applies_to="open")])
    assert (both.deadlines, both.open_case_rules) == (WEEK, 1)
    assert apply(both, [SetDeadlines(deadlines=WEEK, applies_to="open")]).open_case_rules == 2


def test_older_cases_keep_the_four_eyes_of_before_where_only_new_ones_are_meant() -> None:
    none = apply(CATALOGUE, [SetDecisions(four_eyes=[], applies_to="new")], at=AT)
    before = EarlierDecisionRules(before=AT, four_eyes=[Kind.COMPLAINT], auto_close_days=10)
    assert (none.four_eyes, none.earlier_decisions) == ([], [before])
    assert apply(none, [SetDecisions(four_eyes=[], applies_to="new")], at=AT + timedelta(days=1)) == none
    for_all = apply(none, [SetDecisions(four_eyes=[Kind.CRITICISM])])
    assert (for_all.four_eyes, for_all.earlier_decisions, for_all.open_case_rules) == ([Kind.CRITICISM], [], 0)
    # As ever: four eyes are asked for at the decision, and no day of a case depends on them.
    assert apply(CATALOGUE, [SetDecisions(four_eyes=[])]).open_case_rules == 0


def test_a_change_for_all_leaves_older_cases_the_rules_that_it_does_not_name() -> None:
    both = SetDecisions(four_eyes=[], auto_close_days=5, applies_to="new")
    newer = apply(CATALOGUE, [both], at=AT)
    assert apply(newer, [SetDecisions(transfers_without_head=4)]).earlier_decisions == newer.earlier_decisions
    closing = apply(newer, [SetDecisions(auto_close_days=3)])
    older = EarlierDecisionRules(before=AT, four_eyes=[Kind.COMPLAINT], auto_close_days=3)
    assert (closing.auto_close_days, closing.earlier_decisions, closing.open_case_rules) == (3, [older], 1)
    assert apply(closing, [SetDecisions(four_eyes=[])]).earlier_decisions == []


def test_a_change_of_transfers_for_new_cases_keeps_nothing_for_older_ones() -> None:
    assert apply(CATALOGUE, [SetDecisions(transfers_without_head=4, applies_to="new")], at=AT).earlier_decisions == []


KINDS = st.none() | st.lists(st.sampled_from(list(Kind)), unique=True, max_size=2)
CHANGES = st.builds(
    SetDecisions,
    four_eyes=KINDS,
    auto_close_days=st.none() | st.sampled_from([3, 5, 10]),
    transfers_without_head=st.none() | st.sampled_from([1, 2]),
    applies_to=st.sampled_from(["open", "new"]),
)


def rules_of(catalogue: Catalogue, filed: datetime) -> tuple[frozenset[Kind], int]:
    """By which a case filed then is decided and closed."""
    earlier = (rules for rules in catalogue.earlier_decisions if filed < rules.before)
    rules = next(earlier, catalogue)
    return frozenset(rules.four_eyes), rules.auto_close_days


@given(changes=st.lists(CHANGES, max_size=8))
def test_each_case_goes_by_what_was_set_for_it_last(changes: list[SetDecisions]) -> None:
    """One case is filed before all changes and one after each; what each of them goes by is reckoned here case by case."""
    catalogue = CATALOGUE
    expected = {AT - timedelta(hours=1): (frozenset(CATALOGUE.four_eyes), CATALOGUE.auto_close_days)}
    latest = next(iter(expected.values()))
    for hours, change in enumerate(changes):
        at = AT + timedelta(hours=hours)
        catalogue = apply(catalogue, [change], at=at)

        def changed(rules: tuple[frozenset[Kind], int], change: SetDecisions = change) -> tuple[frozenset[Kind], int]:
            kinds = rules[0] if change.four_eyes is None else frozenset(change.four_eyes)
            return kinds, change.auto_close_days or rules[1]

        latest = changed(latest)
        if change.applies_to == "open":
            expected = {filed: changed(rules) for filed, rules in expected.items()}
        expected[at + timedelta(minutes=1)] = latest
    assert {filed: rules_of(catalogue, filed) for filed in expected} == expected


def test_another_closing_is_reckoned_anew_for_cases_that_are_decided() -> None:
    assert apply(CATALOGUE, [SetDecisions(auto_close_days=3)]).open_case_rules == 1


def test_older_cases_are_kept_by_the_retention_of_before() -> None:
    longer = apply(CATALOGUE, [SetRetention(retention=YEAR, applies_to="new")], at=AT)
    assert (longer.retention, longer.earlier_retention) == (YEAR, [EarlierRetention(before=AT, retention=[])])
    assert apply(longer, [SetRetention(retention=YEAR)]).earlier_retention == []
