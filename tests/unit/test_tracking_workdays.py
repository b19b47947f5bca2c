"""The city's calendar: what is owed when, in Tehran's working days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Kind
from services.tracking.reference.workdays import Deadlines, Workdays, day_of
from services.tracking.settings import Settings

THURSDAY, FRIDAY = 3, 4
SATURDAY = date(2026, 11, 21)
WEEK = Workdays(frozenset({THURSDAY, FRIDAY}))

calendars = st.builds(
    Workdays,
    st.frozensets(st.integers(0, 6), max_size=5),
    st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=40),
)
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def test_thursday_and_friday_are_not_working_days() -> None:
    assert WEEK.after(SATURDAY, 4) == date(2026, 11, 25)  # Wednesday
    assert WEEK.after(SATURDAY, 5) == date(2026, 11, 28)  # over the weekend


def test_a_holiday_is_not_a_working_day() -> None:
    sunday = SATURDAY + timedelta(days=1)
    assert Workdays(WEEK.weekend, frozenset({sunday})).after(SATURDAY, 1) == SATURDAY + timedelta(days=2)


def test_fifteen_working_days_are_three_weeks_of_five() -> None:
    assert WEEK.after(SATURDAY, 15) == SATURDAY + timedelta(weeks=3)


def test_a_day_begins_at_midnight_in_tehran() -> None:
    assert day_of(datetime(2026, 11, 21, 20, 29, tzinfo=UTC)) == SATURDAY
    assert day_of(datetime(2026, 11, 21, 20, 31, tzinfo=UTC)) == SATURDAY + timedelta(days=1)


@given(calendars, days, st.integers(1, 40))
def test_counting_forward_and_back_agree(calendar: Workdays, day: date, count: int) -> None:
    end = calendar.after(day, count)
    assert calendar.works(end)
    assert calendar.between(day, end) == count


@given(calendars, st.tuples(days, days, days))
def test_two_consecutive_periods_add_up(calendar: Workdays, three: tuple[date, ...]) -> None:
    first, middle, last = sorted(three)
    assert calendar.between(first, last) == calendar.between(first, middle) + calendar.between(middle, last)
    assert calendar.between(last, first) == 0


@pytest.mark.parametrize(
    ("kind", "urgent", "owed"),
    [
        (Kind.COMPLAINT, False, 15),
        (Kind.CRITICISM, False, 15),
        (Kind.INFORMATION, False, 30),
        (Kind.INFORMATION, True, 1),
    ],
)
def test_default_deadlines(kind: Kind, urgent: bool, owed: int) -> None:
    assert Deadlines().days("decision", kind, "delay", urgent) == owed


def settings(**environment: str) -> Settings:
    return Settings.model_validate({"amqp_url": "amqp://", "database_url": "postgresql://", **environment})


def test_the_calendar_is_a_setting() -> None:
    assert settings().weekend == {THURSDAY, FRIDAY}
    assert settings(weekend="Friday").weekend == {FRIDAY}
    assert settings(complaint_days="30").deadlines.days("decision", Kind.COMPLAINT, "delay", False) == 30
    assert settings().deadlines == Deadlines()


@pytest.mark.parametrize("weekend", ["caturday", "monday,tuesday,wednesday,thursday,friday,saturday,sunday"])
def test_an_invalid_weekend_is_refused(weekend: str) -> None:
    with pytest.raises(ValueError, match=r"not a day|no day to work"):
        settings(weekend=weekend)
