"""Whatever commands are given, in whatever order, a case never leaves the lifecycle that DOMAIN draws."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import tracking
from contracts.errors import (
    Conflict,
    Invalid,
    NotAllowed,
)
from contracts.vocabulary import OPEN_STAGES, Channel, Kind, Outcome, RefusalReason, RootCause, Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import Case, Change, Context
from services.tracking.colleagues import rules as colleagues
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
    ("screening", "decided"),
    ("screening", "refused"),
    ("screening", "merged"),
    ("merged", "screening"),
    ("refused", "screening"),
    ("closed", "screening"),
    ("decided", "screening"),
    ("investigating", "screening"),
    ("awaiting_citizen", "screening"),
    ("awaiting_unit", "screening"),
    ("review", "screening"),
    ("refused", "closed"),
    ("investigating", "awaiting_citizen"),
    ("investigating", "awaiting_unit"),
    ("awaiting_citizen", "investigating"),
    ("awaiting_unit", "investigating"),
    ("awaiting_citizen", "closed"),
    ("closed", "investigating"),
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
"""DOMAIN's drawing, written out by hand: what TRANSITIONS must not exceed; with the ways back (docs/adr/0009, 0027) and that of a
case that was closed unanswered."""

ENDS = {Stage.CLOSED, Stage.MERGED, Stage.WITHDRAWN}


def test_the_transition_table_matches_the_diagram() -> None:
    transitions = {
        (str(start), str(end)) for ways in TRANSITIONS.values() for start, end in ways.items() if start is not end
    }
    assert transitions == DRAWN


commands = st.one_of(
    st.builds(tracking.StartScreening),
    st.builds(tracking.Correct, urgent=st.booleans()),
    st.builds(tracking.Correct, kind=st.sampled_from(Kind)),
    st.builds(tracking.ReturnToScreening, reason=st.just("x")),
    st.builds(tracking.Reopen, reason=st.just("x")),
    st.builds(tracking.Refuse, reason=st.sampled_from(RefusalReason), explanation=st.just("x")),
    st.builds(tracking.Merge, into=st.just(UUID(int=9))),
    st.builds(tracking.Assign, inspector=st.sampled_from([INSPECTOR, OTHER])),
    st.builds(tracking.AskCitizen, text=st.just("?")),
    st.builds(tracking.AskUnit, text=st.just("?")),
    st.builds(tracking.AddNote, text=st.just("x")),
    st.builds(tracking.AddEvidence, uploads=st.just(["u" * 22])),
    st.builds(
        tracking.Decide,
        outcome=st.sampled_from(Outcome),
        reasons=st.just("x"),
        root_causes=st.lists(st.sampled_from(RootCause), max_size=1),
    ),
    st.builds(
        tracking.Propose,
        outcome=st.sampled_from(Outcome),
        reasons=st.just("x"),
        root_causes=st.just([RootCause.PROCESS]),
        recommendations=st.just([tracking.Recommendation(text="x", due_on=date(2026, 12, 20))]),
    ),
    st.builds(
        tracking.SettleEarly,
        agreement=st.just("x"),
        agreed_at=st.just(NOON),
        agreed_by=st.just(Channel.PHONE),
        consented=st.booleans(),
        reasons=st.just("x"),
    ),
    st.builds(tracking.Approve),
    st.builds(tracking.ReturnProposal, reason=st.just("x")),
    st.builds(
        tracking.SettleRecommendation,
        recommendation_id=st.just(UUID(int=8)),
        accepted=st.booleans(),
        reason=st.just("x"),
    ),
    st.builds(tracking.Remind, on=st.just(date(2027, 12, 1)), text=st.just("x")),
    st.builds(tracking.AddCheck, text=st.just("x")),
    st.builds(tracking.TickCheck, item_id=st.just(UUID(int=7)), done=st.booleans()),
    st.builds(tracking.LinkCase, to=st.just(UUID(int=9)), linked=st.booleans()),
    st.builds(tracking.AddCoHandler, inspector=st.sampled_from([INSPECTOR, OTHER])),
    st.builds(tracking.RemoveCoHandler, inspector=st.sampled_from([INSPECTOR, OTHER])),
    st.builds(tracking.ConsultColleague, colleague=st.sampled_from([INSPECTOR, OTHER]), text=st.just("?")),
    st.builds(tracking.AnswerConsultation, consultation_id=st.just(UUID(int=6)), text=st.just("!")),
    st.builds(tracking.EndConsultation, consultation_id=st.just(UUID(int=6))),
    st.builds(tracking.Close),
    st.builds(tracking.AnswerQuestion, text=st.just("!")),
    st.just("unit answers"),
    st.builds(tracking.SendEvidence, uploads=st.just(["s" * 22])),
    st.builds(tracking.SendMessage, text=st.just("!"), uploads=st.sampled_from([[], ["m" * 22]])),
    st.builds(tracking.CorrectMessage, message_id=st.just(UUID(int=5)), text=st.just("!")),
    st.builds(tracking.WithdrawMessage, message_id=st.just(UUID(int=5))),
    st.builds(tracking.CorrectFiled, text=st.just("!")),
    st.builds(tracking.WithdrawEvidence, media_id=st.just("s" * 22)),
    st.builds(tracking.Withdraw),
    st.builds(tracking.RaiseObjection, text=st.just("x")),
    st.builds(tracking.Rate, score=st.integers(1, 5)),
    st.sampled_from(["tick", "another calendar", "the citizen asks to go on"]),
    st.sampled_from(["withdrawn", "refused", "decided"]).map(lambda end: f"the other case is {end}"),
)
TRIED = {
    *("start_screening", "correct", "refuse", "merge", "assign", "ask_citizen", "ask_unit", "add_note", "add_evidence"),
    *("decide", "propose", "approve", "return_proposal", "settle_recommendation", "remind", "add_check", "tick_check"),
    *("link_case", "close", "answer_question", "answer_unit_question", "withdraw", "object", "rate"),
    *("send_evidence", "add_co_handler", "remove_co_handler", "consult_colleague", "answer_consultation"),
    *("end_consultation", "reopen", "return_to_screening", "settle_early"),
    *("send_message", "correct_message", "withdraw_message", "correct_filed", "withdraw_evidence"),
}
"""What is tried below; "lapse", "part", "close_unanswered" and "resume" come of others."""


def test_every_command_is_tried() -> None:
    """Whoever draws another command tries it in the sequences too."""
    of_visits = {rule.name for rule in visits.COMMANDS}  # tried in test_tracking_visits.py
    assert set(TRANSITIONS) - of_visits == {*TRIED, "lapse", "part", "close_unanswered", "resume"}


WEEKS = (WEEK, Workdays(frozenset({4}), frozenset({date(2026, 12, 5), date(2026, 12, 6)})))
REPORTED = IssuedRecommendation(UUID(int=8), "dep", "x", date(2026, 12, 1), "reported_done")
tries = st.lists(st.tuples(commands, st.sampled_from(list(PEOPLE)), st.integers(0, 12)), max_size=40)
FORWARD = [tracking.StartScreening(), tracking.Assign(inspector=INSPECTOR)]


@settings(max_examples=400, deadline=None)
@given(tries, st.sampled_from(Kind), st.booleans(), st.booleans())
def test_no_sequence_of_commands_leaves_the_diagram(
    drawn_commands: list[Any], kind: Kind, ahead: bool, four_eyes: bool
) -> None:
    current, open_question, at, objections = case(kind=kind), None, NOON, 0
    calendar = 0
    if ahead:
        drawn_commands = [(command, HEAD, 0) for command in FORWARD] + drawn_commands
    for command, who, days in drawn_commands:
        at += timedelta(days=days)
        staff = inspector(command.inspector or INSPECTOR) if isinstance(command, tracking.Assign) else None
        facts = context(
            who,
            at,
            question=open_question,
            staff=staff,
            other_case=case(Stage.SCREENING, number="1405-2"),
            recommended=REPORTED,
            colleague=inspector(_colleague_of(command)),
        )
        facts = replace(facts, new_id=UUID(int=6)) if isinstance(command, tracking.ConsultColleague) else facts
        calendar += command == "another calendar"
        facts = replace(facts, calendar=calendar, workdays=WEEKS[calendar % 2])
        facts = replace(facts, four_eyes=frozenset({kind}) if four_eyes else frozenset())
        try:
            change = colleagues.end_with_case(_try(current, command, facts))
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
        if current.stage in ENDS and change.entries:
            last = change.entries[-1].entry
            reopens = last in {"citizen_answered", "resumed"}
            assert reopens or last in {
                *("recommendation_settled", "joined_decided", "reopened", "rated"),
                *("refusal_taken_back", "decision_taken_back", "closing_taken_back", "merge_undone"),
            }
            assert not reopens or current.unanswered
        assert (change.case.merged_into is not None) == (change.case.stage is Stage.MERGED)
        if change.entries and change.entries[-1].entry == "decided":
            assert change.case.final == (current.stage is Stage.REVIEW)
            assert not four_eyes or (current.proposal is not None and current.proposal["by"] != facts.actor.id)
            assert UUID(facts.actor.id) in change.case.excluded_staff
            assert current.proposal is None or UUID(current.proposal["by"]) in change.case.excluded_staff
            decider = UUID(
                current.proposal["by"] if isinstance(command, tracking.Approve) and current.proposal else facts.actor.id
            )
            assert not change.case.final or decider not in current.excluded_staff
            assert not change.case.final or UUID(facts.actor.id) not in set(current.excluded_staff) - {current.approver}
        if effect(change, QuestionLapsed) or effect(change, QuestionAnswered):
            open_question = None
        question_asked = effect(change, QuestionAsked)
        open_question = question_asked.question if question_asked else open_question
        if change.entries and change.entries[-1].entry == "decision_taken_back":
            objections = 0  # against a decision that there is no more
        current = change.case
        assert (open_question is not None) == current.has_question
        over = current.stage not in OPEN_STAGES or current.handler is None
        assert not (over and current.colleagues)
        assert str(current.handler) not in {line["staff"] for line in current.colleagues}
        assert not set(current.co_handlers) & (set(current.excluded_staff) if current.stage is Stage.REVIEW else set())
        assert current.proposal is None or current.stage in {Stage.SCREENING, Stage.INVESTIGATING, Stage.REVIEW}
        assert (current.pending_question is not None) == (open_question is not None)
        assert (current.paused_on is not None) == (current.stage is Stage.AWAITING_CITIZEN or current.unanswered)
        assert objections <= 1
        assert (
            current.handler is None
            or current.stage is not Stage.REVIEW
            or current.handler not in current.excluded_staff
        )


def _colleague_of(command: Any) -> UUID:
    if isinstance(command, tracking.AddCoHandler):
        return command.inspector
    return command.colleague if isinstance(command, tracking.ConsultColleague) else OTHER


def _try(current: Case, command: Any, facts: Context) -> Change:
    if isinstance(command, str) and command.startswith("the other case is"):
        if current.stage is not Stage.MERGED:
            raise Conflict(reason="not merged")
        return merging.merged_case_ended(current, end_of_the_other(command.split()[-1]), False, facts)
    if command == "tick":
        return deadlines.raise_due_alarms(current, facts)
    if command == "the citizen asks to go on":
        return inquiry.resume(current, facts)
    if command == "another calendar":
        return deadlines.rescheduled(current, facts)
    if command == "unit answers":
        question_id = facts.question.question_id if facts.question else uuid4()
        return inquiry.answer_unit_question(current, question_id, "!", [], facts)
    if isinstance(
        command,
        tracking.AnswerQuestion
        | tracking.SendEvidence
        | tracking.SendMessage
        | tracking.CorrectMessage
        | tracking.WithdrawMessage
        | tracking.CorrectFiled
        | tracking.WithdrawEvidence
        | tracking.Withdraw
        | tracking.RaiseObjection
        | tracking.Rate,
    ):
        return COMMANDS.act_as_citizen(current, command, facts)
    return COMMANDS.act(current, command, facts)
