"""Dates as people in Iran read and write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone import jalali

DAY = date(2026, 11, 23)
days = st.dates(date(1900, 1, 1), date(2100, 12, 31))


def test_a_day_is_written_long_and_short() -> None:
    assert jalali.long(DAY) == "۲ آذر ۱۴۰۵"
    assert jalali.short(DAY) == "۱۴۰۵/۰۹/۰۲"


def test_a_month_is_one_that_can_be_sorted() -> None:
    assert jalali.month(DAY) == "1405-09"
    assert [jalali.month(day) for day in (date(2026, 3, 20), date(2026, 3, 21))] == ["1404-12", "1405-01"]


def test_a_moment_is_written_in_tehran() -> None:
    assert jalali.moment(datetime(2026, 11, 23, 10, 35, tzinfo=UTC)) == "۲ آذر ۱۴۰۵، ساعت ۱۴:۰۵"
    assert jalali.moment(datetime(2026, 11, 23, 20, 45, tzinfo=UTC)) == "۳ آذر ۱۴۰۵، ساعت ۰۰:۱۵"


def test_the_day_changes_at_midnight_in_tehran() -> None:
    midnight = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
    assert jalali.today(midnight) == date(2026, 11, 24)
    assert jalali.today(midnight - timedelta(seconds=1)) == DAY


def test_the_year_changes_at_nowruz() -> None:
    assert jalali.year(date(2026, 3, 20)) == 1404
    assert jalali.year(date(2026, 3, 21)) == 1405
    assert jalali.long(date(2026, 3, 21)) == "۱ فروردین ۱۴۰۵"


def test_a_leap_year_has_its_thirtieth_of_esfand() -> None:
    assert jalali.parse("1403/12/30") == date(2025, 3, 20)
    assert jalali.parse("1404/12/30") is None


@given(days)
def test_what_is_written_is_read_back(day: date) -> None:
    assert jalali.parse(jalali.short(day)) == day
    assert jalali.parse(f" {jalali.short(day).replace('/', '-')} ") == day


@pytest.mark.parametrize("typed", ["1405/9/2", "1405-09-02", "۱۴۰۵/۹/۲", "١٤٠٥/٠٩/٠٢"])
def test_a_day_is_read_in_any_digits(typed: str) -> None:
    assert jalali.parse(typed) == DAY


@pytest.mark.parametrize(
    "typed", ["", "دیروز", "1405", "1405/9", "1405/9/2/1", "1405/13/1", "1405/7/31", "1405/0/1", "1405//1", "-1405/9/2"]
)
def test_what_is_no_day_is_none(typed: str) -> None:
    assert jalali.parse(typed) is None


@pytest.mark.parametrize(
    "typed", ["2026-11-23", "2026/11/23", "23/11/2026", "5/9/2", "05/09/02", "9377/12/29", "9" * 30 + "/1/1"]
)
def test_a_day_of_another_calendar_or_age_is_not_taken_for_a_jalali_one(typed: str) -> None:
    """2026-11-23 would be a day six centuries from now, 5/9/2 one thirteen centuries ago."""
    assert jalali.parse(typed) is None
