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
from services.tracking.case.lifecycle import Case, Change, Listed, ListedArticle
from services.tracking.decisions import rules as decisions
from services.tracking.decisions.rules import IssuedRecommendation, RecommendationsChanged, RecommendationsIssued
from services.tracking.rules import COMMANDS
from tests.support.cases import (
    HEAD,
    INSPECTOR,
    NOON,
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
RECOMMENDED = [Recommendation(text="زمان هر مرحله گفته شود.", due_on=date(2026, 12, 20))]


def proposal() -> Propose:
    return Propose(outcome=Outcome.UPHELD, reasons="دلیل", root_causes=[RootCause.PROCESS], recommendations=RECOMMENDED)


def investigated(**changes: Any) -> Case:
    return case(Stage.INVESTIGATING, handler=INSPECTOR, **changes)


def proposed() -> Case:
    return act(investigated(), proposal(), INSPECTOR, **FOUR_EYES).case


def recommendations(change: Change) -> tuple[IssuedRecommendation, ...]:
    """The recommendations that this change issues or changes."""
    issued = effect(change, RecommendationsIssued) or effect(change, RecommendationsChanged)
    return issued.recommendations if issued else ()


def test_nobody_alone_decides_a_kind_with_four_eyes() -> None:
    for who in (INSPECTOR, HEAD):
        with pytest.raises(FourEyesNeeded):
            act(investigated(), decide(), who, **FOUR_EYES)
    assert act(investigated(), decide(), INSPECTOR).case.stage is Stage.DECIDED  # no four eyes: as ever


def test_a_proposal_changes_neither_the_stage_nor_the_citizens_view() -> None:
    change = act(investigated(), proposal(), INSPECTOR, **FOUR_EYES)
    assert change.case.stage is Stage.INVESTIGATING
    assert change.case.outcome is None
    assert [step.entry for step in change.entries] == ["decision_proposed"]
    assert change.effects == ()


def test_the_head_approves_the_decision_as_proposed_and_its_inspector_does_not_review_the_objection() -> None:
    change = act(proposed(), Approve(), HEAD, **FOUR_EYES)
    assert (change.case.stage, change.case.outcome, change.case.reasons) == (Stage.DECIDED, Outcome.UPHELD, "دلیل")
    assert change.case.proposal is None
    assert set(change.case.excluded_staff) == {INSPECTOR, HEAD}
    assert [
        (recommendation.unit, recommendation.text, recommendation.due_on) for recommendation in recommendations(change)
    ] == [("dep", RECOMMENDED[0].text, RECOMMENDED[0].due_on)]
    assert change.entries[0].fields["recommended_to"] == "dep"
    review = COMMANDS.act_as_citizen(change.case, RaiseObjection(text="نه"), context()).case
    with pytest.raises(InvalidField):
        act(review, Assign(inspector=INSPECTOR), OTHER_HEAD, staff=inspector())
    reassigned = act(review, Assign(inspector=OTHER), OTHER_HEAD, staff=inspector(OTHER)).case
    again = act(reassigned, proposal(), OTHER, **FOUR_EYES).case
    for head in (HEAD, OTHER_HEAD):
        assert act(again, Approve(), head, **FOUR_EYES).case.final


def review_of(decided: Case) -> Case:
    """After an objection, in another inspector's hands."""
    objected = COMMANDS.act_as_citizen(decided, RaiseObjection(text="نه"), context()).case
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


def test_the_proposer_does_not_approve() -> None:
    with_proposal = act(investigated(), proposal(), HEAD, **FOUR_EYES).case
    with pytest.raises(NotAllowed):
        act(with_proposal, Approve(), HEAD, **FOUR_EYES)
    assert act(with_proposal, Approve(), OTHER_HEAD, **FOUR_EYES).case.stage is Stage.DECIDED


def test_a_returned_proposal_goes_back_to_the_inspector() -> None:
    change = act(proposed(), ReturnProposal(reason="ناقص"), HEAD)
    assert (change.case.stage, change.case.proposal) == (Stage.INVESTIGATING, None)
    assert act(change.case, AskUnit(text="؟"), INSPECTOR).case.stage is Stage.AWAITING_UNIT
    for command in (Approve(), ReturnProposal(reason="x")):
        with pytest.raises(WrongStage):
            act(change.case, command, HEAD)


@pytest.mark.parametrize("command", [AskCitizen(text="؟"), AskUnit(text="؟"), decide()])
def test_a_waiting_proposal_blocks_the_inquiry(command: Any) -> None:
    with pytest.raises(WrongStage):
        act(proposed(), command, HEAD)


def test_a_proposal_ends_with_its_inspector_and_with_the_case() -> None:
    assert act(proposed(), Assign(inspector=OTHER), staff=inspector(OTHER)).case.proposal is None
    assert COMMANDS.act_as_citizen(proposed(), Withdraw(), context()).case.proposal is None


@pytest.mark.parametrize("who", [INSPECTOR, SCREENER])
@pytest.mark.parametrize("command", [Approve(), ReturnProposal(reason="x")])
def test_only_a_head_approves_or_returns(who: UUID, command: Any) -> None:
    with pytest.raises(NotAllowed):
        act(proposed(), command, who)


def test_a_proposal_is_as_complete_as_a_decision() -> None:
    with pytest.raises(InvalidField):
        act(investigated(), Propose(outcome=Outcome.UPHELD, reasons="x"), INSPECTOR)


WEATHER = {"root_causes": {"weather": Listed("هوا", "Weather"), "rain": Listed("باران", "Rain", active=False)}}
UPHELD = Propose(outcome=Outcome.UPHELD, reasons="دلیل", root_causes=["weather"])


def test_root_causes_are_configured_and_keep_their_name_at_the_decision() -> None:
    for cause, reason in (("process", "unknown_code"), ("rain", "not_offered")):
        for made in (Decide, Propose):
            with pytest.raises(InvalidField) as refused:
                act(
                    investigated(), made(outcome=Outcome.UPHELD, reasons="x", root_causes=[cause]), INSPECTOR, **WEATHER
                )
            assert refused.value.params["fields"] == [{"field": "root_causes", "reason": reason}]
    with_proposal = act(investigated(), UPHELD, INSPECTOR, **WEATHER).case
    # Closed and renamed between the proposal and its approval: what was proposed stands.
    closed = {"root_causes": {"weather": Listed("جوّ", "Sky", active=False)}}
    change = act(with_proposal, Approve(), HEAD, **closed)
    assert change.case.names == {"causes": {"weather": {"name_fa": "هوا", "name_en": "Weather"}}}
    assert change.entries[0].details["root_cause_names"] == change.case.names["causes"]


def recommended(state: str = "open", **changes: Any) -> IssuedRecommendation:
    return replace(IssuedRecommendation(UUID(int=8), "dep", "x", date(2026, 12, 1), state), **changes)


def settlement(accepted: bool, reason: str | None = None) -> SettleRecommendation:
    return SettleRecommendation(recommendation_id=UUID(int=8), accepted=accepted, reason=reason)


def test_the_unit_reports_and_the_office_settles() -> None:
    closed_case = case(Stage.CLOSED)
    for done, reason, end in ((True, None, "done"), (False, "بودجه نیست", "declined")):
        [reported] = recommendations(decisions.report(closed_case, recommended(), done, reason, context()))
        [settled] = recommendations(act(closed_case, settlement(True), HEAD, recommended=reported))
        assert settled.state == end
        [again] = recommendations(act(closed_case, settlement(False, "کافی نیست"), HEAD, recommended=reported))
        assert again.state == "open"


def test_declining_and_returning_need_a_reason() -> None:
    with pytest.raises(InvalidField):
        decisions.report(case(Stage.DECIDED), recommended(), False, None, context())
    with pytest.raises(InvalidField):
        act(case(Stage.DECIDED), settlement(False), HEAD, recommended=recommended("reported_done"))


def test_recommendations_not_reported_or_already_settled_are_not_settled() -> None:
    for state in ("open", "done", "declined", "superseded"):
        with pytest.raises(WrongStage):
            act(case(Stage.DECIDED), settlement(True), HEAD, recommended=recommended(state))
    for state in ("done", "declined", "superseded"):
        with pytest.raises(WrongStage):
            decisions.report(case(Stage.DECIDED), recommended(state), True, None, context())
    with pytest.raises(NotFound):
        act(case(Stage.DECIDED), settlement(True), HEAD)


def test_an_overdue_recommendation_is_escalated_once() -> None:
    closed_case, today = case(Stage.CLOSED), (later(0) + timedelta(days=11)).date()
    late = [recommended(), recommended("reported_done"), recommended(due_on=today), recommended(escalated=True)]
    change = decisions.overdue(closed_case, late, today)
    assert [step.fields["step"] for step in change.entries] == ["recommendation"]
    assert [recommendation.escalated for recommendation in recommendations(change)] == [True]
    assert decisions.overdue(closed_case, recommendations(change), today).entries == []
    assert change.case == closed_case


TODAY = NOON.date()
LIBRARY = {
    "in_force": ListedArticle("قانون", "Act", "۱", TODAY, TODAY),
    "to_come": ListedArticle("قانون", "Act", "۲", TODAY + timedelta(days=1)),
    "expired": ListedArticle("قانون", "Act", "۳", date(1955, 7, 3), TODAY - timedelta(days=1)),
}


def citing(*codes: str) -> Decide:
    return Decide(outcome=Outcome.NOT_UPHELD, reasons="دلیل", articles=list(codes))


@pytest.mark.parametrize(
    ("code", "reason"), [("nowhere", "unknown_article"), ("to_come", "not_in_force"), ("expired", "not_in_force")]
)
def test_a_decision_cites_only_articles_that_are_in_force_that_day(code: str, reason: str) -> None:
    wrong = [{"field": "articles.1", "reason": reason}]
    for command in (citing("in_force", code), Propose(**citing("in_force", code).model_dump(exclude={"type"}))):
        with pytest.raises(InvalidField) as refused:
            act(investigated(), command, INSPECTOR, articles=LIBRARY)
        assert refused.value.params["fields"] == wrong


def test_the_case_keeps_the_articles_by_their_titles_of_that_day() -> None:
    change = act(investigated(), citing("in_force"), INSPECTOR, articles=LIBRARY)
    kept = {"in_force": {"title_fa": "قانون", "title_en": "Act", "number": "۱"}}
    assert change.case.names["articles"] == kept
    assert change.entries[0].details["articles"] == kept


def test_what_expired_between_proposal_and_approval_is_cited_by_no_decision() -> None:
    proposed_case = act(
        investigated(), Propose(**citing("in_force").model_dump(exclude={"type"})), INSPECTOR, articles=LIBRARY
    ).case
    approved = COMMANDS.act(proposed_case, Approve(), context(HEAD, articles=LIBRARY))
    assert list(approved.case.names["articles"]) == ["in_force"]
    with pytest.raises(InvalidField):
        COMMANDS.act(proposed_case, Approve(), context(HEAD, later(1), articles=LIBRARY))


def test_a_case_filed_before_the_change_needs_the_approval_of_before() -> None:
    older: dict[str, Any] = {"four_eyes": frozenset(), "earlier_four_eyes": ((later(1), frozenset({Kind.COMPLAINT})),)}
    with pytest.raises(FourEyesNeeded):
        act(investigated(), decide(), INSPECTOR, **older)
    newer: dict[str, Any] = {
        "four_eyes": frozenset({Kind.COMPLAINT}),
        "earlier_four_eyes": ((later(-30), frozenset()),),
    }
    with pytest.raises(FourEyesNeeded):
        act(investigated(), decide(), INSPECTOR, **newer)
    assert act(investigated(filed_at=later(-31)), decide(), INSPECTOR, **newer).case.stage is Stage.DECIDED


def test_a_recommendation_is_not_due_in_the_past() -> None:
    past = [RECOMMENDED[0], Recommendation(text="x", due_on=context().today - timedelta(days=1))]
    values: dict[str, Any] = {"outcome": Outcome.UPHELD, "reasons": "x", "root_causes": [RootCause.PROCESS]}
    handled = case(Stage.INVESTIGATING, handler=INSPECTOR)
    for command in (Decide, Propose):
        with pytest.raises(InvalidField) as raised:
            act(handled, command(**values, recommendations=past), INSPECTOR)
        assert raised.value.params["fields"] == [{"field": "command.recommendations.1.due_on", "reason": "in_the_past"}]
    proposed = act(handled, Propose(**values, recommendations=RECOMMENDED), INSPECTOR).case
    with pytest.raises(InvalidField):  # it waited too long: the head returns it
        act(proposed, Approve(), at=later(60))
    assert act(proposed, ReturnProposal(reason="x"), at=later(60)).case.proposal is None
