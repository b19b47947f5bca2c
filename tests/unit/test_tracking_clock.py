"""The clock of a case: pauses, holidays and other calendars; who is warned, where it goes up, when it is closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.tracking import AskCitizen, AskUnit, Decide, RaiseObjection, Refuse, StartScreening
from contracts.vocabulary import Kind, Outcome, Stage
from services.tracking.case import deadlines, rules
from services.tracking.case.lifecycle import Case, Change
from services.tracking.reference.workdays import TEHRAN, Deadlines, Rule, Workdays, day_of
from services.tracking.rules import COMMANDS
from tests.support.cases import NOON, WEEK, act, case, context, later, question

calendars = st.builds(
    Workdays,
    st.frozensets(st.integers(0, 6), max_size=5),
    st.frozensets(st.dates(date(2026, 11, 1), date(2027, 2, 28)), max_size=30),
)
days = st.dates(date(2026, 11, 1), date(2026, 12, 31))
ASKING = {"unit": "dep", "on": "2026-11-21", "days": 5, "due_on": "2026-11-28"}
pauses = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=5)


def ticked(one: Case, at: datetime, **facts: Any) -> Change:
    return deadlines.raise_due_alarms(one, replace(context(at=at), **facts))


def said(change: Change) -> list[str]:
    return [f"{step.details['step']}:{step.details.get('level', 'warning')}" for step in change.entries]


# --- arithmetic ---


@given(calendars, days, st.integers(1, 40), pauses)
def test_the_day_owed_is_the_same_counted_at_once_or_pause_by_pause(
    calendar: Workdays, start: date, owed: int, stood: list[tuple[int, int]]
) -> None:
    one = replace(case(), due_from=start, due_days=owed, due_on=calendar.after(start, owed), pauses=())
    today = start
    for after, length in stood:
        today += timedelta(days=after)
        one = deadlines.paused(one, today)
        today += timedelta(days=length)
        one = deadlines.resumed(one, today, calendar)
    assert one.due_on == deadlines.due_date(calendar, start, owed, one.pauses)
    assert one.due_on is not None
    assert calendar.works(one.due_on)
    # What was worked on, not counting the days that the clock stood, is what was owed.
    assert calendar.between(start, one.due_on) == owed + deadlines.paused_workdays(calendar, one.pauses)


@given(calendars, days, st.integers(1, 40), st.dates(date(2026, 11, 1), date(2027, 2, 28)))
def test_one_more_holiday_never_brings_a_deadline_nearer(calendar: Workdays, start: date, owed: int, day: date) -> None:
    more = replace(calendar, holidays=calendar.holidays | {day})
    moved = more.after(start, owed)
    due = calendar.after(start, owed)
    assert moved >= due
    assert (moved == due) == (not calendar.works(day) or not start < day <= due)


@settings(deadline=None)
@given(st.lists(calendars, min_size=1, max_size=4), days, st.integers(1, 40), pauses, st.booleans())
def test_a_calendar_that_changed_often_is_as_if_the_last_had_always_been(
    those: list[Workdays], start: date, owed: int, stood: list[tuple[int, int]], asked: bool
) -> None:
    """However often the city changes its mind, a case is reckoned by its last calendar, and twice by the same changes nothing."""
    one = replace(case(Stage.INVESTIGATING), due_from=start, due_days=owed, due_on=WEEK.after(start, owed))
    today = start
    for after, length in stood:
        today += timedelta(days=after)
        one = deadlines.paused(one, today)
        today += timedelta(days=length)
        one = deadlines.resumed(one, today, WEEK)
    if asked:
        one = replace(one, stage=Stage.AWAITING_UNIT, pending_question={**ASKING, "on": today.isoformat(), "days": 5})
    for version, calendar in enumerate(those, 1):
        facts = replace(context(at=later(1)), workdays=calendar, calendar=version)
        one = deadlines.rescheduled(one, facts).case
        again = deadlines.rescheduled(one, facts)
        assert (again.case, again.entries) == (one, [])
    assert one.due_on == deadlines.due_date(those[-1], start, owed, one.pauses)
    assert one.calendar == len(those)
    if asked:
        assert one.pending_question is not None
        assert one.pending_question["due_on"] == those[-1].after(today, 5).isoformat()


@settings(deadline=None)
@given(st.lists(calendars, max_size=4), st.integers(0, 20))
def test_the_time_to_object_is_never_made_shorter(those: list[Workdays], passed: int) -> None:
    one = act(case(Stage.INVESTIGATING), Decide(outcome=Outcome.NOT_UPHELD, reasons="x", root_causes=[])).case
    for version, calendar in enumerate(those, 1):
        promised = one.objection_until
        assert promised is not None
        facts = replace(context(at=later(passed)), workdays=calendar, calendar=version)
        one = deadlines.rescheduled(one, facts).case
        assert one.objection_until is not None
        assert one.objection_until >= promised
        # What is over is not opened again.
        assert promised >= facts.today or one.objection_until == promised


@given(calendars, days, st.integers(1, 40))
def test_a_pause_within_one_day_costs_nothing(calendar: Workdays, start: date, owed: int) -> None:
    day = start.isoformat()
    assert deadlines.due_date(calendar, start, owed, [(day, day)]) == calendar.after(start, owed)


@given(
    st.datetimes(datetime(1995, 1, 1), datetime(2022, 12, 31)),
    st.integers(1, 40),
    calendars,
)
def test_the_hour_is_nothing_even_in_years_when_tehran_changed_its_clocks(
    local: datetime, owed: int, calendar: Workdays
) -> None:
    """Whatever the hour of filing, and on whichever side of a change to summer time."""
    moments = [
        datetime.combine(local.date(), hour, TEHRAN).astimezone(UTC) for hour in (time(2), local.time(), time(23, 59))
    ]
    opened = [
        rules.opened(replace(case(), filed_at=moment), calendar, Deadlines(decision=dict.fromkeys(Kind, owed)))
        for moment in moments
    ]
    assert {one.due_from for one in opened} == {local.date()}
    assert {one.due_on for one in opened} == {calendar.after(local.date(), owed)}


def test_summer_time_of_old_dates_is_known() -> None:
    # 2022-03-21 20:00 UTC is half past eleven in the evening; an hour later in the summer of that year is tomorrow.
    assert day_of(datetime(2022, 3, 21, 20, 0, tzinfo=UTC)) == date(2022, 3, 21)
    assert day_of(datetime(2022, 6, 21, 20, 0, tzinfo=UTC)) == date(2022, 6, 22)
    assert day_of(datetime(2023, 6, 21, 20, 0, tzinfo=UTC)) == date(2023, 6, 21)


def test_the_row_that_names_the_most_wins_and_settings_are_the_default() -> None:
    deadlines = Deadlines(
        rules=(
            Rule("decision", 20, kind="complaint"),
            Rule("decision", 7, kind="complaint", ground="conduct"),
            Rule("decision", 2, kind="complaint", ground="conduct", urgent=True),
            Rule("unit", 3),
        )
    )
    assert deadlines.days("decision", Kind.COMPLAINT, "delay", False) == 20
    assert deadlines.days("decision", Kind.COMPLAINT, "conduct", False) == 7
    assert deadlines.days("decision", Kind.COMPLAINT, "conduct", True) == 2
    assert deadlines.days("decision", Kind.COMPLAINT, "delay", True) == 1  # urgent by the settings
    assert deadlines.days("decision", Kind.INFORMATION, "waste", False) == 30
    assert deadlines.days("unit", Kind.COMPLAINT, "delay", False) == 3
    assert deadlines.days("first_reading", Kind.COMPLAINT, "delay", False) == 2


# --- what the scheduler says ---


def test_the_handler_is_warned_at_four_fifths_and_past_it_the_case_goes_up_step_by_step() -> None:
    one = case(Stage.INVESTIGATING)  # filed on Saturday 21 November, owed on 12 December
    assert one.due_on == date(2026, 12, 12)
    expected = {15: [], 16: ["decision:warning"], 21: [], 22: ["decision:head"], 28: [], 29: ["decision:mayor"]}
    for day, words in expected.items():  # 7 December is the 12th of 15 working days
        change = ticked(one, later(day))
        assert said(change) == words
        one = change.case
    assert one.next_check_on is None


def test_nobody_is_warned_while_the_clock_stands() -> None:
    asked = act(case(Stage.INVESTIGATING), AskCitizen(text="؟"), at=later(1))
    assert said(ticked(asked.case, later(60))) == ["citizen:warning"]


def test_a_unit_that_is_late_is_warned_and_then_told_on() -> None:
    one = act(case(Stage.INVESTIGATING), AskUnit(text="؟")).case  # five days, until 28 November
    warned = ticked(one, later(4))
    assert said(warned) == ["unit:warning"]
    late = ticked(warned.case, later(8))
    assert said(late) == ["unit:head"]
    assert late.entries[0].fields["unit_asked"] == "dep"
    asked_again = act(replace(late.case, stage=Stage.INVESTIGATING), AskUnit(text="؟"), at=later(8)).case
    assert said(ticked(asked_again, later(14)))[:1] == ["unit:warning"]


def test_a_first_reading_is_owed_in_two_working_days() -> None:
    one = case()
    assert one.first_due_on == date(2026, 11, 23)
    assert said(ticked(one, later(2))) == ["first_reading:warning"]
    late = ticked(one, later(3))
    assert said(late) == ["first_reading:warning", "first_reading:head"]
    assert ticked(act(one, StartScreening()).case, later(3)).entries == []


def test_a_decided_case_closes_when_nobody_can_object_any_more() -> None:
    decided = act(case(Stage.INVESTIGATING), Decide(outcome=Outcome.NOT_UPHELD, reasons="x")).case
    assert ticked(decided, later(14)).entries == []
    closed = ticked(decided, later(15))
    assert closed.case.stage is Stage.CLOSED
    assert closed.case.next_check_on is None


def test_a_refused_case_closes_after_the_days_of_the_setting() -> None:
    refused = act(case(Stage.SCREENING), Refuse(reason="no_reasons", explanation="x")).case
    short = replace(Deadlines(), auto_close=3)
    assert ticked(refused, later(4), deadlines=short).case.stage is Stage.CLOSED
    assert ticked(refused, later(3), deadlines=short).case.stage is Stage.REFUSED


def test_an_objection_sets_the_clock_anew_and_its_warnings_with_it() -> None:
    decided = replace(
        case(Stage.DECIDED), objection_until=date(2026, 12, 5), alarms_raised=("decision:warning", "decision:head")
    )
    review = COMMANDS.act_as_citizen(decided, RaiseObjection(text="x"), context(at=later(7))).case
    assert review.alarms_raised == ()
    assert review.due_from == day_of(later(7))


# --- the calendar changes ---


@given(calendars, calendars, st.integers(0, 20), pauses)
def test_under_another_calendar_a_case_is_as_if_it_had_always_been_so(
    old: Workdays, new: Workdays, wait: int, stood: list[tuple[int, int]]
) -> None:
    def lived(calendar: Workdays) -> tuple[Case, date]:
        one = replace(rules.opened(case(), calendar, Deadlines()), stage=Stage.INVESTIGATING)
        today = day_of(NOON) + timedelta(days=wait)
        for after, length in stood:
            today += timedelta(days=after)
            one = deadlines.paused(one, today)
            today += timedelta(days=length)
            one = deadlines.resumed(one, today, calendar)
        return one, today

    (one, today), (other, _) = lived(old), lived(new)
    moment = datetime.combine(today, time(12), TEHRAN)
    change = deadlines.rescheduled(one, replace(context(at=moment), workdays=new, calendar=7))
    assert change.case.due_on == other.due_on
    assert change.case.calendar == 7
    assert [step.entry for step in change.entries] == (["rescheduled"] if one.due_on != other.due_on else [])
    assert deadlines.rescheduled(change.case, replace(context(at=moment), workdays=new, calendar=7)).entries == []


def test_a_case_of_the_release_before_keeps_its_day_and_gets_a_clock() -> None:
    old = replace(case(Stage.INVESTIGATING), due_from=None, due_days=None, next_check_on=None)
    change = deadlines.rescheduled(old, replace(context(), calendar=1))
    assert change.case.due_on == old.due_on
    assert change.entries == []
    assert change.case.next_check_on is not None


def test_the_time_to_object_never_grows_shorter() -> None:
    decided = act(case(Stage.INVESTIGATING), Decide(outcome=Outcome.NOT_UPHELD, reasons="x")).case
    more_work = replace(context(), workdays=Workdays(frozenset()), calendar=2)
    assert deadlines.rescheduled(decided, more_work).case.objection_until == decided.objection_until
    less_work = replace(context(), workdays=Workdays(WEEK.weekend, frozenset({date(2026, 11, 24)})), calendar=2)
    assert deadlines.rescheduled(decided, less_work).case.objection_until == date(2026, 12, 6)


def test_a_units_last_day_moves_with_the_calendar() -> None:
    asked = act(case(Stage.INVESTIGATING), AskUnit(text="؟")).case
    holiday = Workdays(WEEK.weekend, frozenset({date(2026, 11, 24)}))
    moved = deadlines.rescheduled(asked, replace(context(question=question("dep")), workdays=holiday, calendar=2)).case
    assert moved.pending_question is not None
    assert moved.pending_question["due_on"] == "2026-11-29"


@pytest.mark.parametrize("stage", [Stage.MERGED, Stage.WITHDRAWN, Stage.CLOSED])
def test_what_is_over_is_left_alone(stage: Stage) -> None:
    assert ticked(case(stage), later(400)).entries == []
