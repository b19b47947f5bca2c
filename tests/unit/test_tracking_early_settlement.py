"""Settled at first reading with the citizen's word, and how often a case goes from one unit to another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from contracts.errors import HeadNeeded, InvalidField, NotAllowed, NotSettleable, WrongStage
from contracts.gateway import Actor
from contracts.tracking import (
    Approve,
    CaseDecided,
    CaseReopened,
    Correct,
    DecisionProposed,
    Merge,
    Refuse,
    ReturnProposal,
    SettleEarly,
)
from contracts.vocabulary import ActorKind, Channel, Kind, Outcome, Role, Stage
from services.insight.ingest.facts import fact_of
from services.tracking.case.lifecycle import PUBLIC_ENTRIES, Case
from services.tracking.retention.rules import WRITTEN
from services.tracking.rules import COMMANDS
from tests.support.cases import HEAD, INSPECTOR, NOON, OTHER_HEAD, SCREENER, UNIT, act, case, context, later
from tests.support.insight import snapshot

FOUR_EYES: dict[str, Any] = {"four_eyes": frozenset({"complaint"})}


def settlement(**changes: Any) -> SettleEarly:
    values = {
        "agreement": "گفتند چراغ درست شد.",
        "agreed_at": NOON,
        "agreed_by": Channel.PHONE,
        "consented": True,
        "reasons": "با توافق شما پایان یافت.",
    }
    return SettleEarly.model_validate({**values, **changes})


def screening(**changes: Any) -> Case:
    return case(Stage.SCREENING, **changes)


# --- early settlement ---


def test_a_case_is_settled_at_first_reading_with_the_word_of_its_citizen_on_record() -> None:
    change = act(screening(), settlement(), SCREENER)
    agreement, decided = change.entries
    assert (agreement.entry, agreement.details["text"]) == ("settlement_agreed", "گفتند چراغ درست شد.")
    assert {name: agreement.details[name] for name in ("agreed_at", "agreed_by", "consented")} == {
        "agreed_at": NOON.isoformat(),
        "agreed_by": "phone",
        "consented": True,
    }
    assert (decided.event, decided.fields["early"], decided.previous_stage) == (CaseDecided, True, Stage.SCREENING)
    assert (change.case.stage, change.case.outcome) == (Stage.DECIDED, Outcome.SETTLED)
    assert change.case.objection_until is not None
    assert not change.case.final
    assert change.case.excluded_staff == (SCREENER,), "who settled it does not review the objection"


def test_what_the_citizen_said_is_the_offices_own_and_is_erased_with_the_texts() -> None:
    agreement = act(screening(), settlement(), SCREENER).entries[0]
    assert agreement.entry not in PUBLIC_ENTRIES
    assert "text" in WRITTEN & set(agreement.details)


def test_a_settlement_is_approved_by_the_rules_of_the_day_on_which_it_was_filed() -> None:
    """Four eyes were dropped for cases filed later: this one is still approved."""
    earlier = (later(1), frozenset({"complaint"}))
    change = act(screening(), settlement(), SCREENER, at=later(2), earlier_four_eyes=(earlier,))
    assert change.case.proposal is not None
    assert change.case.stage is Stage.SCREENING


def test_with_four_eyes_a_settlement_waits_in_screening_for_another_head() -> None:
    change = act(screening(), settlement(), SCREENER, **FOUR_EYES)
    proposed = change.case
    assert [step.event for step in change.entries][1] is DecisionProposed
    assert (proposed.stage, proposed.outcome) == (Stage.SCREENING, None)
    decided = act(proposed, Approve(), HEAD, **FOUR_EYES)
    assert (decided.case.stage, decided.case.outcome) == (Stage.DECIDED, Outcome.SETTLED)
    assert decided.entries[0].fields["early"] is True
    assert set(decided.case.excluded_staff) == {SCREENER, HEAD}
    own = act(screening(), settlement(), HEAD, **FOUR_EYES).case
    with pytest.raises(NotAllowed):
        act(own, Approve(), HEAD, **FOUR_EYES)
    assert act(own, Approve(), OTHER_HEAD, **FOUR_EYES).case.stage is Stage.DECIDED
    returned = act(proposed, ReturnProposal(reason="با او دوباره صحبت شود."), HEAD, **FOUR_EYES).case
    assert (returned.stage, returned.proposal) == (Stage.SCREENING, None)


@pytest.mark.parametrize(
    "command", [settlement(), Refuse(reason="repeat", explanation="x"), Merge(into=UUID(int=9)), Correct(urgent=True)]
)
def test_nothing_else_ends_or_moves_a_case_whose_settlement_waits_for_the_head(command: Any) -> None:
    proposed = act(screening(), settlement(), SCREENER, **FOUR_EYES).case
    with pytest.raises(WrongStage):
        act(proposed, command, SCREENER, **FOUR_EYES)


@pytest.mark.parametrize("changes", [{"kind": Kind.INFORMATION}, {"anonymous": True}])
def test_nobody_settles_for_a_citizen_who_is_not_known(changes: dict[str, Any]) -> None:
    with pytest.raises(NotSettleable):
        act(screening(**changes), settlement(), SCREENER)


@pytest.mark.parametrize(
    ("of_case", "changes", "field", "reason"),
    [
        ({}, {"consented": False}, "consented", "missing"),
        ({}, {"agreed_at": later(1)}, "agreed_at", "later_than_now"),
        ({}, {"agreed_at": later(-1)}, "agreed_at", "before_filing"),
        ({"unit": None}, {}, "unit", "not_set"),
    ],
)
def test_a_settlement_is_refused_for_what_is_wrong_with_it(
    of_case: dict[str, Any], changes: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(InvalidField) as refused:
        act(screening(**of_case), settlement(**changes), SCREENER)
    assert refused.value.params["fields"] == [{"field": field, "reason": reason}]


@pytest.mark.parametrize("stage", [Stage.REGISTERED, Stage.INVESTIGATING, Stage.DECIDED, Stage.REVIEW])
def test_a_case_is_settled_early_at_first_reading_alone(stage: Stage) -> None:
    with pytest.raises(WrongStage):
        act(case(stage), settlement(), SCREENER)


def test_an_inspector_settles_nothing_at_first_reading() -> None:
    with pytest.raises(NotAllowed):
        act(screening(handler=INSPECTOR), settlement(), INSPECTOR)


@pytest.mark.parametrize("early", [True, False])
def test_insight_keeps_whether_a_decision_was_an_early_settlement(early: bool) -> None:
    event = CaseDecided(
        id=UUID(int=2),
        case_id=UUID(int=1),
        sequence=3,
        occurred_at=NOON,
        state=snapshot(NOON),
        outcome=Outcome.SETTLED,
        early=early,
    )
    assert fact_of(event, event)["settled_early"] is early
    assert fact_of(event, None)["settled_early"] is None


# --- transfers between units ---


def moved_to(of_case: Case, unit: str, who: UUID = SCREENER, **more: Any) -> Case:
    return act(of_case, Correct(unit=unit), who, unit=replace(UNIT, code=unit), **more).case


def test_the_third_transfer_to_another_unit_takes_the_head() -> None:
    twice = moved_to(moved_to(screening(), "roads"), "parks")
    assert twice.transfers == 2
    with pytest.raises(HeadNeeded) as refused:
        moved_to(twice, "roads")
    assert refused.value.params == {"transfers": 2}
    thrice = moved_to(twice, "roads", HEAD)
    assert thrice.transfers == 3
    with pytest.raises(HeadNeeded):
        moved_to(thrice, "parks")


def test_only_going_from_one_unit_to_another_counts() -> None:
    named = moved_to(screening(unit=None), "roads")
    assert named.transfers == 0, "it had no unit"
    assert act(named, Correct(ground="conduct", urgent=True), SCREENER, unit=None).case.transfers == 0
    change = act(named, Correct(unit="parks"), SCREENER, unit=replace(UNIT, code="parks"))
    assert change.entries[0].details["transfers"] == 1


def test_a_substitute_transfers_what_a_head_would_where_the_heads_may_not_know_of_it() -> None:
    substitute = Actor(kind=ActorKind.STAFF, id=str(HEAD), roles=frozenset({Role.SUBSTITUTE}), unit="roads")
    parks = replace(UNIT, code="parks")
    given = replace(context(unit=parks), actor=substitute, about_inspection=frozenset({"dep"}))
    assert COMMANDS.act(screening(transfers=9), Correct(unit="parks"), given).case.transfers == 10


def test_after_many_transfers_ground_and_urgency_are_still_the_screeners() -> None:
    assert act(screening(transfers=9), Correct(ground="conduct"), SCREENER).case.ground == "conduct"


@pytest.mark.parametrize(("most", "allowed"), [(0, False), (1, True)])
def test_the_administrator_sets_how_many_transfers_go_without_the_head(most: int, allowed: bool) -> None:
    if allowed:
        assert moved_to(screening(), "roads", transfers_without_head=most).transfers == 1
    else:
        with pytest.raises(HeadNeeded):
            moved_to(screening(), "roads", transfers_without_head=most)


def test_a_decision_that_was_taken_back_was_no_early_settlement() -> None:
    about: dict[str, Any] = {"case_id": UUID(int=1), "occurred_at": NOON, "state": snapshot(NOON)}
    taken_back = CaseReopened(id=UUID(int=3), sequence=4, **about)
    assert fact_of(taken_back, taken_back)["settled_early"] is None
