"""Dates as people in Iran read them: the Jalali calendar, Asia/Tehran, Persian digits. `dates` reads them back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import jdatetime

from backbone.persian.normalisation import persian_digits

TEHRAN = ZoneInfo("Asia/Tehran")
MONTHS = (
    "فروردین",
    "اردیبهشت",
    "خرداد",
    "تیر",
    "مرداد",
    "شهریور",
    "مهر",
    "آبان",
    "آذر",
    "دی",
    "بهمن",
    "اسفند",
)


def today(moment: datetime) -> date:
    """The Gregorian day it is in Tehran at `moment`."""
    return moment.astimezone(TEHRAN).date()


def starts(day: date) -> datetime:
    """The moment at which a Gregorian day begins in Tehran."""
    return datetime.combine(day, time(), TEHRAN)


def year(day: date) -> int:
    """The Jalali year of a Gregorian day."""
    return int(jdatetime.date.fromgregorian(date=day).year)


def month(day: date) -> str:
    """1405-09: the Jalali month of a Gregorian day, for programs."""
    jalali = jdatetime.date.fromgregorian(date=day)
    return f"{jalali.year:04d}-{jalali.month:02d}"


def month_span(day: date) -> tuple[date, date]:
    """The first and the last Gregorian day of the Jalali month in which a Gregorian day lies."""
    first = jdatetime.date.fromgregorian(date=day).replace(day=1)
    following = jdatetime.date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first.togregorian(), following.togregorian() - timedelta(days=1)


def quarter_span(day: date) -> tuple[date, date]:
    """The first and the last Gregorian day of the Jalali season (three months) in which a Gregorian day lies."""
    first = jdatetime.date.fromgregorian(date=day)
    begin = first.replace(month=(first.month - 1) // 3 * 3 + 1, day=1)
    following = jdatetime.date(begin.year + (begin.month == 10), (begin.month + 2) % 12 + 1, 1)
    return begin.togregorian(), following.togregorian() - timedelta(days=1)


def long(day: date) -> str:
    """۲ آذر ۱۴۰۵"""
    jalali = jdatetime.date.fromgregorian(date=day)
    return persian_digits(f"{jalali.day} {MONTHS[jalali.month - 1]} {jalali.year}")


def short(day: date) -> str:
    """۱۴۰۵/۰۹/۰۲"""
    return persian_digits(plain(day))


def plain(day: date) -> str:
    """1405/09/02, for what programs read."""
    jalali = jdatetime.date.fromgregorian(date=day)
    return f"{jalali.year:04d}/{jalali.month:02d}/{jalali.day:02d}"


def moment(at: datetime) -> str:
    """۲ آذر ۱۴۰۵، ساعت ۱۴:۰۵"""
    local = at.astimezone(TEHRAN)
    return f"{long(local.date())}، ساعت {persian_digits(f'{local:%H:%M}')}"
