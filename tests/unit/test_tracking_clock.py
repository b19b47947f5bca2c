"""The clock of a case: pauses, holidays and other calendars; who is warned, where it goes up, when it is closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.tracking import AskCitizen, AskUnit, Correct, Decide, RaiseObjection, Refuse, StartScreening
from contracts.vocabulary import Kind, Outcome, Stage
from services.tracking.case import deadlines, rules
from services.tracking.case.lifecycle import Case, Change
from services.tracking.reference.workdays import TEHRAN, Deadlines, Rule, Workdays, day_of
from services.tracking.rules import COMMANDS
from tests.support.cases import NOON, SCREENER, WEEK, act, case, context, later, question

calendars = st.builds(
    Workdays,
    st.frozensets(st.integers(0, 6), max_size=5),
    st.frozensets(st.dates(date(2026, 11, 1), date(2027, 2, 28)), max_size=30),
)
days = st.dates(date(2026, 11, 1), date(2026, 12, 31))
ASKING = {"unit": "dep", "on": "2026-11-21", "days": 5, "due_on": "2026-11-28"}
pauses = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=5)


def ticked(of_case: Case, at: datetime, **facts: Any) -> Change:
    return deadlines.raise_due_alarms(of_case, replace(context(at=at), **facts))


def alarms_of(change: Change) -> list[str]:
    return [
        f"{step.details['step']}:{step.details.get('level', 'warning')}"
        for step in change.entries
        if "step" in step.details
    ]


def after_pauses(paused_case: Case, stood: list[tuple[int, int]], calendar: Workdays) -> tuple[Case, date]:
    """The case after pauses (days before it, days that it lasts), and the day on which the last one ends."""
    today = paused_case.due_from
    assert today is not None
    for after, length in stood:
        today += timedelta(days=after)
        paused_case = deadlines.paused(paused_case, today)
        today += timedelta(days=length)
        paused_case = deadlines.resumed(paused_case, today, calendar)
    return paused_case, today


# --- arithmetic ---


@given(calendars, days, st.integers(1, 40), pauses)
def test_the_due_day_is_the_same_computed_at_once_or_pause_by_pause(
    calendar: Workdays, start: date, owed: int, stood: list[tuple[int, int]]
) -> None:
    new_case = replace(case(), due_from=start, due_days=owed, due_on=calendar.after(start, owed), pauses=())
    paused_case, _ = after_pauses(new_case, stood, calendar)
    assert paused_case.due_on == deadlines.due_date(calendar, start, owed, paused_case.pauses)
    assert paused_case.due_on is not None
    assert calendar.works(paused_case.due_on)
    # What was worked on, not counting the days that the clock stood, is what was owed.
    assert calendar.between(start, paused_case.due_on) == owed + deadlines.paused_workdays(calendar, paused_case.pauses)


@given(calendars, days, st.integers(1, 40), pauses)
def test_the_mark_is_where_four_fifths_of_the_working_days_are_over(
    calendar: Workdays, start: date, owed: int, stood: list[tuple[int, int]]
) -> None:
    new_case = replace(case(), due_from=start, due_days=owed, due_on=calendar.after(start, owed), pauses=())
    going_on, today = after_pauses(new_case, stood, calendar)
    mark = deadlines.mark_of(going_on, calendar)
    assert mark is not None
    assert going_on.due_on is not None
    assert mark <= going_on.due_on
    worked = calendar.between(start, mark) - deadlines.paused_workdays(calendar, going_on.pauses)
    assert worked == -(-owed * 4 // 5)
    assert deadlines.mark_of(deadlines.paused(going_on, today), calendar) is None
    assert deadlines.mark_of(replace(going_on, stage=Stage.CLOSED), calendar) is None


@given(calendars, days, st.integers(1, 40), st.dates(date(2026, 11, 1), date(2027, 2, 28)))
def test_an_additional_holiday_never_shortens_a_deadline(calendar: Workdays, start: date, owed: int, day: date) -> None:
    more = replace(calendar, holidays=calendar.holidays | {day})
    moved = more.after(start, owed)
    due = calendar.after(start, owed)
    assert moved >= due
    assert (moved == due) == (not calendar.works(day) or not start < day <= due)


@settings(deadline=None)
@given(st.lists(calendars, min_size=1, max_size=4), days, st.integers(1, 40), pauses, st.booleans())
def test_after_many_calendar_changes_only_the_last_counts(
    those: list[Workdays], start: date, owed: int, stood: list[tuple[int, int]], ask_unit: bool
) -> None:
    """However often the city changes its mind, a case is reckoned by its last calendar, and twice by the same changes nothing."""
    new_case = replace(case(Stage.INVESTIGATING), due_from=start, due_days=owed, due_on=WEEK.after(start, owed))
    paused_case, today = after_pauses(new_case, stood, WEEK)
    if ask_unit:
        paused_case = replace(
            paused_case, stage=Stage.AWAITING_UNIT, pending_question={**ASKING, "on": today.isoformat(), "days": 5}
        )
    for version, calendar in enumerate(those, 1):
        facts = replace(context(at=later(1)), workdays=calendar, calendar=version)
        paused_case = deadlines.rescheduled(paused_case, facts).case
        again = deadlines.rescheduled(paused_case, facts)
        assert (again.case, again.entries) == (paused_case, [])
    assert paused_case.due_on == deadlines.due_date(those[-1], start, owed, paused_case.pauses)
    assert paused_case.calendar == len(those)
    if ask_unit:
        assert paused_case.pending_question is not None
        assert paused_case.pending_question["due_on"] == those[-1].after(today, 5).isoformat()


@settings(deadline=None)
@given(st.lists(calendars, max_size=4), st.integers(0, 20))
def test_the_objection_period_is_never_shortened_by_a_calendar(those: list[Workdays], passed: int) -> None:
    decided_case = act(case(Stage.INVESTIGATING), Decide(outcome=Outcome.NOT_UPHELD, reasons="x", root_causes=[])).case
    for version, calendar in enumerate(those, 1):
        promised = decided_case.objection_until
        assert promised is not None
        facts = replace(context(at=later(passed)), workdays=calendar, calendar=version)
        decided_case = deadlines.rescheduled(decided_case, facts).case
        assert decided_case.objection_until is not None
        assert decided_case.objection_until >= promised
        # What is over is not opened again.
        assert promised >= facts.today or decided_case.objection_until == promised


@given(calendars, days, st.integers(1, 40))
def test_a_pause_within_one_day_adds_no_day(calendar: Workdays, start: date, owed: int) -> None:
    day = start.isoformat()
    assert deadlines.due_date(calendar, start, owed, [(day, day)]) == calendar.after(start, owed)


@given(
    st.datetimes(datetime(1995, 1, 1), datetime(2022, 12, 31)),
    st.integers(1, 40),
    calendars,
)
def test_the_hour_does_not_matter_even_in_years_with_summer_time(
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
    assert {opened_case.due_from for opened_case in opened} == {local.date()}
    assert {opened_case.due_on for opened_case in opened} == {calendar.after(local.date(), owed)}


def test_summer_time_of_old_dates_is_considered() -> None:
    # 2022-03-21 20:00 UTC is half past eleven in the evening; an hour later in the summer of that year is tomorrow.
    assert day_of(datetime(2022, 3, 21, 20, 0, tzinfo=UTC)) == date(2022, 3, 21)
    assert day_of(datetime(2022, 6, 21, 20, 0, tzinfo=UTC)) == date(2022, 6, 22)
    assert day_of(datetime(2023, 6, 21, 20, 0, tzinfo=UTC)) == date(2023, 6, 21)


def test_the_most_specific_row_wins_and_settings_are_the_default() -> None:
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


def test_the_handler_is_warned_at_80_percent_and_the_case_escalated_step_by_step_when_overdue() -> None:
    investigated_case = case(Stage.INVESTIGATING)  # filed on Saturday 21 November, owed on 12 December
    assert investigated_case.due_on == date(2026, 12, 12)
    expected = {15: [], 16: ["decision:warning"], 21: [], 22: ["decision:head"], 28: [], 29: ["decision:mayor"]}
    for day, words in expected.items():  # 7 December is the 12th of 15 working days
        change = ticked(investigated_case, later(day))
        assert alarms_of(change) == words
        investigated_case = change.case
    assert investigated_case.next_check_on is None


def test_nobody_is_warned_during_a_pause() -> None:
    citizen_asked = act(case(Stage.INVESTIGATING), AskCitizen(text="؟"), at=later(1))
    assert alarms_of(ticked(citizen_asked.case, later(18))) == ["citizen:warning"]


def test_a_late_unit_is_warned_and_then_escalated() -> None:
    unit_asked = act(case(Stage.INVESTIGATING), AskUnit(text="؟")).case  # five days, until 28 November
    warned = ticked(unit_asked, later(4))
    assert alarms_of(warned) == ["unit:warning"]
    late = ticked(warned.case, later(8))
    assert alarms_of(late) == ["unit:head"]
    assert late.entries[0].fields["unit_asked"] == "dep"
    asked_again = act(replace(late.case, stage=Stage.INVESTIGATING), AskUnit(text="؟"), at=later(8)).case
    assert alarms_of(ticked(asked_again, later(14)))[:1] == ["unit:warning"]


def test_a_first_reading_is_due_in_two_working_days() -> None:
    new_case = case()
    assert new_case.first_due_on == date(2026, 11, 23)
    assert alarms_of(ticked(new_case, later(2))) == ["first_reading:warning"]
    late = ticked(new_case, later(3))
    assert alarms_of(late) == ["first_reading:warning", "first_reading:head"]
    assert ticked(act(new_case, StartScreening()).case, later(3)).entries == []


def test_a_decided_case_closes_when_the_objection_period_is_over() -> None:
    decided = act(case(Stage.INVESTIGATING), Decide(outcome=Outcome.NOT_UPHELD, reasons="x")).case
    assert ticked(decided, later(14)).entries == []
    closed = ticked(decided, later(15))
    assert closed.case.stage is Stage.CLOSED
    assert closed.case.next_check_on is None


def test_a_refused_case_closes_after_the_configured_days() -> None:
    refused = act(case(Stage.SCREENING), Refuse(reason="no_reasons", explanation="x")).case
    short = replace(Deadlines(), auto_close=3)
    assert ticked(refused, later(4), deadlines=short).case.stage is Stage.CLOSED
    assert ticked(refused, later(3), deadlines=short).case.stage is Stage.REFUSED


def test_an_objection_restarts_the_deadline_and_its_warnings() -> None:
    decided = replace(
        case(Stage.DECIDED), objection_until=date(2026, 12, 5), alarms_raised=("decision:warning", "decision:head")
    )
    review = COMMANDS.act_as_citizen(decided, RaiseObjection(text="x"), context(at=later(7))).case
    assert review.alarms_raised == ()
    assert review.due_from == day_of(later(7))


# --- the calendar changes ---


@given(calendars, calendars, st.integers(0, 20), pauses)
def test_a_case_under_a_new_calendar_is_as_if_it_had_always_applied(
    old: Workdays, new: Workdays, wait: int, stood: list[tuple[int, int]]
) -> None:
    def lived(calendar: Workdays) -> tuple[Case, date]:
        under_calendar = replace(rules.opened(case(), calendar, Deadlines()), stage=Stage.INVESTIGATING)
        today = day_of(NOON) + timedelta(days=wait)
        for after, length in stood:
            today += timedelta(days=after)
            under_calendar = deadlines.paused(under_calendar, today)
            today += timedelta(days=length)
            under_calendar = deadlines.resumed(under_calendar, today, calendar)
        return under_calendar, today

    (before, today), (expected, _) = lived(old), lived(new)
    moment = datetime.combine(today, time(12), TEHRAN)
    change = deadlines.rescheduled(before, replace(context(at=moment), workdays=new, calendar=7))
    assert change.case.due_on == expected.due_on
    assert change.case.calendar == 7
    assert [step.entry for step in change.entries] == (["rescheduled"] if before.due_on != expected.due_on else [])
    assert deadlines.rescheduled(change.case, replace(context(at=moment), workdays=new, calendar=7)).entries == []


def test_a_case_of_the_previous_release_keeps_its_due_day_and_gets_a_deadline() -> None:
    old = replace(case(Stage.INVESTIGATING), due_from=None, due_days=None, next_check_on=None)
    change = deadlines.rescheduled(old, replace(context(), calendar=1))
    assert change.case.due_on == old.due_on
    assert change.entries == []
    assert change.case.next_check_on is not None


def test_the_objection_period_never_becomes_shorter() -> None:
    decided = act(case(Stage.INVESTIGATING), Decide(outcome=Outcome.NOT_UPHELD, reasons="x")).case
    more_work = replace(context(), workdays=Workdays(frozenset()), calendar=2)
    assert deadlines.rescheduled(decided, more_work).case.objection_until == decided.objection_until
    less_work = replace(context(), workdays=Workdays(WEEK.weekend, frozenset({date(2026, 11, 24)})), calendar=2)
    assert deadlines.rescheduled(decided, less_work).case.objection_until == date(2026, 12, 6)


def test_the_due_day_of_a_unit_moves_with_the_calendar() -> None:
    unit_asked = act(case(Stage.INVESTIGATING), AskUnit(text="؟")).case
    holiday = Workdays(WEEK.weekend, frozenset({date(2026, 11, 24)}))
    moved = deadlines.rescheduled(
        unit_asked, replace(context(question=question("dep")), workdays=holiday, calendar=2)
    ).case
    assert moved.pending_question is not None
    assert moved.pending_question["due_on"] == "2026-11-29"


@pytest.mark.parametrize("stage", [Stage.MERGED, Stage.WITHDRAWN, Stage.CLOSED])
def test_ended_cases_are_not_changed(stage: Stage) -> None:
    assert ticked(case(stage), later(400)).entries == []


WEEK_FOR_ALL = replace(Deadlines(), rules=(Rule("decision", 5),), decision=dict.fromkeys(Kind, 5))


def under_new_rules(of_case: Case, open_rules: int, at: datetime = NOON) -> Change:
    facts = replace(context(at=at), deadlines=WEEK_FOR_ALL, calendar=3, open_rules=open_rules)
    return deadlines.rescheduled(of_case, facts)


def test_rules_for_open_cases_move_their_days_and_the_timeline_tells_of_it() -> None:
    opened_case = replace(rules.opened(case(), WEEK, Deadlines()), stage=Stage.INVESTIGATING, calendar=2)
    change = under_new_rules(opened_case, open_rules=3)
    assert (change.case.due_days, change.case.due_on) == (5, WEEK.after(day_of(NOON), 5))
    assert [(step.entry, step.details["days"]) for step in change.entries] == [("rescheduled", 5)]
    assert under_new_rules(change.case, open_rules=3).entries == []


def test_rules_for_new_cases_leave_open_ones_as_they_are() -> None:
    opened_case = replace(rules.opened(case(), WEEK, Deadlines()), stage=Stage.INVESTIGATING, calendar=2)
    change = under_new_rules(opened_case, open_rules=2)
    assert (change.case.due_days, change.case.due_on, change.entries) == (15, opened_case.due_on, [])


def test_an_urgent_case_is_owed_from_its_marking_and_not_late_at_once_by_other_rules() -> None:
    at_work = replace(rules.opened(case(), WEEK, Deadlines()), stage=Stage.INVESTIGATING, calendar=2)
    urgent_case = act(at_work, Correct(urgent=True), SCREENER, at=later(9)).case
    assert urgent_case.due_on == WEEK.after(day_of(later(9)), 1)
    assert under_new_rules(urgent_case, open_rules=3, at=later(9)).case.due_on == urgent_case.due_on


def test_a_paused_case_gets_its_days_too() -> None:
    waiting_case = replace(
        act(case(Stage.INVESTIGATING), AskCitizen(text="؟")).case, due_from=day_of(NOON), due_days=15
    )
    change = under_new_rules(waiting_case, open_rules=3)
    assert (change.case.due_days, [step.entry for step in change.entries]) == (5, ["rescheduled"])


def test_more_time_lets_the_alarms_be_raised_anew() -> None:
    short = replace(rules.opened(case(), WEEK, WEEK_FOR_ALL), stage=Stage.INVESTIGATING)
    late = ticked(short, later(20)).case
    assert "decision:head" in late.alarms_raised
    facts = replace(context(at=later(20)), calendar=3, open_rules=3)
    assert not any(mark.startswith("decision:") for mark in deadlines.rescheduled(late, facts).case.alarms_raised)


def test_a_case_filed_before_the_change_is_closed_by_the_days_of_before() -> None:
    refused = act(case(Stage.SCREENING), Refuse(reason="no_reasons", explanation="x")).case
    now_three = replace(Deadlines(), auto_close=3, earlier_auto_close=((later(1), 10),))
    assert ticked(refused, later(9), deadlines=now_three).entries == []
    assert [step.entry for step in ticked(refused, later(20), deadlines=now_three).entries] == ["closed"]
