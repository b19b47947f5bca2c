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


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("1405/08/03", date(2026, 10, 25)),
        ("۱۴۰۵/۸/۳", date(2026, 10, 25)),
        ("١٤٠٥-٠٨-٠٣", date(2026, 10, 25)),
        (" 1405/8/03 ", date(2026, 10, 25)),
        ("2026-10-25", date(2026, 10, 25)),
        ("۲۰۲۶-۱۰-۲۵", date(2026, 10, 25)),
        ("1403/12/30", date(2025, 3, 20)),  # a leap year
        ("1404/12/30", None),
        ("1405/13/01", None),
        ("1405/07/31", None),
        ("2026-02-29", None),
        ("2026/10/25", None),  # which calendar is meant?
        ("05/08/03", None),
        ("0001-01-01", None),
        ("9999-12-31", None),
        ("2026-10-25T00:00:00Z", None),
        ("", None),
        ("فردا", None),
    ],
)
def test_a_day_is_read_as_people_type_it(typed: str, day: date | None) -> None:
    assert jalali.day(typed) == day


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.sampled_from(["0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"]))
def test_every_day_is_read_back_in_both_calendars_and_all_digits(day: date, digits: str) -> None:
    script = str.maketrans("0123456789", digits)
    for typed in (jalali.plain(day), jalali.short(day), day.isoformat()):
        assert jalali.day(typed.translate(script)) == day


@given(st.text(max_size=12))
def test_no_text_breaks_the_reading_of_a_day(typed: str) -> None:
    found = jalali.day(typed)
    assert found is None or 1821 <= found.year < 2222
