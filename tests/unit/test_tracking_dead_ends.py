"""Whatever happens to a case, in whatever order: while it is open somebody is told and can act, and it can be brought to its end;
and every mistake of the office is undone, with its trace (DOMAIN: The people, The life of a case)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import tracking
from contracts.errors import Conflict, Invalid, NotAllowed
from contracts.vocabulary import OPEN_STAGES, Kind, Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import PUBLIC_ENTRIES, Case, Change, Context, Question
from services.tracking.inquiry.rules import QuestionAnswered, QuestionAsked, QuestionLapsed
from services.tracking.reopening.rules import mistake_of
from services.tracking.rules import COMMANDS
from tests.support.cases import (
    HEAD,
    INSPECTOR,
    NOON,
    OTHER,
    OTHER_HEAD,
    PEOPLE,
    SCREENER,
    UNIT,
    case,
    context,
    inspector,
)
from tests.support.changes import effect
from tests.unit.test_tracking_sequences import FORWARD, REPORTED, commands
from tests.unit.test_tracking_sequences import _try as attempt

EVERY_KIND = frozenset(str(kind) for kind in Kind)
tries = st.lists(st.tuples(commands, st.sampled_from(list(PEOPLE)), st.integers(0, 12)), max_size=30)


@dataclass
class Life:
    """A case, the question that it waits for, and all that was ever written into its timeline."""

    case: Case
    at: datetime = NOON
    question: Question | None = None
    entries: list[str] = field(default_factory=list)

    def context(self, who: UUID, command: Any = None) -> Context:
        staff = inspector(command.inspector or INSPECTOR) if isinstance(command, tracking.Assign) else None
        other = case(Stage.SCREENING, number="1405-2")
        facts: dict[str, Any] = {"staff": staff, "other_case": other, "recommended": REPORTED}
        return context(who, self.at, question=self.question, ground_kinds=EVERY_KIND, **facts)

    def apply(self, command: Any, who: UUID) -> bool:
        """Whether it was done."""
        try:
            change = attempt(self.case, command, self.context(who, command))
        except (Conflict, Invalid, NotAllowed):
            return False
        self.take(change)
        return True

    def take(self, change: Change) -> None:
        if effect(change, QuestionLapsed) or effect(change, QuestionAnswered):
            self.question = None
        question_asked = effect(change, QuestionAsked)
        self.question = question_asked.question if question_asked else self.question
        self.case = change.case
        self.entries += [step.entry for step in change.entries]

    def days_pass(self, days: int) -> list[str]:
        """What the calendar raises meanwhile."""
        self.at += timedelta(days=days)
        before = len(self.entries)
        self.take(deadlines.raise_due_alarms(self.case, self.context(HEAD)))
        return self.entries[before:]


def lived(drawn: Sequence[tuple[Any, UUID, int]], kind: Kind, ahead: bool) -> Life:
    life = Life(case(kind=kind))
    for command, who, days in [*((command, HEAD, 0) for command in FORWARD if ahead), *drawn]:
        life.at += timedelta(days=days)
        life.apply(command, who)
    return life


@settings(max_examples=300, deadline=None)
@given(tries, st.sampled_from(Kind), st.booleans())
def test_an_open_case_always_has_somebody_who_is_told_and_can_act(drawn: Any, kind: Kind, ahead: bool) -> None:
    life = lived(drawn, kind, ahead)
    if life.case.stage not in OPEN_STAGES:
        return
    if life.case.stage in (Stage.INVESTIGATING, Stage.AWAITING_CITIZEN, Stage.AWAITING_UNIT):
        assert life.case.handler is not None
    # Who is told: the handler, or whoever has the role, when the time comes; whatever was raised before.
    assert life.case.next_check_on is not None or "mayor" in str(life.case.alarms_raised)
    # Who can act: it comes to a decision, whatever it waits for and whoever must not decide it.
    life.days_pass(60)
    if life.case.unanswered:  # closed since the citizen is silent: they may answer still, or the head reopens it
        assert life.apply(tracking.Reopen(reason="x"), HEAD)
    if life.case.stage is Stage.REGISTERED:
        assert life.apply(tracking.StartScreening(), SCREENER)
    if life.case.stage in (Stage.SCREENING, Stage.REVIEW) and life.case.handler is None:
        chosen = [who for who in (INSPECTOR, OTHER) if who not in life.case.excluded_staff]
        free = chosen if life.case.stage is Stage.REVIEW else [INSPECTOR]
        # In this office of two inspectors both may have decided it: then a head does.
        assert not free or life.apply(tracking.Assign(inspector=free[0]), SCREENER)
    if life.case.proposal is not None:
        assert life.apply(tracking.ReturnProposal(reason="x"), HEAD)
    decision = tracking.Decide(outcome="not_upheld", reasons="x")
    able = [who for who in (life.case.handler, HEAD, OTHER_HEAD) if who is not None]
    assert any(life.apply(decision, who) for who in able) or life.apply(tracking.ReturnToScreening(reason="x"), HEAD)
    assert life.case.stage in (Stage.DECIDED, Stage.SCREENING)


@settings(max_examples=300, deadline=None)
@given(tries, st.sampled_from(Kind), st.booleans())
def test_every_end_that_the_office_made_is_taken_back_and_its_trace_stays(drawn: Any, kind: Kind, ahead: bool) -> None:
    life = lived(drawn, kind, ahead)
    if life.case.stage in OPEN_STAGES | {Stage.WITHDRAWN}:
        return
    before, mistake = list(life.entries), mistake_of(life.case)
    assert life.apply(tracking.Reopen(reason="x"), HEAD)
    assert life.entries[: len(before)] == before
    [entry] = life.entries[len(before) :]
    assert entry in PUBLIC_ENTRIES
    assert {"merged": "merge", "refused": "refusal", "decided": "decision", "closed": "closing"}[mistake] in entry
    assert (life.case.stage, life.case.handler, life.question) == (Stage.SCREENING, None, None)
    assert life.days_pass(0) == []  # nobody is late by it
    # It ends by itself again, once it is decided again.
    assert life.apply(tracking.Assign(inspector=INSPECTOR), SCREENER)
    assert life.apply(tracking.Decide(outcome="not_upheld", reasons="x"), INSPECTOR)
    assert life.days_pass(100)[-1] == "closed"


CORRECTIONS: dict[str, tuple[tracking.Correct, Callable[[Case], tracking.Correct]]] = {
    "ground": (tracking.Correct(ground="conduct"), lambda before: tracking.Correct(ground=before.ground)),
    "urgent": (tracking.Correct(urgent=True), lambda before: tracking.Correct(urgent=False)),
    "kind": (tracking.Correct(kind=Kind.CRITICISM), lambda before: tracking.Correct(kind=before.kind)),
}


@pytest.mark.parametrize("name", list(CORRECTIONS))
@settings(max_examples=100, deadline=None)
@given(tries, st.integers(0, 6))
def test_a_correction_made_by_mistake_is_taken_back(name: str, drawn: Any, days: int) -> None:
    life, (mistaken, right) = lived(drawn, Kind.COMPLAINT, True), CORRECTIONS[name]
    life.days_pass(0)  # what was due anyway
    before = life.case
    if not life.apply(mistaken, SCREENER):
        return
    assert life.days_pass(0) == []
    life.days_pass(days)
    assert life.apply(right(before), SCREENER)
    assert life.days_pass(0) == []
    same = {"version", "history_hash", "calendar", "alarms_raised"}
    same |= {"due_from", "due_days", "due_on", "mark_on", "next_check_on"}
    assert {**vars(before), **dict.fromkeys(same)} == {**vars(life.case), **dict.fromkeys(same)}
    assert [entry for entry in life.entries if entry not in ("deadline_warned", "escalated", "citizen_reminded")][
        -2:
    ] == ["corrected"] * 2
    # The day is the one that was promised, unless that is over.
    assert before.due_on is not None
    assert life.case.due_on is not None
    today = life.case.paused_on or context(at=life.at).today  # the clock stands while the citizen is asked
    assert life.case.due_on == before.due_on or before.due_on < today <= life.case.due_on


@settings(max_examples=100, deadline=None)
@given(tries)
def test_a_wrong_unit_found_later_leads_back_to_screening_from_wherever_it_is(drawn: Any) -> None:
    life = lived(drawn, Kind.COMPLAINT, True)
    if life.case.stage not in OPEN_STAGES - {Stage.REGISTERED, Stage.SCREENING}:
        return
    was, before = life.case, list(life.entries)
    assert life.apply(tracking.ReturnToScreening(reason="x"), HEAD)
    assert life.entries[: len(before)] == before
    assert (life.case.stage, life.case.handler, life.case.proposal) == (Stage.SCREENING, None, None)
    assert was.handler is None or was.handler in life.case.previous_handlers
    other = replace(UNIT, code="elsewhere")
    change = COMMANDS.act(
        life.case,
        tracking.Correct(unit="elsewhere"),
        context(SCREENER, life.at, unit=other),
    )
    assert change.case.unit == "elsewhere"
