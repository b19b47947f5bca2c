"""Dates as people in Iran read and write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from backbone.persian import jalali

DAY = date(2026, 11, 23)


def test_a_day_is_written_long_and_short() -> None:
    assert jalali.long(DAY) == "۲ آذر ۱۴۰۵"
    assert jalali.short(DAY) == "۱۴۰۵/۰۹/۰۲"


def test_a_month_is_written_sortably() -> None:
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
