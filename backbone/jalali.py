"""Dates as people in Iran read them: the Jalali calendar, Asia/Tehran, Persian digits."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import jdatetime

from backbone.persian import latin_digits, persian_digits

TEHRAN = ZoneInfo("Asia/Tehran")
_MONTHS = (
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
_YEARS = range(1200, 1600)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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


def long(day: date) -> str:
    """۲ آذر ۱۴۰۵"""
    jalali = jdatetime.date.fromgregorian(date=day)
    return persian_digits(f"{jalali.day} {_MONTHS[jalali.month - 1]} {jalali.year}")


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


def parse(text: str) -> date | None:
    """The Gregorian day of a Jalali date such as ۱۴۰۵/۹/۲ or 1405-09-02; None when it is not one.

    A year that nobody alive means is not one: 2026-11-23 is a Gregorian day, and 5/9/2 may be anything.
    """
    parts = latin_digits(text.strip()).replace("-", "/").split("/")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    if len(parts[0]) != 4 or int(parts[0]) not in _YEARS:
        return None
    try:
        day: date = jdatetime.date(*(int(part) for part in parts)).togregorian()
    except ValueError:
        return None
    return day


def day(text: str) -> date | None:
    """The Gregorian day of a date as people type it, in any digits: ۱۴۰۵/۹/۲, 1405-09-02 or 2026-11-23; None when it is no
    day of our time: Gregorian from 1900 to 2199, Jalali from 1200 to 1599."""
    typed = latin_digits(text.strip())
    jalali = parse(typed)
    if jalali is not None or not _ISO.fullmatch(typed):
        return jalali
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        return None
    return found if 1900 <= found.year < 2200 else None
