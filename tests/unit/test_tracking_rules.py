"""The rules of a case's life, one sentence each; and, below, that no sequence of commands leaves the drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.errors import (
    ClosedUnit,
    GroundNotForKind,
    Invalid,
    InvalidField,
    NotAllowed,
    UnknownGround,
    UnknownUnit,
    UnknownUpload,
    WrongStage,
)
from contracts.gateway import Actor
from contracts.tracking import (
    AddNote,
    AnswerQuestion,
    AskCitizen,
    AskUnit,
    Assign,
    Close,
    Correct,
    RaiseObjection,
    Rate,
    Refuse,
    StartScreening,
    Withdraw,
)
from contracts.vocabulary import OPEN_STAGES, ActorKind, Outcome, RefusalReason, Role, Stage
from services.tracking.case.lifecycle import Case, Listed, StaffFacts
from services.tracking.inquiry import rules as inquiry
from services.tracking.inquiry.rules import (
    QuestionAsked,
    QuestionLapsed,
)
from services.tracking.merging import rules as merging
from services.tracking.merging.rules import REASONS_OF_THE_MATTER
from services.tracking.rules import COMMANDS
from tests.support.cases import (
    HEAD,
    INSPECTOR,
    OTHER,
    SCREENER,
    UNIT,
    WEEK,
    act,
    case,
    context,
    decide,
    end_of_the_other,
    inspector,
    later,
    offered,
    question,
)
from tests.support.changes import sure

# --- screening ---


def test_a_refusal_has_an_offered_reason_with_its_current_name() -> None:
    kept = {"refusal_reasons": {"no_stamp": Listed("بی‌مهر", "Unstamped"), "old": Listed("کهنه", "Old", active=False)}}
    for code, why in (("repeat", "unknown_code"), ("old", "not_offered")):
        with pytest.raises(InvalidField) as refused:
            act(case(Stage.SCREENING), Refuse(reason=code, explanation="x"), SCREENER, **kept)
        assert refused.value.params["fields"] == [{"field": "reason", "reason": why}]
    change = act(case(Stage.SCREENING), Refuse(reason="no_stamp", explanation="x"), SCREENER, **kept)
    assert change.case.names == {"refusal": {"no_stamp": {"name_fa": "بی‌مهر", "name_en": "Unstamped"}}}
    assert change.entries[0].fields == {"reason": "no_stamp", "reason_fa": "بی‌مهر", "reason_en": "Unstamped"}


def test_a_screened_case_is_accepted_by_assigning_it() -> None:
    change = act(case(Stage.SCREENING), Assign(inspector=INSPECTOR), SCREENER, staff=inspector())
    assert change.case.stage is Stage.INVESTIGATING
    assert change.case.handler == INSPECTOR
    assert [step.entry for step in change.entries] == ["assigned"]


def test_handing_over_keeps_the_stage_and_records_the_former_handler() -> None:
    assigned_case = case(Stage.AWAITING_UNIT, handler=INSPECTOR)
    change = act(assigned_case, Assign(inspector=OTHER), SCREENER, staff=inspector(OTHER), question=question("dep"))
    assert change.case.stage is Stage.AWAITING_UNIT
    assert (change.case.handler, change.case.previous_handlers) == (OTHER, (INSPECTOR,))
    assert change.entries[0].entry == "handed_over"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (None, "not_an_inspector"),
        (inspector(inspector=False), "not_an_inspector"),
        (inspector(active=False), "inactive"),
        (inspector(conflicted=True), "conflict_of_interest"),
    ],
)
def test_a_case_is_not_assigned_to_excluded_staff(facts: StaffFacts | None, reason: str) -> None:
    with pytest.raises(InvalidField) as raised:
        act(case(Stage.SCREENING), Assign(inspector=INSPECTOR), staff=facts)
    assert raised.value.params["fields"] == [{"field": "inspector", "reason": reason}]


def test_a_case_about_no_unit_is_not_assigned_since_a_conflict_could_not_be_seen() -> None:
    with pytest.raises(InvalidField):
        act(case(Stage.SCREENING, unit=None), Assign(inspector=INSPECTOR), staff=inspector())


def test_correcting_changes_only_what_is_given() -> None:
    change = act(case(Stage.SCREENING), Correct(ground="conduct"))
    assert (change.case.ground, change.case.unit) == ("conduct", "dep")
    assert change.entries[0].details == {"before": {"ground": "delay"}, "after": {"ground": "conduct"}}


@pytest.mark.parametrize(
    ("command", "facts", "error"),
    [
        (Correct(unit="x"), {"unit": None}, UnknownUnit),
        (Correct(unit="x"), {"unit": replace(UNIT, root=True)}, UnknownUnit),
        (Correct(unit="x"), {"unit": replace(UNIT, active=False)}, ClosedUnit),
        (Correct(ground="x"), {"ground_kinds": None}, UnknownGround),
        (Correct(ground="x"), {"ground_kinds": frozenset({"information"})}, GroundNotForKind),
        (Correct(), {}, InvalidField),
        (Correct(unit="dep", ground="delay", urgent=False), {}, InvalidField),
    ],
)
def test_invalid_corrections_are_refused(command: Correct, facts: Mapping[str, Any], error: type[Invalid]) -> None:
    with pytest.raises(error):
        act(case(Stage.SCREENING), command, **facts)


def test_an_urgent_case_is_due_the_next_working_day_and_calming_restores_the_old_day() -> None:
    urgent = act(case(Stage.SCREENING), Correct(urgent=True), at=later(2)).case
    assert urgent.expected_on == date(2026, 11, 24)
    assert act(urgent, Correct(urgent=False), at=later(3)).case.expected_on == date(2026, 12, 12)


# --- the inquiry ---


def test_the_deadline_is_paused_by_a_question_to_the_citizen_until_the_answer() -> None:
    investigated_case = case(Stage.INVESTIGATING)
    citizen_asked = act(investigated_case, AskCitizen(text="؟"), at=later(1))
    assert investigated_case.expected_on == date(2026, 12, 12)
    assert citizen_asked.case.expected_on is None
    answered = COMMANDS.act_as_citizen(
        citizen_asked.case,
        AnswerQuestion(text="!"),
        context(at=later(8), question=sure(citizen_asked, QuestionAsked).question),
    )
    assert answered.case.expected_on == date(2026, 12, 19)  # five working days later
    assert answered.case.paused_on is None


def test_the_deadline_runs_during_a_question_to_a_unit_due_in_five_days() -> None:
    unit_asked = act(case(Stage.INVESTIGATING), AskUnit(text="؟"))
    assert unit_asked.case.expected_on == case().expected_on
    assert sure(unit_asked, QuestionAsked).question.due_on == date(2026, 11, 28)


def test_a_unit_sees_only_media_of_the_case() -> None:
    with pytest.raises(UnknownUpload):
        act(case(Stage.INVESTIGATING), AskUnit(text="؟", media=["m" * 22]), media=frozenset())


def test_a_question_delays_a_decision_only_until_its_due_day() -> None:
    unit_asked, open_question = case(Stage.AWAITING_UNIT), question("dep", date(2026, 11, 28))
    with pytest.raises(WrongStage):
        act(unit_asked, decide(), question=open_question, at=later(7))
    change = act(unit_asked, decide(), question=open_question, at=later(8))
    assert [(step.previous_stage, step.case.stage) for step in change.entries] == [
        (Stage.AWAITING_UNIT, Stage.INVESTIGATING),
        (Stage.INVESTIGATING, Stage.DECIDED),
    ]
    assert sure(change, QuestionLapsed).question_id == open_question.question_id


def test_an_answer_to_another_question_is_refused() -> None:
    unit_asked = case(Stage.AWAITING_UNIT)
    with pytest.raises(WrongStage):
        inquiry.answer_unit_question(unit_asked, uuid4(), "پاسخ", [], context(question=question("dep")))


@pytest.mark.parametrize("outcome", [Outcome.UPHELD, Outcome.PARTLY_UPHELD])
def test_an_upheld_case_names_a_root_cause(outcome: Outcome) -> None:
    with pytest.raises(InvalidField):
        act(case(Stage.INVESTIGATING), decide(outcome))


def test_an_inspector_acts_only_on_a_case_of_their_own() -> None:
    investigated_case = case(Stage.INVESTIGATING, handler=INSPECTOR)
    assert (
        replace(
            act(investigated_case, AddNote(text="x"), INSPECTOR).case, next_check_on=investigated_case.next_check_on
        )
        == investigated_case
    )
    with pytest.raises(NotAllowed):
        act(investigated_case, AddNote(text="x"), OTHER)


@pytest.mark.parametrize(
    ("who", "command"),
    [
        (SCREENER, decide()),
        (SCREENER, AddNote(text="x")),
        (SCREENER, Close()),
        (INSPECTOR, StartScreening()),
        (INSPECTOR, Assign(inspector=OTHER)),
        (INSPECTOR, Close()),
    ],
)
def test_each_role_has_its_own_commands(who: UUID, command: Any) -> None:
    with pytest.raises(NotAllowed):
        act(case(Stage.INVESTIGATING, handler=INSPECTOR), command, who, staff=inspector(OTHER))


def test_a_citizen_is_not_staff_with_any_claimed_roles() -> None:
    citizen = Actor(kind=ActorKind.CITIZEN, id=str(HEAD), roles=frozenset({Role.HEAD}))
    with pytest.raises(NotAllowed):
        COMMANDS.act(case(), StartScreening(), replace(context(), actor=citizen))


# --- after the decision ---


def decided(who: UUID = INSPECTOR) -> Case:
    return act(case(Stage.INVESTIGATING, handler=INSPECTOR), decide(), who).case


def test_an_objection_is_possible_for_ten_working_days() -> None:
    decided_case = decided()
    assert decided_case.objection_until == date(2026, 12, 5)
    last_day, too_late = context(at=later(14)), context(at=later(15))
    assert COMMANDS.act_as_citizen(decided_case, RaiseObjection(text="نه"), last_day).case.stage is Stage.REVIEW
    with pytest.raises(WrongStage):
        COMMANDS.act_as_citizen(decided_case, RaiseObjection(text="نه"), too_late)
    assert "object" in offered(decided_case, last_day.today)
    assert "object" not in offered(decided_case, too_late.today)


def test_an_objection_is_reviewed_by_somebody_who_did_not_decide() -> None:
    review = COMMANDS.act_as_citizen(decided(HEAD), RaiseObjection(text="نه"), context()).case
    assert review.handler is None
    for excluded_staff in (HEAD, INSPECTOR):  # who decided, and whose case it was
        with pytest.raises(InvalidField):
            act(review, Assign(inspector=excluded_staff), staff=inspector(excluded_staff))
    with pytest.raises(NotAllowed):
        act(review, decide(), HEAD)
    reassigned = act(review, Assign(inspector=OTHER), staff=inspector(OTHER)).case
    final = act(reassigned, decide(), OTHER).case
    assert final.final
    assert final.objection_until is None
    with pytest.raises(WrongStage):
        COMMANDS.act_as_citizen(final, RaiseObjection(text="نه"), context())


def test_a_review_has_a_new_deadline() -> None:
    review = COMMANDS.act_as_citizen(decided(), RaiseObjection(text="نه"), context(at=later(7))).case
    assert review.expected_on == date(2026, 12, 19)


def test_a_rating_may_change_until_the_case_is_closed() -> None:
    rated = COMMANDS.act_as_citizen(decided(), Rate(score=1), context()).case
    rated = COMMANDS.act_as_citizen(rated, Rate(score=4), context()).case
    assert rated.score == 4
    with pytest.raises(WrongStage):
        COMMANDS.act_as_citizen(replace(rated, stage=Stage.CLOSED), Rate(score=5), context())


def test_closing_does_not_remove_the_right_to_object() -> None:
    with pytest.raises(WrongStage):
        act(decided(), Close(), at=later(14))
    assert act(decided(), Close(), at=later(15)).case.stage is Stage.CLOSED


@pytest.mark.parametrize("stage", Stage)
def test_only_an_open_case_is_withdrawn(stage: Stage) -> None:
    if stage in OPEN_STAGES:
        assert COMMANDS.act_as_citizen(case(stage), Withdraw(), context()).case.stage is Stage.WITHDRAWN
    else:
        with pytest.raises(WrongStage):
            COMMANDS.act_as_citizen(case(stage), Withdraw(), context())


@pytest.mark.parametrize("stage", Stage)
def test_only_an_open_case_without_a_pause_has_a_due_day(stage: Stage) -> None:
    assert (case(stage).expected_on is not None) == (stage in OPEN_STAGES)


# --- merged ---


def merged(**changes: Any) -> Case:
    return case(Stage.MERGED, merged_into=UUID(int=9), **changes)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("withdrawn", ""),
        *(("refused", reason) for reason in [*sorted(set(RefusalReason) - REASONS_OF_THE_MATTER), "of_our_own"]),
    ],
)
def test_actions_or_omissions_of_another_citizen_end_no_merged_complaint(entry: str, reason: str) -> None:
    change = merging.merged_case_ended(merged(), end_of_the_other(entry, reason), False, context(at=later(100)))
    assert (change.case.stage, change.case.merged_into) == (Stage.SCREENING, None)
    assert [step.entry for step in change.entries] == ["reopened"]
    assert change.entries[0].details == {"number": "1405-000002", "after": entry}
    assert change.case.expected_on == WEEK.after(context(at=later(100)).today, 15)  # the first day is long past
    assert change.case.next_check_on is not None


@pytest.mark.parametrize("reason", sorted(REASONS_OF_THE_MATTER))
def test_a_refusal_by_the_matter_applies_to_all_merged_complaints(reason: RefusalReason) -> None:
    change = merging.merged_case_ended(merged(), end_of_the_other("refused", reason), False, context())
    assert change.case.stage is Stage.MERGED
    [step] = change.entries
    assert step.fields == {"reason": reason, "reason_fa": "نام", "reason_en": "Name"}
    assert step.details == {**step.fields, "address": "نشانی"}


def test_an_informed_merged_case_keeps_its_outcome_when_the_objection_is_withdrawn() -> None:
    change = merging.merged_case_ended(merged(), end_of_the_other("withdrawn"), True, context())
    assert (change.entries, change.case.stage) == ([], Stage.MERGED)
