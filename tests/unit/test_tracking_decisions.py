"""Four eyes, and what becomes of recommendations; one sentence each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.errors import FourEyesNeeded, InvalidField, NotAllowed, NotFound, WrongStage
from contracts.tracking import (
    Approve,
    AskCitizen,
    AskUnit,
    Assign,
    Decide,
    Propose,
    RaiseObjection,
    Recommendation,
    ReturnProposal,
    SettleRecommendation,
    Withdraw,
)
from contracts.vocabulary import Kind, Outcome, RootCause, Stage
from services.tracking.case.lifecycle import Case, Change, Listed
from services.tracking.decisions import rules as decisions
from services.tracking.decisions.rules import IssuedRecommendation, RecommendationsChanged, RecommendationsIssued
from services.tracking.rules import COMMANDS
from tests.support.cases import (
    HEAD,
    INSPECTOR,
    OTHER,
    OTHER_HEAD,
    SCREENER,
    act,
    case,
    context,
    decide,
    inspector,
    later,
)
from tests.support.changes import effect

FOUR_EYES: dict[str, Any] = {"four_eyes": frozenset({Kind.COMPLAINT})}
ADVICE = [Recommendation(text="زمان هر مرحله گفته شود.", due_on=date(2026, 12, 20))]


def proposal() -> Propose:
    return Propose(outcome=Outcome.UPHELD, reasons="دلیل", root_causes=[RootCause.PROCESS], recommendations=ADVICE)


def investigated(**changes: Any) -> Case:
    return case(Stage.INVESTIGATING, handler=INSPECTOR, **changes)


def proposed() -> Case:
    return act(investigated(), proposal(), INSPECTOR, **FOUR_EYES).case


def recommendations(change: Change) -> tuple[IssuedRecommendation, ...]:
    """The recommendations that this change issues or changes."""
    found = effect(change, RecommendationsIssued) or effect(change, RecommendationsChanged)
    return found.recommendations if found else ()


def test_a_kind_with_four_eyes_is_decided_by_nobody_alone() -> None:
    for who in (INSPECTOR, HEAD):
        with pytest.raises(FourEyesNeeded):
            act(investigated(), decide(), who, **FOUR_EYES)
    assert act(investigated(), decide(), INSPECTOR).case.stage is Stage.DECIDED  # no four eyes: as ever


def test_a_proposal_leaves_the_stage_and_what_the_citizen_sees_alone() -> None:
    change = act(investigated(), proposal(), INSPECTOR, **FOUR_EYES)
    assert change.case.stage is Stage.INVESTIGATING
    assert change.case.outcome is None
    assert [step.entry for step in change.entries] == ["decision_proposed"]
    assert change.effects == ()


def test_what_the_head_approves_is_the_decision_as_proposed_and_its_inspector_does_not_hear_the_objection() -> None:
    change = act(proposed(), Approve(), HEAD, **FOUR_EYES)
    assert (change.case.stage, change.case.outcome, change.case.reasons) == (Stage.DECIDED, Outcome.UPHELD, "دلیل")
    assert change.case.proposal is None
    assert set(change.case.excluded_staff) == {INSPECTOR, HEAD}
    assert [(one.unit, one.text, one.due_on) for one in recommendations(change)] == [
        ("dep", ADVICE[0].text, ADVICE[0].due_on)
    ]
    assert change.entries[0].fields["recommended_to"] == "dep"
    review = COMMANDS.act_as_citizen(change.case, RaiseObjection(text="نه"), context()).case
    with pytest.raises(InvalidField):
        act(review, Assign(inspector=INSPECTOR), OTHER_HEAD, staff=inspector())
    heard = act(review, Assign(inspector=OTHER), OTHER_HEAD, staff=inspector(OTHER)).case
    again = act(heard, proposal(), OTHER, **FOUR_EYES).case
    for head in (HEAD, OTHER_HEAD):
        assert act(again, Approve(), head, **FOUR_EYES).case.final


def review_of(one: Case) -> Case:
    """After an objection, in another inspector's hands."""
    objected = COMMANDS.act_as_citizen(one, RaiseObjection(text="نه"), context()).case
    return act(objected, Assign(inspector=OTHER), OTHER_HEAD, staff=inspector(OTHER)).case


def test_a_head_who_approved_the_first_decision_approves_the_final_one_but_does_not_make_it() -> None:
    review = review_of(act(proposed(), Approve(), HEAD, **FOUR_EYES).case)
    for command in (proposal(), decide()):
        with pytest.raises(NotAllowed):
            act(review, command, HEAD)
    with pytest.raises(InvalidField):
        act(review, Assign(inspector=HEAD), OTHER_HEAD, staff=inspector(HEAD))


def test_a_head_who_made_proposed_or_handled_the_first_decision_does_not_approve_the_final_one() -> None:
    made = act(investigated(), decide(), HEAD).case
    put = act(act(investigated(), proposal(), HEAD, **FOUR_EYES).case, Approve(), OTHER_HEAD, **FOUR_EYES).case
    own = replace(act(investigated(), proposal(), OTHER_HEAD, **FOUR_EYES).case, handler=HEAD)
    handled = act(own, Approve(), HEAD, **FOUR_EYES).case
    for first in (made, put, handled):
        again = act(review_of(first), proposal(), OTHER, **FOUR_EYES).case
        with pytest.raises(NotAllowed):
            act(again, Approve(), HEAD, **FOUR_EYES)


def test_who_proposed_does_not_approve() -> None:
    one = act(investigated(), proposal(), HEAD, **FOUR_EYES).case
    with pytest.raises(NotAllowed):
        act(one, Approve(), HEAD, **FOUR_EYES)
    assert act(one, Approve(), OTHER_HEAD, **FOUR_EYES).case.stage is Stage.DECIDED


def test_a_returned_proposal_is_the_inspectors_again() -> None:
    change = act(proposed(), ReturnProposal(reason="ناقص"), HEAD)
    assert (change.case.stage, change.case.proposal) == (Stage.INVESTIGATING, None)
    assert act(change.case, AskUnit(text="؟"), INSPECTOR).case.stage is Stage.AWAITING_UNIT
    for command in (Approve(), ReturnProposal(reason="x")):
        with pytest.raises(WrongStage):
            act(change.case, command, HEAD)


@pytest.mark.parametrize("command", [AskCitizen(text="؟"), AskUnit(text="؟"), decide()])
def test_a_waiting_proposal_keeps_the_inquiry_where_it_is(command: Any) -> None:
    with pytest.raises(WrongStage):
        act(proposed(), command, HEAD)


def test_a_proposal_goes_with_the_inspector_who_made_it_and_with_the_case() -> None:
    assert act(proposed(), Assign(inspector=OTHER), staff=inspector(OTHER)).case.proposal is None
    assert COMMANDS.act_as_citizen(proposed(), Withdraw(), context()).case.proposal is None


@pytest.mark.parametrize("who", [INSPECTOR, SCREENER])
@pytest.mark.parametrize("command", [Approve(), ReturnProposal(reason="x")])
def test_only_a_head_approves_or_returns(who: UUID, command: Any) -> None:
    with pytest.raises(NotAllowed):
        act(proposed(), command, who)


def test_a_proposal_is_as_whole_as_a_decision() -> None:
    with pytest.raises(InvalidField):
        act(investigated(), Propose(outcome=Outcome.UPHELD, reasons="x"), INSPECTOR)


WEATHER = {"root_causes": {"weather": Listed("هوا", "Weather"), "rain": Listed("باران", "Rain", active=False)}}
UPHELD = Propose(outcome=Outcome.UPHELD, reasons="دلیل", root_causes=["weather"])


def test_root_causes_are_those_the_office_keeps_under_the_name_of_the_day() -> None:
    for cause, reason in (("process", "unknown_code"), ("rain", "not_offered")):
        for made in (Decide, Propose):
            with pytest.raises(InvalidField) as refused:
                act(
                    investigated(), made(outcome=Outcome.UPHELD, reasons="x", root_causes=[cause]), INSPECTOR, **WEATHER
                )
            assert refused.value.params["fields"] == [{"field": "command.root_causes", "reason": reason}]
    one = act(investigated(), UPHELD, INSPECTOR, **WEATHER).case
    # Closed and renamed between the proposal and its approval: what was proposed stands.
    closed = {"root_causes": {"weather": Listed("جوّ", "Sky", active=False)}}
    change = act(one, Approve(), HEAD, **closed)
    assert change.case.names == {"causes": {"weather": {"name_fa": "هوا", "name_en": "Weather"}}}
    assert change.entries[0].details["root_cause_names"] == change.case.names["causes"]


def recommended(state: str = "open", **changes: Any) -> IssuedRecommendation:
    return replace(IssuedRecommendation(UUID(int=8), "dep", "x", date(2026, 12, 1), state), **changes)


def settlement(accepted: bool, reason: str | None = None) -> SettleRecommendation:
    return SettleRecommendation(recommendation_id=UUID(int=8), accepted=accepted, reason=reason)


def test_the_unit_reports_and_the_office_has_the_last_word() -> None:
    one = case(Stage.CLOSED)
    for done, reason, end in ((True, None, "done"), (False, "بودجه نیست", "declined")):
        [reported] = recommendations(decisions.report(one, recommended(), done, reason, context()))
        [settled] = recommendations(act(one, settlement(True), HEAD, recommended=reported))
        assert settled.state == end
        [again] = recommendations(act(one, settlement(False, "کافی نیست"), HEAD, recommended=reported))
        assert again.state == "open"


def test_declining_and_sending_back_want_a_reason() -> None:
    with pytest.raises(InvalidField):
        decisions.report(case(Stage.DECIDED), recommended(), False, None, context())
    with pytest.raises(InvalidField):
        act(case(Stage.DECIDED), settlement(False), HEAD, recommended=recommended("reported_done"))


def test_what_was_not_reported_or_is_over_is_not_settled() -> None:
    for state in ("open", "done", "declined", "superseded"):
        with pytest.raises(WrongStage):
            act(case(Stage.DECIDED), settlement(True), HEAD, recommended=recommended(state))
    for state in ("done", "declined", "superseded"):
        with pytest.raises(WrongStage):
            decisions.report(case(Stage.DECIDED), recommended(state), True, None, context())
    with pytest.raises(NotFound):
        act(case(Stage.DECIDED), settlement(True), HEAD)


def test_what_is_overdue_goes_up_once() -> None:
    one, today = case(Stage.CLOSED), (later(0) + timedelta(days=11)).date()
    late = [recommended(), recommended("reported_done"), recommended(due_on=today), recommended(escalated=True)]
    change = decisions.overdue(one, late, today)
    assert [step.fields["step"] for step in change.entries] == ["recommendation"]
    assert [told.escalated for told in recommendations(change)] == [True]
    assert decisions.overdue(one, recommendations(change), today).entries == []
    assert change.case == one
