"""The rules of visits, one sentence each; and that reminders wake nobody and slots fill the working day."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidField, SlotPast, SlotTaken, UnknownSlot, VisitNotBegun, WrongStage, WrongVisitState
from contracts.visits import VisitState
from contracts.vocabulary import OPEN_STAGES, Channel, Kind, Stage
from services.tracking.case.context import citizens_view
from services.tracking.case.lifecycle import PUBLIC_ENTRIES, TEXTS_SHOWN, Case, Change
from services.tracking.reference.workdays import TEHRAN, Workdays
from services.tracking.rules import COMMANDS
from services.tracking.visits import rules
from services.tracking.visits.rules import BOOKED, OPEN, Lead, Slot, Visit, VisitFacts, VisitSaved
from tests.support.changes import sure

NOON = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)  # a Saturday, noon in Tehran
INSPECTOR, OTHER = UUID(int=1), UUID(int=2)
LEAD = Lead()


def case(stage: Stage = Stage.INVESTIGATING, **changes: Any) -> Case:
    values: dict[str, Any] = {
        "case_id": uuid4(),
        "number": "1405-000001",
        "code_hash": "0" * 64,
        "kind": Kind.COMPLAINT,
        "unit": "dep",
        "unit_name_fa": "معاونت",
        "unit_name_en": "Deputyship",
        "ground": "delay",
        "stage": stage,
        "channel": Channel.WEB,
        "anonymous": False,
        "filed_at": NOON,
        "handler": INSPECTOR,
    }
    return Case(**values | changes)


def slot(starts: timedelta = timedelta(days=3), **changes: Any) -> Slot:
    at = NOON + starts
    values: dict[str, Any] = {"capacity": 1, "taken": 0, "closed": False, "place_fa": "اتاق ۱", "place_en": "Room 1"}
    return replace(Slot(uuid4(), INSPECTOR, at, at + timedelta(minutes=30), **values), **changes)


def visit(state: VisitState = VisitState.ASKED, at: Slot | None = None, **changes: Any) -> Visit:
    return replace(Visit(uuid4(), uuid4(), state, NOON, at), **changes)


def visit_after(change: Change | None) -> Visit:
    assert change is not None
    return sure(change, VisitSaved).visit


def booked(at: Slot | None = None) -> Visit:
    return visit(VisitState.BOOKED, at or slot())


@pytest.mark.parametrize("stage", list(Stage))
def test_a_visit_is_requested_while_the_case_is_open(stage: Stage) -> None:
    if stage not in OPEN_STAGES:
        with pytest.raises(WrongStage):
            rules.ask(case(stage), None, NOON, uuid4())
        return
    done = rules.ask(case(stage), None, NOON, uuid4())
    assert visit_after(done).state is VisitState.ASKED
    assert [step.entry for step in done.entries] == ["visit_asked"]
    with pytest.raises(WrongVisitState):
        rules.ask(case(stage), visit_after(done), NOON, uuid4())


def test_a_visit_books_a_free_future_slot_of_the_cases_inspector() -> None:
    done = rules.book(case(), visit(), slot(capacity=2, taken=1), NOON, LEAD)
    assert visit_after(done).state is VisitState.BOOKED
    assert done.entries[0].fields["place_en"] == "Room 1"
    for bad, error in (
        (slot(taken=1), SlotTaken),
        (slot(timedelta(0)), SlotPast),
        (slot(closed=True), UnknownSlot),
        (slot(inspector=OTHER), UnknownSlot),
        (None, UnknownSlot),
    ):
        with pytest.raises(error):
            rules.book(case(), visit(), bad, NOON, LEAD)
    with pytest.raises(UnknownSlot):
        rules.book(case(handler=None), visit(), slot(), NOON, LEAD)


def test_slots_offered_for_a_visit_replace_all_others() -> None:
    chosen, own = slot(inspector=OTHER), slot()
    offered = visit_after(rules.offer(case(), visit(), [chosen], NOON))
    assert visit_after(rules.book(case(), offered, chosen, NOON, LEAD)).slot == chosen
    with pytest.raises(UnknownSlot):
        rules.book(case(), offered, own, NOON, LEAD)
    with pytest.raises(InvalidField):
        rules.offer(case(Stage.REVIEW, excluded_staff=(OTHER,)), visit(), [chosen], NOON)


def test_a_visit_is_moved_or_cancelled_until_it_begins() -> None:
    there, then = slot(), slot(timedelta(days=4))
    assert visit_after(rules.move(case(), booked(there), then, NOON, LEAD)).state is VisitState.MOVED
    with pytest.raises(InvalidField):
        rules.move(case(), booked(there), there, NOON, LEAD)
    with pytest.raises(WrongVisitState):
        rules.move(case(), visit(), then, NOON, LEAD)
    assert visit_after(rules.cancel(case(), booked(), NOON)).state is VisitState.CANCELLED
    begun = booked(slot(timedelta(0)))
    ways: list[Callable[[], Change]] = [
        lambda: rules.move(case(), begun, then, NOON, LEAD),
        lambda: rules.cancel(case(), begun, NOON),
        lambda: rules.call_off(case(), begun, NOON),
    ]
    for late in ways:
        with pytest.raises(SlotPast):
            late()


def test_the_result_of_a_visit_is_recorded_after_its_start_in_any_stage() -> None:
    begun = booked(slot(timedelta(0)))
    held = rules.hold(case(Stage.DECIDED), begun, "صورت‌جلسه", NOON)
    assert visit_after(held).state is VisitState.HELD
    assert held.entries[0].details["text"] == "صورت‌جلسه"
    assert "text" not in held.entries[0].fields
    assert visit_after(rules.miss(case(), begun, NOON)).state is VisitState.NO_SHOW
    with pytest.raises(VisitNotBegun):
        rules.hold(case(), booked(), "زود", NOON)


def test_the_citizen_reads_that_a_visit_was_held_and_not_its_minutes() -> None:
    assert "visit_held" in PUBLIC_ENTRIES
    assert "visit_held" not in TEXTS_SHOWN
    assert not {"visit_reminded", "visit_avoided"} & PUBLIC_ENTRIES


def test_a_cancelled_visit_is_requested_again_without_a_time() -> None:
    done = rules.call_off(case(), booked(), NOON)
    assert (visit_after(done).state, visit_after(done).slot) == (VisitState.ASKED, None)
    assert done.entries[0].fields["by"] == "office"
    assert done.entries[0].fields["starts_at"] == NOON + timedelta(days=3)


def test_the_end_of_a_case_cancels_a_visit_unless_it_has_begun() -> None:
    ends = {state: rules.ended(case(Stage.DECIDED), visit(state, slot()), NOON) for state in OPEN}
    assert {state: visit_after(end).state for state, end in ends.items() if end} == {
        VisitState.ASKED: VisitState.AVOIDED,
        **dict.fromkeys(BOOKED, VisitState.CANCELLED),
    }
    assert rules.ended(case(Stage.DECIDED), booked(slot(timedelta(0))), NOON) is None


def test_each_reminder_is_sent_once_and_two_due_together_are_one() -> None:
    there = visit_after(rules.book(case(), visit(), slot(timedelta(days=3)), NOON, LEAD))
    assert there.remind_day_at == NOON + timedelta(days=2)
    assert there.remind_hours_at == NOON + timedelta(days=2, hours=22)
    assert rules.remind(case(), there, NOON) is None
    day = rules.remind(case(), there, there.remind_day_at)
    assert day is not None
    assert day.entries[0].fields["before"] == "day"
    assert rules.remind(case(), visit_after(day), there.remind_day_at) is None
    both = rules.remind(case(), there, there.remind_hours_at)
    assert both is not None
    assert both.entries[0].fields["before"] == "hours"
    assert (visit_after(both).remind_day_at, visit_after(both).remind_hours_at) == (None, None)
    late = rules.remind(case(), there, NOON + timedelta(days=3))
    assert late is not None
    assert late.entries == []


def test_a_late_booking_gets_no_immediate_reminder() -> None:
    assert rules.reminders(NOON + timedelta(hours=1), NOON, LEAD) == (None, None)
    assert rules.reminders(NOON + timedelta(hours=5), NOON, LEAD) == (None, NOON + timedelta(hours=3))


@given(st.timedeltas(timedelta(0), timedelta(days=30)), st.timedeltas(timedelta(0), timedelta(days=30)))
def test_reminders_come_after_the_booking_before_the_visit_and_at_a_waking_hour(
    until: timedelta, since: timedelta
) -> None:
    starts, at = NOON + until, NOON + until - since
    day, hours = rules.reminders(starts, at, LEAD)
    for moment in (day, hours):
        if moment is not None:
            assert at < moment < starts
            assert 7 <= moment.astimezone(TEHRAN).hour < 22
    assert day is None or hours is None or day < hours


@given(
    st.dates(date(2026, 1, 1), date(2027, 12, 1)),
    st.integers(8 * 60, 13 * 60),
    st.integers(1, 300),
    st.integers(5, 120),
    st.sets(st.integers(0, 6), max_size=6),
)
def test_slots_of_a_week_are_consecutive_in_working_hours_of_working_days(
    first: date, opens: int, stays: int, minutes: int, weekend: set[int]
) -> None:
    hours = time(opens // 60, opens % 60), time((opens + stays) // 60, (opens + stays) % 60)
    workdays = Workdays(frozenset(weekend), frozenset({first}))
    made = list(rules.week(first, hours, minutes, workdays))
    assert len(made) == (stays // minutes) * sum(workdays.works(first + timedelta(days=n)) for n in range(7))
    for start, end in made:
        local = start.astimezone(TEHRAN)
        assert workdays.works(local.date())
        assert hours[0] <= local.time() < end.astimezone(TEHRAN).time() <= hours[1]
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(made))


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("state", [None, *sorted(OPEN)])
def test_every_action_offered_to_a_citizen_is_allowed(stage: Stage, state: VisitState | None) -> None:
    here = None if state is None else visit(state, slot() if state in BOOKED else None)
    other = slot(timedelta(days=5))
    ways: dict[str, Callable[[], Change]] = {
        "ask_visit": lambda: rules.ask(case(stage), here, NOON, uuid4()),
        "book_visit": lambda: rules.book(case(stage), here, other, NOON, LEAD),
        "move_visit": lambda: rules.move(case(stage), here, other, NOON, LEAD),
        "cancel_visit": lambda: rules.cancel(case(stage), here, NOON),
    }
    done = set()
    for name, way in ways.items():
        try:
            way()
        except (WrongStage, WrongVisitState):
            continue
        done.add(name)
    shown = COMMANDS.shown_to_citizen(case(stage), citizens_view(NOON, VisitFacts(here)))
    assert {command.type for command in shown if command.possible and command.type in ways} == done
