"""A second inspector on a case, and a colleague's advice without handing the case over; one sentence each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts import tracking
from contracts.errors import AlreadyHandles, InvalidField, NotAllowed, WrongStage
from contracts.tracking import (
    AddCoHandler,
    AddNote,
    AnswerConsultation,
    ConsultColleague,
    EndConsultation,
    Propose,
    RemoveCoHandler,
)
from contracts.vocabulary import Kind, Outcome, Stage
from services.tracking.case.lifecycle import Case, Change
from services.tracking.colleagues import rules
from tests.support.cases import HEAD, INSPECTOR, OTHER, SCREENER, act, case, inspector

THIRD = UUID(int=77)


def handled(stage: Stage = Stage.INVESTIGATING, **changes: Any) -> Case:
    return case(stage, handler=INSPECTOR, **changes)


def with_co_handler(**changes: Any) -> Case:
    return act(handled(**changes), AddCoHandler(inspector=OTHER), INSPECTOR, colleague=inspector(OTHER)).case


def consulted(of: Case | None = None) -> Case:
    consultation = ConsultColleague(colleague=OTHER, text="چه کنیم؟")
    return act(of or handled(), consultation, INSPECTOR, colleague=inspector(OTHER)).case


def consultation(of: Case) -> UUID:
    return UUID(of.colleagues[-1]["consultation_id"])


def reason(raised: pytest.ExceptionInfo[InvalidField]) -> Any:
    return raised.value.params["fields"][0]["reason"]


def ended(change: Change) -> list[str]:
    return [entry.entry for entry in rules.end_with_case(change).entries]


@pytest.mark.parametrize("by", [INSPECTOR, HEAD])
def test_the_handler_and_a_head_add_and_remove_a_second_inspector(by: UUID) -> None:
    added = act(handled(), AddCoHandler(inspector=OTHER), by, colleague=inspector(OTHER))
    assert added.case.co_handlers == (OTHER,)
    assert added.case.handler == INSPECTOR
    [entry] = added.entries
    assert (entry.entry, entry.fields["colleague"]) == ("co_handler_added", OTHER)
    removed = act(added.case, RemoveCoHandler(inspector=OTHER), by)
    assert removed.case.colleagues == ()
    assert removed.entries[0].entry == "co_handler_removed"


def test_a_second_inspector_does_what_an_inspector_does_but_decide_who_handles_the_case() -> None:
    of_two = with_co_handler()
    act(of_two, AddNote(text="x"), OTHER)
    act(of_two, tracking.AskCitizen(text="?"), OTHER)
    act(of_two, Propose(outcome=Outcome.NOT_UPHELD, reasons="x"), OTHER)
    act(of_two, ConsultColleague(colleague=THIRD, text="?"), OTHER, colleague=inspector(THIRD))
    for command in (
        AddCoHandler(inspector=THIRD),
        RemoveCoHandler(inspector=OTHER),
        tracking.Assign(inspector=THIRD),
        tracking.Approve(),
    ):
        with pytest.raises(NotAllowed):
            act(of_two, command, OTHER, colleague=inspector(THIRD), staff=inspector(THIRD))
    with pytest.raises(NotAllowed):
        act(handled(), AddNote(text="x"), OTHER)
    with pytest.raises(NotAllowed):
        act(handled(), AddCoHandler(inspector=OTHER), SCREENER, colleague=inspector(OTHER))


@pytest.mark.parametrize(
    ("colleague", "why"),
    [
        (None, "not_an_inspector"),
        (inspector(OTHER, inspector=False), "not_an_inspector"),
        (inspector(OTHER, active=False), "inactive"),
        (inspector(OTHER, conflicted=True), "conflict_of_interest"),
    ],
)
def test_a_colleague_is_judged_as_an_inspector_is(colleague: Any, why: str) -> None:
    for command in (AddCoHandler(inspector=OTHER), ConsultColleague(colleague=OTHER, text="?")):
        with pytest.raises(InvalidField) as raised:
            act(handled(), command, INSPECTOR, colleague=colleague)
        assert reason(raised) == why


def test_who_decided_before_is_no_colleague_in_the_review() -> None:
    review = handled(Stage.REVIEW, excluded_staff=(OTHER,))
    with pytest.raises(InvalidField) as raised:
        act(review, AddCoHandler(inspector=OTHER), INSPECTOR, colleague=inspector(OTHER))
    assert reason(raised) == "decided_it_before"
    with pytest.raises(AlreadyHandles):
        act(review, ConsultColleague(colleague=INSPECTOR, text="?"), HEAD, colleague=inspector(INSPECTOR))
    with pytest.raises(WrongStage):
        act(handled(Stage.DECIDED), AddCoHandler(inspector=OTHER), HEAD, colleague=inspector(OTHER))
    with pytest.raises(InvalidField) as raised:
        act(with_co_handler(), AddCoHandler(inspector=THIRD), INSPECTOR, colleague=inspector(THIRD))
    assert reason(raised) == "has_a_co_handler"


def test_who_is_consulted_answers_and_does_nothing_else() -> None:
    consulted_case = consulted()
    assert (consulted_case.consulted, consulted_case.handler) == ((OTHER,), INSPECTOR)
    with pytest.raises(NotAllowed):
        act(consulted_case, AddNote(text="x"), OTHER)
    with pytest.raises(NotAllowed):
        act(consulted_case, EndConsultation(consultation_id=consultation(consulted_case)), OTHER)
    for another in (INSPECTOR, HEAD):
        with pytest.raises(NotAllowed):
            act(consulted_case, AnswerConsultation(consultation_id=consultation(consulted_case), text="!"), another)
    with pytest.raises(InvalidField):
        act(consulted_case, AnswerConsultation(consultation_id=uuid4(), text="!"), OTHER)
    answered = act(consulted_case, AnswerConsultation(consultation_id=consultation(consulted_case), text="!"), OTHER)
    [entry] = answered.entries
    assert (entry.details["text"], entry.fields["asked_by"]) == ("!", INSPECTOR)
    assert answered.case.colleagues == ()
    with pytest.raises(NotAllowed):
        act(answered.case, AnswerConsultation(consultation_id=consultation(consulted_case), text="!"), OTHER)


def test_a_consultation_is_ended_by_who_works_on_the_case_and_is_asked_once() -> None:
    consulted_case = consulted()
    with pytest.raises(InvalidField) as raised:
        consulted(consulted_case)
    assert reason(raised) == "sees_it_already"
    ended_one = act(consulted_case, EndConsultation(consultation_id=consultation(consulted_case)), INSPECTOR)
    assert ended_one.case.colleagues == ()
    assert ended_one.entries[0].entry == "consultation_ended"


def test_colleagues_end_with_the_case_and_a_co_handler_does_not_review_the_decision() -> None:
    both = act(
        with_co_handler(), ConsultColleague(colleague=THIRD, text="?"), INSPECTOR, colleague=inspector(THIRD)
    ).case
    decided = act(
        replace(both, kind=Kind.CRITICISM), tracking.Decide(outcome=Outcome.NOT_UPHELD, reasons="x"), INSPECTOR
    )
    assert ended(decided) == ["decided", "co_handler_removed", "consultation_ended"]
    after = rules.end_with_case(decided)
    assert after.case.colleagues == ()
    assert {INSPECTOR, OTHER} <= set(after.case.excluded_staff)
    assert THIRD not in after.case.excluded_staff
    assert all(entry.fields["ended_with_case"] for entry in after.entries[1:])


def test_a_co_handler_who_is_given_the_case_is_its_inspector_alone() -> None:
    given = act(with_co_handler(), tracking.Assign(inspector=OTHER), HEAD, staff=inspector(OTHER))
    assert ended(given) == ["handed_over", "co_handler_removed"]
    given = act(with_co_handler(), tracking.Assign(inspector=THIRD), HEAD, staff=inspector(THIRD))
    assert ended(given) == ["handed_over"]


def test_who_leaves_is_a_colleague_no_longer() -> None:
    change = rules.gone(with_co_handler(), {OTHER})
    assert (change.case.colleagues, [entry.entry for entry in change.entries]) == ((), ["co_handler_removed"])
    assert rules.gone(with_co_handler(), {THIRD}).entries == []
