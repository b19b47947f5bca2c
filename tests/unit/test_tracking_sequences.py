"""Whatever commands are given, in whatever order, a case never leaves the lifecycle that DOMAIN draws."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import (
    Conflict,
    Invalid,
    NotAllowed,
)
from contracts.tracking import (
    AddCheck,
    AddEvidence,
    AddNote,
    AnswerQuestion,
    Approve,
    AskCitizen,
    AskUnit,
    Assign,
    Close,
    Correct,
    Decide,
    LinkCase,
    Merge,
    Propose,
    RaiseObjection,
    Rate,
    Recommendation,
    Refuse,
    Remind,
    ReturnProposal,
    SendEvidence,
    SettleRecommendation,
    StartScreening,
    TickCheck,
    Withdraw,
)
from contracts.vocabulary import OPEN_STAGES, Kind, Outcome, RefusalReason, RootCause, Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import Case, Change, Context
from services.tracking.decisions.rules import IssuedRecommendation
from services.tracking.inquiry import rules as inquiry
from services.tracking.inquiry.rules import (
    QuestionAnswered,
    QuestionAsked,
    QuestionLapsed,
)
from services.tracking.merging import rules as merging
from services.tracking.reference.workdays import Workdays
from services.tracking.rules import COMMANDS, TRANSITIONS
from services.tracking.visits import rules as visits
from tests.support.cases import HEAD, INSPECTOR, NOON, OTHER, PEOPLE, WEEK, case, context, end_of_the_other, inspector
from tests.support.changes import effect

DRAWN = {
    ("registered", "screening"),
    ("screening", "investigating"),
    ("screening", "refused"),
    ("screening", "merged"),
    ("merged", "screening"),
    ("refused", "closed"),
    ("investigating", "awaiting_citizen"),
    ("investigating", "awaiting_unit"),
    ("awaiting_citizen", "investigating"),
    ("awaiting_unit", "investigating"),
    ("investigating", "decided"),
    ("decided", "closed"),
    ("decided", "review"),
    ("review", "decided"),
    ("registered", "withdrawn"),
    ("screening", "withdrawn"),
    ("investigating", "withdrawn"),
    ("awaiting_citizen", "withdrawn"),
    ("awaiting_unit", "withdrawn"),
    ("review", "withdrawn"),
}
"""DOMAIN's drawing, written out by hand: what TRANSITIONS must not exceed; with the way back of a merged case (docs/adr/0008)."""

ENDS = {Stage.CLOSED, Stage.MERGED, Stage.WITHDRAWN}


def test_the_table_is_the_drawing() -> None:
    moves = {(str(start), str(end)) for ways in TRANSITIONS.values() for start, end in ways.items() if start is not end}
    assert moves == DRAWN


commands = st.one_of(
    st.builds(StartScreening),
    st.builds(Correct, urgent=st.booleans()),
    st.builds(Refuse, reason=st.sampled_from(RefusalReason), explanation=st.just("x")),
    st.builds(Merge, into=st.just(UUID(int=9))),
    st.builds(Assign, inspector=st.sampled_from([INSPECTOR, OTHER])),
    st.builds(AskCitizen, text=st.just("?")),
    st.builds(AskUnit, text=st.just("?")),
    st.builds(AddNote, text=st.just("x")),
    st.builds(AddEvidence, uploads=st.just(["u" * 22])),
    st.builds(
        Decide,
        outcome=st.sampled_from(Outcome),
        reasons=st.just("x"),
        root_causes=st.lists(st.sampled_from(RootCause), max_size=1),
    ),
    st.builds(
        Propose,
        outcome=st.sampled_from(Outcome),
        reasons=st.just("x"),
        root_causes=st.just([RootCause.PROCESS]),
        recommendations=st.just([Recommendation(text="x", due_on=date(2026, 12, 20))]),
    ),
    st.builds(Approve),
    st.builds(ReturnProposal, reason=st.just("x")),
    st.builds(
        SettleRecommendation, recommendation_id=st.just(UUID(int=8)), accepted=st.booleans(), reason=st.just("x")
    ),
    st.builds(Remind, on=st.just(date(2027, 12, 1)), text=st.just("x")),
    st.builds(AddCheck, text=st.just("x")),
    st.builds(TickCheck, item_id=st.just(UUID(int=7)), done=st.booleans()),
    st.builds(LinkCase, to=st.just(UUID(int=9)), linked=st.booleans()),
    st.builds(Close),
    st.builds(AnswerQuestion, text=st.just("!")),
    st.just("unit answers"),
    st.builds(SendEvidence, uploads=st.just(["s" * 22])),
    st.builds(Withdraw),
    st.builds(RaiseObjection, text=st.just("x")),
    st.builds(Rate, score=st.integers(1, 5)),
    st.sampled_from(["tick", "another calendar"]),
    st.sampled_from(["withdrawn", "refused", "decided"]).map(lambda end: f"the other case is {end}"),
)
TRIED = {
    *("start_screening", "correct", "refuse", "merge", "assign", "ask_citizen", "ask_unit", "add_note", "add_evidence"),
    *("decide", "propose", "approve", "return_proposal", "settle_recommendation", "remind", "add_check", "tick_check"),
    *("link_case", "close", "answer_question", "answer_unit_question", "withdraw", "object", "rate"),
    "send_evidence",
}
"""What is tried below; "lapse" and "part" come of others."""


def test_every_command_is_tried() -> None:
    """Whoever draws another command tries it in the sequences too."""
    of_visits = {rule.name for rule in visits.COMMANDS}  # tried in test_tracking_visits.py
    assert set(TRANSITIONS) - of_visits == {*TRIED, "lapse", "part"}


WEEKS = (WEEK, Workdays(frozenset({4}), frozenset({date(2026, 12, 5), date(2026, 12, 6)})))
REPORTED = IssuedRecommendation(UUID(int=8), "dep", "x", date(2026, 12, 1), "reported_done")
tries = st.lists(st.tuples(commands, st.sampled_from(list(PEOPLE)), st.integers(0, 12)), max_size=40)
FORWARD = [StartScreening(), Assign(inspector=INSPECTOR)]


@settings(max_examples=400, deadline=None)
@given(tries, st.sampled_from(Kind), st.booleans(), st.booleans())
def test_no_sequence_of_commands_leaves_the_drawing(moves: list[Any], kind: Kind, ahead: bool, four_eyes: bool) -> None:
    one, open_question, at, objections = case(kind=kind), None, NOON, 0
    calendar = 0
    if ahead:
        moves = [(command, HEAD, 0) for command in FORWARD] + moves
    for command, who, days in moves:
        at += timedelta(days=days)
        staff = inspector(command.inspector or INSPECTOR) if isinstance(command, Assign) else None
        facts = context(
            who,
            at,
            question=open_question,
            staff=staff,
            other_case=case(Stage.SCREENING, number="1405-2"),
            recommended=REPORTED,
        )
        calendar += command == "another calendar"
        facts = replace(facts, calendar=calendar, workdays=WEEKS[calendar % 2])
        facts = replace(facts, four_eyes=frozenset({kind}) if four_eyes else frozenset())
        try:
            change = _try(one, command, facts)
        except (Conflict, Invalid, NotAllowed):
            continue
        if command == "tick":
            assert deadlines.raise_due_alarms(change.case, facts).entries == []  # once
            assert len(set(change.case.alarms_raised)) == len(change.case.alarms_raised)
            assert change.case.next_check_on is None or change.case.next_check_on > facts.today
        if (
            change.case.due_from
            and change.case.due_days
            and not change.case.paused_on
            and change.case.stage in OPEN_STAGES
        ):
            owed = deadlines.due_date(WEEK, change.case.due_from, change.case.due_days, change.case.pauses)
            assert calendar or change.case.due_on == owed
        for step in change.entries:
            before = step.previous_stage
            assert before is None or (str(before), str(step.case.stage)) in DRAWN
            objections += step.entry == "objected"
        assert not change.entries or change.case.stage is change.entries[-1].case.stage
        if one.stage in ENDS and change.entries:
            assert change.entries[-1].entry in {"recommendation_settled", "joined_decided", "reopened"}
        assert (change.case.merged_into is not None) == (change.case.stage is Stage.MERGED)
        if change.entries and change.entries[-1].entry == "decided":
            assert change.case.final == (one.stage is Stage.REVIEW)
            assert not four_eyes or (one.proposal is not None and one.proposal["by"] != facts.actor.id)
            assert UUID(facts.actor.id) in change.case.excluded_staff
            assert one.proposal is None or UUID(one.proposal["by"]) in change.case.excluded_staff
            decider = UUID(one.proposal["by"] if isinstance(command, Approve) and one.proposal else facts.actor.id)
            assert not change.case.final or decider not in one.excluded_staff
            assert not change.case.final or UUID(facts.actor.id) not in set(one.excluded_staff) - {one.approver}
        if effect(change, QuestionLapsed) or effect(change, QuestionAnswered):
            open_question = None
        asked = effect(change, QuestionAsked)
        open_question = asked.question if asked else open_question
        one = change.case
        assert (open_question is not None) == (one.stage in {Stage.AWAITING_CITIZEN, Stage.AWAITING_UNIT})
        assert one.proposal is None or one.stage in {Stage.INVESTIGATING, Stage.REVIEW}
        assert (one.pending_question is not None) == (open_question is not None)
        assert (one.paused_on is not None) == (one.stage is Stage.AWAITING_CITIZEN)
        assert objections <= 1
        assert one.handler is None or one.stage is not Stage.REVIEW or one.handler not in one.excluded_staff


def _try(one: Case, command: Any, facts: Context) -> Change:
    if isinstance(command, str) and command.startswith("the other case is"):
        if one.stage is not Stage.MERGED:
            raise Conflict(reason="not merged")
        return merging.merged_case_ended(one, end_of_the_other(command.split()[-1]), False, facts)
    if command == "tick":
        return deadlines.raise_due_alarms(one, facts)
    if command == "another calendar":
        return deadlines.rescheduled(one, facts)
    if command == "unit answers":
        asked = facts.question.question_id if facts.question else uuid4()
        return inquiry.answer_unit_question(one, asked, "!", [], facts)
    if isinstance(command, AnswerQuestion | SendEvidence | Withdraw | RaiseObjection | Rate):
        return COMMANDS.act_as_citizen(one, command, facts)
    return COMMANDS.act(one, command, facts)
