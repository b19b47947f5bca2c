"""A citizen who does not answer: reminded, closed in the end, reopened by one message; and until when a case may be rated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import now
from contracts.errors import WrongStage
from contracts.notify import CitizenReplied, Reply
from contracts.tracking import (
    AnswerQuestion,
    AskCitizen,
    CaseObjected,
    CaseRated,
    CaseResumed,
    CaseUnanswered,
    CitizenReminded,
    Close,
    Decide,
    RaiseObjection,
    Rate,
    ReplyRefused,
)
from contracts.vocabulary import Outcome, Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import Case, Change, Question
from services.tracking.case.record import snapshot
from services.tracking.citizens import replies
from services.tracking.inquiry import rules as inquiry
from services.tracking.inquiry.rules import QuestionAnswered, QuestionAsked, QuestionLapsed
from services.tracking.reference.workdays import Deadlines, Rule, day_of
from services.tracking.rules import COMMANDS
from tests.support.cases import NOON, WEEK, act, case, context, decide, later, offered
from tests.support.changes import sure

ASKED_ON = day_of(NOON)


def asked(**changes: Any) -> tuple[Case, Question]:
    change = act(case(Stage.INVESTIGATING, **changes), AskCitizen(text="؟"))
    return change.case, sure(change, QuestionAsked).question


def on(of_case: Case, day: date, **facts: Any) -> Change:
    return deadlines.raise_due_alarms(of_case, replace(context(at=later((day - ASKED_ON).days)), **facts))


def entries(change: Change) -> list[str]:
    return [entry.entry for entry in change.entries]


def workday(count: int) -> date:
    return WEEK.after(ASKED_ON, count)


def unanswered_case() -> tuple[Case, Question]:
    """Closed on the day after the last one."""
    waiting, question = asked()
    return on(waiting, workday(30) + timedelta(days=1)).case, question


def replied(reply: Reply) -> CitizenReplied:
    return CitizenReplied(id=uuid4(), occurred_at=now(), case_id=uuid4(), reply=reply)


# --- the clock ---


def test_the_citizen_is_reminded_then_the_inspector_may_go_on_then_the_case_is_closed() -> None:
    waiting, _ = asked()
    assert waiting.next_check_on == workday(5)
    told: list[tuple[date, str]] = []
    current = waiting
    for day in (ASKED_ON + timedelta(days=passed) for passed in range(60)):
        change = on(current, day)
        told += [(day, entry) for entry in entries(change)]
        current = change.case
    assert told == [
        (workday(5), "citizen_reminded"),
        (workday(10) + timedelta(days=1), "deadline_warned"),
        (workday(30) + timedelta(days=1), "closed_unanswered"),
    ]
    assert (current.stage, current.unanswered, current.expected_on) == (Stage.CLOSED, True, None)
    assert current.next_check_on is None


def test_the_events_name_the_days() -> None:
    waiting, _ = asked()
    [reminded] = on(waiting, workday(5)).entries
    assert (reminded.event, reminded.fields) == (CitizenReminded, {"close_on": workday(30)})
    closed = on(waiting, workday(30) + timedelta(days=1)).entries[-1]
    until = WEEK.after(workday(30) + timedelta(days=1), 10)
    assert (closed.event, closed.fields, closed.previous_stage) == (
        CaseUnanswered,
        {"object_until": until},
        Stage.AWAITING_CITIZEN,
    )
    assert closed.details["reason"] == "unanswered"
    assert snapshot(closed.case, closed.previous_stage).object_until == until


def test_the_days_are_rows_of_the_administrators_table() -> None:
    own = Deadlines(rules=(Rule("citizen_reminder", 2), Rule("citizen_close", 12, kind="complaint")))
    waiting, _ = asked()
    assert entries(on(waiting, workday(2), deadlines=own)) == ["citizen_reminded"]
    assert on(waiting, workday(12), deadlines=own).case.stage is Stage.AWAITING_CITIZEN
    assert on(waiting, workday(12) + timedelta(days=1), deadlines=own).case.unanswered


def test_a_case_is_not_closed_before_the_day_that_the_citizen_was_given() -> None:
    hasty = Deadlines(citizen_close=3)
    waiting, _ = asked()
    assert on(waiting, workday(10), deadlines=hasty).case.stage is Stage.AWAITING_CITIZEN
    assert on(waiting, workday(10) + timedelta(days=1), deadlines=hasty).case.unanswered


def test_a_case_without_any_way_to_reach_its_citizen_follows_the_same_clock() -> None:
    waiting, _ = asked(anonymous=True)
    assert entries(on(waiting, workday(5))) == ["citizen_reminded"]
    assert on(waiting, workday(31)).case.unanswered


def test_an_answer_ends_the_clock_and_another_question_begins_it_anew() -> None:
    waiting, question = asked()
    reminded = on(waiting, workday(5)).case
    answer = AnswerQuestion(text="!")
    answered = COMMANDS.act_as_citizen(reminded, answer, context(at=later(8), question=question)).case
    assert {"citizen_reminded", "closed_unanswered"}.isdisjoint(entries(on(answered, workday(40))))
    again = act(answered, AskCitizen(text="؟"), at=later(8)).case
    assert entries(on(again, WEEK.after(day_of(later(8)), 5))) == ["citizen_reminded"]


@pytest.mark.parametrize("unit", ["dep"])
def test_a_unit_that_does_not_answer_closes_nothing(unit: str) -> None:
    waiting = replace(
        case(Stage.AWAITING_UNIT),
        pending_question={"unit": unit, "on": ASKED_ON.isoformat(), "days": 5, "due_on": workday(5).isoformat()},
    )
    assert on(waiting, workday(60)).case.stage is Stage.AWAITING_UNIT


# --- one message reopens it ---


def test_one_message_reopens_the_case_with_the_clock_where_it_stood() -> None:
    closed, question = unanswered_case()
    assert offered(closed, closed.objection_until or ASKED_ON) == ["answer_question"]
    moment = later(50)
    change = COMMANDS.act_as_citizen(closed, AnswerQuestion(text="!"), context(at=moment, question=question))
    assert entries(change) == ["citizen_answered"]
    assert change.entries[0].previous_stage is Stage.CLOSED
    assert sure(change, QuestionAnswered).question_id == question.question_id
    reopened = change.case
    assert (reopened.stage, reopened.pending_question, reopened.objection_until) == (Stage.INVESTIGATING, None, None)
    asked_after = WEEK.between(ASKED_ON, day_of(moment))
    assert reopened.expected_on == WEEK.after(case().due_on or ASKED_ON, asked_after)
    assert reopened.next_check_on is not None


def test_after_the_time_for_objection_nothing_reopens_it() -> None:
    closed, question = unanswered_case()
    assert closed.objection_until is not None
    last = (closed.objection_until - ASKED_ON).days
    COMMANDS.act_as_citizen(closed, AnswerQuestion(text="!"), context(at=later(last), question=question))
    too_late = context(at=later(last + 1), question=question)
    with pytest.raises(WrongStage):
        COMMANDS.act_as_citizen(closed, AnswerQuestion(text="!"), too_late)
    with pytest.raises(WrongStage):
        inquiry.resume(closed, too_late)
    assert offered(closed, closed.objection_until + timedelta(days=1)) == []


@pytest.mark.parametrize("command", [RaiseObjection(text="x"), Rate(score=1)])
def test_a_case_closed_unanswered_has_no_decision_to_object_to_or_rate(command: Any) -> None:
    closed, question = unanswered_case()
    with pytest.raises(WrongStage):
        COMMANDS.act_as_citizen(closed, command, context(at=later(44), question=question))


def test_a_decided_case_that_was_closed_is_not_reopened_by_an_answer() -> None:
    closed = replace(case(Stage.CLOSED), objection_until=day_of(later(90)))
    with pytest.raises(WrongStage):
        COMMANDS.act_as_citizen(closed, AnswerQuestion(text="!"), context(at=later(1)))


def test_the_word_by_sms_reopens_it_without_the_answer() -> None:
    closed, question = unanswered_case()
    change = inquiry.resume(closed, context(at=later(50), question=question))
    assert (change.entries[0].event, change.case.stage) == (CaseResumed, Stage.INVESTIGATING)
    assert sure(change, QuestionLapsed).question_id == question.question_id
    assert change.case.pending_question is None


@given(st.integers(0, 120))
def test_whenever_it_is_asked_the_citizen_has_thirty_working_days(day: int) -> None:
    start = day_of(later(day))
    change = act(case(Stage.INVESTIGATING), AskCitizen(text="؟"), at=later(day))
    last = WEEK.after(start, 30)
    assert not on(change.case, last).case.unanswered
    assert on(change.case, last + timedelta(days=1)).case.unanswered


# --- until when a case may be rated ---


def closed_case(by: str, final: bool = False) -> Case:
    decided = act(case(Stage.REVIEW if final else Stage.INVESTIGATING), decide()).case
    if by == "calendar":
        return on(decided, day_of(later(40))).case
    return act(decided, Close(), at=later(40)).case


@pytest.mark.parametrize("by", ["calendar", "head"])
@pytest.mark.parametrize("final", [False, True])
def test_a_rating_may_be_given_until_thirty_days_after_the_closing(by: str, final: bool) -> None:
    closed = closed_case(by, final)
    assert (closed.stage, closed.rate_until) == (Stage.CLOSED, day_of(later(70)))
    assert offered(closed, day_of(later(70))) == ["rate"]
    rated = COMMANDS.act_as_citizen(closed, Rate(score=2), context(at=later(70)))
    assert (rated.case.score, rated.case.stage, entries(rated)) == (2, Stage.CLOSED, ["rated"])
    with pytest.raises(WrongStage):
        COMMANDS.act_as_citizen(closed, Rate(score=2), context(at=later(71)))
    assert offered(closed, day_of(later(71))) == []


def test_a_case_that_was_reopened_and_closed_unanswered_is_not_rated() -> None:
    closed, _ = unanswered_case()
    assert offered(replace(closed, rate_until=day_of(later(90))), day_of(later(44))) == ["answer_question"]


def test_the_days_for_a_rating_are_a_setting() -> None:
    decided = act(case(Stage.INVESTIGATING), decide()).case
    assert on(decided, day_of(later(40)), deadlines=Deadlines(rating=3)).case.rate_until == day_of(later(43))


# --- answers by SMS ---


def answered(of_case: Case, reply: Reply, at: int, question: Question | None = None) -> Change:
    """As the use case has it, without its database."""
    event = replied(reply)
    facts = context(at=later(at), question=question)
    change = replies.judged(of_case, event, facts)
    assert [entry.fields.get("reply_id") for entry in change.entries] == [event.id]
    return change


def test_an_answer_that_takes_effect_is_confirmed_by_its_id() -> None:
    decided = act(case(Stage.INVESTIGATING), Decide(outcome=Outcome.NOT_UPHELD, reasons="x")).case
    assert answered(decided, Reply.SATISFIED, 1).entries[0].event is CaseRated
    assert answered(decided, Reply.OBJECT, 1).entries[0].event is CaseObjected
    assert answered(closed_case("head"), Reply.SATISFIED, 60).case.score == 5
    closed, question = unanswered_case()
    assert answered(closed, Reply.RESUME, 44, question).entries[0].event is CaseResumed


@pytest.mark.parametrize(
    ("of_case", "reply", "at", "reason"),
    [
        (case(Stage.SCREENING), Reply.SATISFIED, 1, "no_effect"),
        (case(Stage.WITHDRAWN), Reply.OBJECT, 1, "no_effect"),
        (case(Stage.REVIEW, outcome=Outcome.UPHELD), Reply.OBJECT, 1, "known"),
        (case(Stage.REVIEW, outcome=Outcome.UPHELD), Reply.SATISFIED, 1, "no_effect"),
        (closed_case("head"), Reply.OBJECT, 41, "late"),
        (closed_case("head"), Reply.SATISFIED, 71, "late"),
        (closed_case("head", final=True), Reply.OBJECT, 41, "final"),
        (closed_case("head"), Reply.RESUME, 41, "no_effect"),
        (unanswered_case()[0], Reply.OBJECT, 44, "no_effect"),
    ],
)
def test_an_answer_that_cannot_take_effect_says_why_and_changes_nothing(
    of_case: Case, reply: Reply, at: int, reason: str
) -> None:
    change = answered(of_case, reply, at)
    assert (change.entries[0].event, change.entries[0].fields["reason"]) == (ReplyRefused, reason)
    assert (change.case, change.effects) == (of_case, ())
