"""A day as people type it: Jalali or Gregorian, in any digits, with numbers or the name of the month.

    ۲ / ۹ / ۱۴۰۵   1405-09-02   ۲ آذر ۱۴۰۵   دوم آذرماه ۱۴۰۵   2026-11-23   23/11/2026   23 November 2026   14050902

The year says which calendar is meant, so it is always written in full: of 05/09/02 nobody knows. Year, month, day and day,
month, year are both read. 3/4/2026 is the third of April to one and the fourth of March to another: `read` gives both, and
whoever asked asks again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

import jdatetime

from backbone.persian.jalali import MONTHS
from backbone.persian.normalisation import without_marks
from contracts.characters import latin_digits, nfkc

LONGEST = 80
"""Characters; what is longer is no date."""
EARLIEST = date(2001, 3, 21)
"""1 Farvardin 1380: nothing that is told of lies before it."""
LATEST = date(2122, 3, 20)
"""The last day of 1500: nothing that is planned lies after it."""
_JALALI_YEARS, _GREGORIAN_YEARS = range(1200, 1600), range(1900, 2200)

Problem = Literal["not_a_date", "year_incomplete", "ambiguous_date", "too_long_ago", "in_the_future"]


@dataclass(frozen=True)
class Reading:
    """What a text means. `day`: Gregorian, when it can mean only one. `meanings`: the days that an ambiguous one may mean."""

    day: date | None = None
    problem: Problem | None = None
    meanings: tuple[date, ...] = ()


def read(text: str) -> Reading:
    """The day that was typed, or why there is none."""
    if len(text) > LONGEST:
        return Reading(problem="not_a_date")
    words = _words(text)
    weekday = next((_WEEKDAYS[word] for word in words if word in _WEEKDAYS), None)
    words = [word for word in words if word not in _WEEKDAYS and word not in _FILLERS]
    meanings = _meanings(words)
    if weekday is not None:
        meanings = [day for day in meanings if day.weekday() == weekday]
    if len(meanings) == 1:
        return Reading(day=meanings[0])
    if meanings:
        return Reading(problem="ambiguous_date", meanings=tuple(sorted(meanings)))
    if _lacks_year(words):
        return Reading(problem="year_incomplete")
    return Reading(problem=_of_another_age(words) or "not_a_date")


# --- into words -----------------------------------------------------------------------------------------------------

_TIME = re.compile(r"(?:\bat|ساعت)?\s*[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\s*$")
_WORD = re.compile(r"[0-9]+|[^\W\d_]+")
_TYPED = re.compile(r"(?:[0-9]|[^\W\d_]|[\s/\\.,،:()\-‐-―−_])*")
_WITHIN_A_WORD = re.compile(r"(?<=[^\W\d_])\u200c(?=[^\W\d_])")
_WEEKDAY_APART = re.compile(r"\b(یک|دو|سه|چهار|پنج)\s+شنبه\b")
_LETTERS = str.maketrans(
    {"ي": "ی", "ى": "ی", "ك": "ک", "آ": "ا", "أ": "ا", "إ": "ا", "ئ": "ی", "ـ": None, "ۀ": "ه", "ة": "ه"}
)
_FILLERS = frozenset({"ماه", "سال", "روز", "ام", "م", "مورخ", "تاریخ", "of", "the", "st", "nd", "rd", "th", "ه", "ش"})


def _words(text: str) -> list[str]:
    """Runs of digits and of letters in lower case; a time of day at the end is left out. None at all where there is
    anything that belongs to no date."""
    plain = latin_digits(nfkc(text)).translate(_LETTERS).casefold()
    plain = _WITHIN_A_WORD.sub("", plain).replace("\u200c", " ")
    plain = _WEEKDAY_APART.sub(r"\1شنبه", without_marks(plain)).strip()
    if not _TYPED.fullmatch(plain):
        return []
    typed_words = _WORD.findall(_TIME.sub("", plain))
    return [(word.removesuffix("ماه") or word) for word in typed_words]


def _folded(name: str) -> str:
    return name.translate(_LETTERS).casefold()


_ENGLISH = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_LATIN_JALALI = (
    ("farvardin",),
    ("ordibehesht",),
    ("khordad",),
    ("tir",),
    ("mordad", "amordad"),
    ("shahrivar",),
    ("mehr",),
    ("aban",),
    ("azar",),
    ("dey",),
    ("bahman",),
    ("esfand",),
)
_PERSIAN_GREGORIAN = (
    ("ژانویه",),
    ("فوریه",),
    ("مارس",),
    ("آوریل", "اپریل"),
    ("مه", "می"),
    ("ژوئن", "جون"),
    ("ژوئیه", "جولای", "ژولای"),
    ("اوت", "آگوست"),
    ("سپتامبر",),
    ("اکتبر",),
    ("نوامبر",),
    ("دسامبر",),
)
_JALALI_MONTHS = {
    _folded(name): number
    for number, names in enumerate(zip(MONTHS, _LATIN_JALALI, strict=True), 1)
    for name in (names[0], *names[1])
} | {_folded("امرداد"): 5, _folded("اسپند"): 12}
_GREGORIAN_MONTHS = (
    {name: number for number, name in enumerate(_ENGLISH, 1)}
    | {name[:3]: number for number, name in enumerate(_ENGLISH, 1)}
    | {"sept": 9}
    | {_folded(name): number for number, names in enumerate(_PERSIAN_GREGORIAN, 1) for name in names}
)
_WEEKDAYS = {
    _folded(name): number
    for number, names in enumerate(
        (
            ("دوشنبه", "monday", "mon"),
            ("سهشنبه", "tuesday", "tue"),
            ("چهارشنبه", "wednesday", "wed"),
            ("پنجشنبه", "thursday", "thu"),
            ("جمعه", "friday", "fri"),
            ("شنبه", "saturday", "sat"),
            ("یکشنبه", "sunday", "sun"),
        )
    )
    for name in names
}
_ONES = ("یکم", "دوم", "سوم", "چهارم", "پنجم", "ششم", "هفتم", "هشتم", "نهم", "دهم")
_TEENS = ("یازدهم", "دوازدهم", "سیزدهم", "چهاردهم", "پانزدهم", "شانزدهم", "هفدهم", "هجدهم", "نوزدهم", "بیستم")
_TENS = {"بیست": 20, "سی": 30}
_ORDINALS = (
    {_folded(name): number for number, name in enumerate((*_ONES, *_TEENS), 1)}
    | {"اول": 1, "سیام": 30}
    | {f"{tens}و{name}": ten + unit for tens, ten in _TENS.items() for unit, name in enumerate(_ONES[:9], 1)}
)


# --- into days ------------------------------------------------------------------------------------------------------


def _meanings(words: list[str]) -> list[date]:
    """Every day these words may mean, each once."""
    words = _with_day_in_digits(words)
    numbers = [word for word in words if word.isdigit()]
    names = [word for word in words if not word.isdigit()]
    if len(names) == 1 and len(numbers) == 2:
        days = [_named(day, names[0], year) for day, year in (numbers, numbers[::-1])]
    elif names:
        return []
    elif len(numbers) == 3:
        days = _numbered(numbers)
    elif len(numbers) == 1 and len(numbers[0]) == 8:
        only = numbers[0]
        days = [*_numbered([only[:4], only[4:6], only[6:]]), *_numbered([only[:2], only[2:4], only[4:]])]
    else:
        return []
    return list(dict.fromkeys(day for day in days if day is not None))


def _with_day_in_digits(words: list[str]) -> list[str]:
    """دوم as 2, بیست و سوم as 23."""
    replaced: list[str] = []
    tens = 0
    for word in words:
        if word in _TENS:
            tens = _TENS[word]
        elif tens and word == "و":
            continue
        elif word in _ORDINALS:
            replaced.append(str(tens + _ORDINALS[word]))
            tens = 0
        else:
            replaced += [str(tens)] * bool(tens)
            replaced.append(word)
            tens = 0
    return replaced


def _numbered(parts: list[str]) -> list[date | None]:
    """Three numbers, the year first or last."""
    first, middle, last = parts
    if len(first) == 4:
        return [_day(first, middle, last)]
    usual = _day(last, middle, first)
    swapped = _day(last, first, middle)
    if len(last) != 4 or (usual is not None and int(last) in _JALALI_YEARS):  # in Iran the day comes before the month
        return [usual]
    return [usual, swapped]


def _named(day: str, month: str, year: str) -> date | None:
    if len(year) != 4 or len(day) > 2:
        return None
    if month in _JALALI_MONTHS and int(year) in _JALALI_YEARS:
        return _day(year, str(_JALALI_MONTHS[month]), day)
    if month in _GREGORIAN_MONTHS and int(year) in _GREGORIAN_YEARS:
        return _day(year, str(_GREGORIAN_MONTHS[month]), day)
    return None


def _day(year: str, month: str, day: str) -> date | None:
    if len(year) != 4 or len(month) > 2 or len(day) > 2:
        return None
    y, m, d = int(year), int(month), int(day)
    try:
        if y in _JALALI_YEARS:
            gregorian: date = jdatetime.date(y, m, d).togregorian()
            return gregorian
        return date(y, m, d) if y in _GREGORIAN_YEARS else None
    except ValueError:
        return None


def _lacks_year(words: list[str]) -> bool:
    """A day and a month, and no year of four digits: 05/09/02, ۲ آذر, 2/9/140."""
    words = _with_day_in_digits(words)
    numbers = [word for word in words if word.isdigit()]
    named = any(word in _JALALI_MONTHS or word in _GREGORIAN_MONTHS for word in words)
    only_numbers = len(numbers) == len(words)
    most = 2 if named else 3
    return (named or (only_numbers and len(numbers) >= 2)) and len(numbers) <= most and all(len(n) < 4 for n in numbers)


def _of_another_age(words: list[str]) -> Literal["too_long_ago", "in_the_future"] | None:
    """Of three numbers, one of them a year that nobody alive means, such as 0001-01-01."""
    numbers = [word for word in words if word.isdigit()]
    years = [int(number) for number in numbers if len(number) == 4]
    if not len(numbers) == len(words) == 3 or len(years) != 1:
        return None
    if years[0] in _JALALI_YEARS or years[0] in _GREGORIAN_YEARS:
        return None
    return "too_long_ago" if years[0] < _GREGORIAN_YEARS.start else "in_the_future"


# --- of what is told ------------------------------------------------------------------------------------------------


def past_day_problem(day: date, today: date) -> Literal["in_the_future", "too_long_ago"] | None:
    """Why something cannot have happened on this day; None when it can. `today`: Tehran's."""
    if day > today:
        return "in_the_future"
    return "too_long_ago" if day < EARLIEST else None
