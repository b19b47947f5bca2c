"""The way back: mistakes of the office are undone, the trace stays, and nobody is made late by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts import tracking
from contracts.errors import GroundNotForKind, InvalidField, NoLetter, NotAllowed, TextsErased, WrongStage
from contracts.gateway import Actor
from contracts.tracking import Correct, Recommendation, Reopen, ReturnToScreening, Withdraw
from contracts.vocabulary import ActorKind, Kind, Outcome, Role, RootCause, Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import Case, Change, ListedArticle
from services.tracking.decisions.rules import RecommendationsIssued
from services.tracking.inquiry.rules import QuestionLapsed
from services.tracking.letters.rules import letter_of
from services.tracking.merging import rules as merging
from services.tracking.reopening.rules import ReopeningFacts
from services.tracking.rules import COMMANDS
from services.tracking.screening.rules import CorrectionFacts
from tests.support.cases import (
    HEAD,
    INSPECTOR,
    NOON,
    OTHER,
    SCREENER,
    UNIT,
    WEEK,
    act,
    case,
    context,
    decide,
    inspector,
    later,
    question,
)
from tests.support.changes import effect

REOPEN, BACK = Reopen(reason="اشتباه ما بود"), ReturnToScreening(reason="واحد دیگری است")


def refused() -> Case:
    return act(case(Stage.SCREENING), tracking.Refuse(reason="no_reasons", explanation="چرا"), SCREENER).case


def decided(**changes: Any) -> Case:
    command = tracking.Decide(
        outcome=Outcome.UPHELD,
        reasons="دلیل",
        root_causes=[RootCause.PROCESS],
        articles=["in_force"],
        recommendations=[Recommendation(text="x", due_on=date(2026, 12, 20))],
    )
    article = ListedArticle("قانون", "Act", "۱", date(2020, 1, 1))
    handled = case(Stage.INVESTIGATING, handler=INSPECTOR, **changes)
    return act(handled, command, INSPECTOR, articles={"in_force": article}).case


def closed(of_case: Case) -> Case:
    change = deadlines.raise_due_alarms(of_case, context(at=later(100)))
    assert change.case.stage is Stage.CLOSED
    return change.case


def merged() -> Case:
    target = case(Stage.INVESTIGATING, number="1405-2", handler=INSPECTOR)
    command = tracking.Merge(into=target.case_id)
    return act(case(Stage.SCREENING), command, SCREENER, other_case=target).case


MISTAKES: dict[str, Callable[[], Case]] = {
    "refusal_taken_back": refused,
    "decision_taken_back": decided,
    "merge_undone": merged,
    "refusal_taken_back ": lambda: closed(refused()),
    "decision_taken_back ": lambda: closed(decided()),
}


@pytest.mark.parametrize("entry", list(MISTAKES))
def test_the_head_takes_a_mistake_back_and_it_is_as_if_it_had_not_been_made(entry: str) -> None:
    mistaken = MISTAKES[entry]()
    change = act(mistaken, REOPEN, at=later(150))
    assert [step.entry for step in change.entries] == [entry.strip()]
    assert change.entries[0].details == {"text": REOPEN.reason}
    after = change.case
    assert (after.stage, after.handler, after.merged_into) == (Stage.SCREENING, None, None)
    assert (after.outcome, after.decided_at, after.refusal_reason, after.refused_on) == (None, None, None, None)
    assert (after.root_causes, after.recommendations, after.names) == ((), (), {})
    assert after.due_on == WEEK.after(context(at=later(150)).today, 15)  # owed anew: nobody is late by it
    assert deadlines.raise_due_alarms(after, context(at=later(150))).entries == []
    with pytest.raises(NoLetter):
        letter_of(after, NOON)


@pytest.mark.parametrize("who", [SCREENER, INSPECTOR])
def test_only_the_head_takes_mistakes_back(who: UUID) -> None:
    for mistaken in MISTAKES.values():
        with pytest.raises(NotAllowed):
            act(mistaken(), REOPEN, who)


@pytest.mark.parametrize("stage", list(Stage))
def test_what_is_open_or_was_withdrawn_is_not_reopened(stage: Stage) -> None:
    if stage in (Stage.REFUSED, Stage.DECIDED, Stage.CLOSED, Stage.MERGED):
        return
    with pytest.raises(WrongStage):
        act(case(stage), REOPEN)


def test_what_was_erased_is_not_reopened() -> None:
    erased = replace(context(HEAD), facts=(ReopeningFacts(texts_erased=True),))
    with pytest.raises(TextsErased):
        COMMANDS.act(closed(decided()), REOPEN, erased)


def test_a_decision_taken_back_voids_what_was_recommended_and_may_be_objected_to_anew() -> None:
    change = act(decided(), REOPEN)
    assert effect(change, RecommendationsIssued) == RecommendationsIssued((), supersedes=True)
    assert change.entries[0].fields["recommended_to"] == "dep"
    assert change.entries[0].fields["workers"] == [INSPECTOR]
    again = act(change.case, tracking.Assign(inspector=INSPECTOR), staff=inspector()).case
    second = act(again, decide(), INSPECTOR).case
    assert (second.final, second.objection_until is not None) == (False, True)
    # It closes by itself, as any other: what was raised before its reopening is not taken for raised.
    assert closed(second).stage is Stage.CLOSED


def test_a_decision_that_replaces_a_void_one_has_a_letter_of_its_own() -> None:
    letter = letter_of(decided(), None, "1405/1111111", place=2, replaces="1405/2222222")
    assert letter.number.endswith("-2")
    assert letter.replaces == "1405/2222222"


def test_the_case_that_goes_on_says_that_a_merge_was_undone() -> None:
    parted, target = merged(), case(Stage.INVESTIGATING, number="1405-2", handler=OTHER)
    change = COMMANDS.change_other(parted, REOPEN, target)
    assert [step.entry for step in change.entries] == ["duplicate_parted"]
    assert change.case == target
    assert COMMANDS.partner(parted, REOPEN) == parted.merged_into


def test_merged_cases_hear_that_an_outcome_does_not_hold() -> None:
    entry = {"entry": "decision_taken_back", "number": "1405-2", "details": {"text": "رازی"}}
    change = merging.merged_case_ended(merged(), entry, True, context())
    assert [(step.entry, step.details) for step in change.entries] == [("joined_reopened", {})]
    assert merging.merged_case_ended(merged(), entry, False, context()).entries == []


# --- back to screening ---


@pytest.mark.parametrize("who", [INSPECTOR, SCREENER, HEAD])
@pytest.mark.parametrize("stage", [Stage.INVESTIGATING, Stage.AWAITING_UNIT])
def test_a_case_goes_back_to_screening_and_its_clock_runs_on(who: UUID, stage: Stage) -> None:
    waiting = question("dep") if stage is Stage.AWAITING_UNIT else None
    at_work = case(stage, handler=INSPECTOR)
    change = act(at_work, BACK, who, at=later(4), question=waiting)
    after = change.case
    assert (after.stage, after.handler, after.previous_handlers) == (Stage.SCREENING, None, (INSPECTOR,))
    assert (after.due_on, after.due_from) == (at_work.due_on, at_work.due_from)
    assert (effect(change, QuestionLapsed) is not None) == (waiting is not None)
    fields = change.entries[0].fields
    assert fields["unit_released"] == ("dep" if waiting else None)
    assert fields["workers"] == ([] if who == INSPECTOR else [INSPECTOR])


def test_a_pause_ends_when_the_case_goes_back_and_is_not_counted() -> None:
    waiting = act(case(Stage.INVESTIGATING, handler=INSPECTOR), tracking.AskCitizen(text="؟"), INSPECTOR).case
    after = act(waiting, BACK, INSPECTOR, at=later(7), question=question()).case
    assert (after.paused_on, after.pending_question) == (None, None)
    assert after.due_on is not None
    assert waiting.due_on is not None
    assert WEEK.between(waiting.due_on, after.due_on) == WEEK.between(context().today, context(at=later(7)).today)


def test_the_decision_under_review_goes_with_the_head_alone() -> None:
    review = COMMANDS.act_as_citizen(decided(), tracking.RaiseObjection(text="نه"), context()).case
    with pytest.raises(NotAllowed):
        act(replace(review, handler=OTHER), BACK, OTHER)
    change = act(review, BACK)
    assert [step.entry for step in change.entries] == ["decision_taken_back"]
    assert (change.case.stage, change.case.outcome) == (Stage.SCREENING, None)


def test_a_substitute_takes_back_the_decision_under_review_where_the_heads_may_not_know_of_it() -> None:
    review = COMMANDS.act_as_citizen(decided(), tracking.RaiseObjection(text="نه"), context()).case
    substitute = Actor(kind=ActorKind.STAFF, id=str(OTHER), roles=frozenset({Role.SUBSTITUTE}), unit="dep.civ")
    about = replace(context(), actor=substitute, about_inspection=frozenset({"dep"}))
    assert COMMANDS.act(review, BACK, about).entries[0].entry == "decision_taken_back"
    with pytest.raises(NotAllowed):
        COMMANDS.act(review, BACK, replace(about, about_inspection=frozenset({"insp"})))


# --- corrections ---


def test_unit_ground_and_kind_are_set_right_after_assignment() -> None:
    at_work = case(Stage.AWAITING_UNIT, handler=INSPECTOR, kind=Kind.CRITICISM)
    facts = {"unit": replace(UNIT, code="other"), "ground_kinds": {"complaint"}}
    command = Correct(unit="other", ground="conduct", kind=Kind.COMPLAINT)
    change = act(at_work, command, SCREENER, question=question("dep"), **facts)
    assert (change.case.unit, change.case.ground, change.case.kind) == ("other", "conduct", Kind.COMPLAINT)
    assert change.case.handler == INSPECTOR
    assert change.entries[0].details["before"] == {"unit": "dep", "ground": "delay", "kind": "criticism"}
    with pytest.raises(NotAllowed):
        act(at_work, command, INSPECTOR, **facts)
    with pytest.raises(WrongStage):
        act(decided(), Correct(urgent=True), SCREENER)


def test_a_case_is_not_moved_to_the_unit_of_who_handles_it() -> None:
    unit = replace(UNIT, code="other")
    conflicted = replace(context(SCREENER), facts=(CorrectionFacts(unit, frozenset({"complaint"}), True),))
    with pytest.raises(InvalidField) as raised:
        COMMANDS.act(case(Stage.INVESTIGATING, handler=INSPECTOR), Correct(unit="other"), conflicted)
    assert raised.value.params["fields"] == [{"field": "command.unit", "reason": "conflict_of_interest"}]


@pytest.mark.parametrize(
    ("before", "kind", "reason"),
    [
        ({"kind": Kind.INFORMATION, "anonymous": True}, Kind.COMPLAINT, "nobody_complains"),
        ({"kind": Kind.INFORMATION}, Kind.COMPLAINT, "filed_in_confidence"),
        ({"kind": Kind.INFORMATION}, Kind.CRITICISM, "filed_in_confidence"),
    ],
)
def test_what_was_reported_in_confidence_stays_so(before: dict[str, Any], kind: Kind, reason: str) -> None:
    with pytest.raises(InvalidField) as raised:
        act(case(Stage.SCREENING, **before), Correct(kind=kind), SCREENER)
    assert raised.value.params["fields"] == [{"field": "command.kind", "reason": reason}]


def test_a_kind_needs_a_ground_that_is_offered_for_it() -> None:
    with pytest.raises(GroundNotForKind):
        act(case(Stage.SCREENING), Correct(kind=Kind.INFORMATION), SCREENER)
    after = act(case(Stage.SCREENING), Correct(kind=Kind.INFORMATION), SCREENER, ground_kinds={"information"}).case
    assert (after.kind, after.due_on) == (Kind.INFORMATION, WEEK.after(context().today, 30))


# --- urgency ---


def raised_at_once(change: Change, days: int) -> list[str]:
    return [step.entry for step in deadlines.raise_due_alarms(change.case, context(at=later(days))).entries]


@pytest.mark.parametrize("days", range(0, 60, 3))
def test_neither_marking_nor_taking_it_back_alarms_anybody_at_once(days: int) -> None:
    marked = act(case(Stage.INVESTIGATING, handler=INSPECTOR), Correct(urgent=True), SCREENER, at=later(days))
    assert raised_at_once(marked, days) == []
    assert marked.case.due_on == WEEK.after(context(at=later(days)).today, 1)
    calmed = act(marked.case, Correct(urgent=False), SCREENER, at=later(days + 1))
    assert raised_at_once(calmed, days + 1) == []
    assert calmed.case.due_on is not None
    assert calmed.case.due_on >= max(date(2026, 12, 12), context(at=later(days + 1)).today)


def test_urgency_taken_back_restores_the_day_with_its_pauses() -> None:
    at_work = case(Stage.INVESTIGATING, handler=INSPECTOR)
    waiting = act(at_work, tracking.AskCitizen(text="؟"), INSPECTOR).case
    answer = tracking.AnswerQuestion(text="!")
    answered = COMMANDS.act_as_citizen(waiting, answer, context(at=later(4), question=question())).case
    marked = act(answered, Correct(urgent=True), SCREENER, at=later(5)).case
    assert act(marked, Correct(urgent=False), SCREENER, at=later(6)).case.due_on == answered.due_on


def test_who_worked_on_a_case_is_told_once_and_not_of_their_own_doing() -> None:
    checklist = ({"item_id": "x", "text": "x", "done": True, "done_by": str(SCREENER)},)
    proposal = {"by": str(OTHER)}
    handled = case(
        Stage.INVESTIGATING,
        handler=INSPECTOR,
        previous_handlers=(OTHER, INSPECTOR),
        checklist=checklist,
        proposal=proposal,
    )
    change = COMMANDS.act_as_citizen(handled, Withdraw(), context(question=question("dep")))
    assert change.entries[0].fields == {"workers": [INSPECTOR, OTHER, SCREENER], "unit_released": "dep"}
    beside = replace(
        handled, previous_handlers=(), colleagues=({"staff": str(OTHER), "as": "co_handler"},), proposal=None
    )
    change = COMMANDS.act_as_citizen(beside, Withdraw(), context(question=question("dep")))
    assert change.entries[0].fields["workers"] == [INSPECTOR, OTHER, SCREENER]
    closing = act(replace(decided(), objection_until=date(2026, 11, 1)), tracking.Close(), at=NOON + timedelta(days=9))
    assert closing.entries[0].fields == {"workers": [INSPECTOR]}
