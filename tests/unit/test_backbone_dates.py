"""A day is read however people write it, when it can mean only one; else it is said what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.persian import date_parsing, date_text, jalali
from contracts.characters import latin_digits
from contracts.vocabulary import Language
from gateway.pages import formatting

DAY = date(2026, 11, 23)
DIGITS = ("0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩")
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@pytest.mark.parametrize(
    "typed",
    [
        "۲ / ۹ / ۱۴۰۵",
        "2/9/1405",
        "02.09.1405",
        "1405-09-02",
        "۱۴۰۵/۹/۲",
        "١٤٠٥/٠٩/٠٢",
        "۲ ۹ ۱۴۰۵",
        "۲\u200c۹\u200c۱۴۰۵",
        "۲ آذر ۱۴۰۵",
        "2 azar 1405",
        "۲ اذر ۱۴۰۵",
        "دوم آذر ۱۴۰۵",
        "۲ آذرماه ۱۴۰۵",
        "۲ام آذر ماه سال ۱۴۰۵",
        "دوشنبه ۲ آذر ۱۴۰۵",
        "\u202b۱۴۰۵/۰۹/۰۲\u202c",
        "14050902",
        "02091405",
        "2026-11-23",
        "2026/11/23",
        "۲۰۲۶-۱۱-۲۳",
        "23 / 11 / 2026",
        "11/23/2026",
        "23 November 2026",
        "November 23rd, 2026",
        "Monday, 23 Nov 2026",
        "۲۳ نوامبر ۲۰۲۶",
        "23112026",
    ],
)
def test_a_day_is_read_in_every_unambiguous_notation(typed: str) -> None:
    assert date_parsing.read(typed) == date_parsing.Reading(day=DAY)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("بیست و سوم آذر ۱۴۰۵", date(2026, 12, 14)),
        ("بیست‌وسوم آذر ۱۴۰۵", date(2026, 12, 14)),
        ("سی‌ام آبان ۱۴۰۵", date(2026, 11, 21)),
        ("سی و یکم خرداد ۱۴۰۵", date(2026, 6, 21)),
        ("پنج‌شنبه ۵ آذر ۱۴۰۵", date(2026, 11, 26)),
        ("1403/12/30", date(2025, 3, 20)),  # a leap year
        ("05/05/2026", date(2026, 5, 5)),
        ("۱/۱/۱۳۸۰", date_parsing.EARLIEST),
        ("۲۹ اسفند ۱۵۰۰", date_parsing.LATEST),
    ],
)
def test_names_of_days_and_leap_years_are_read(typed: str, day: date) -> None:
    assert date_parsing.read(typed).day == day


@pytest.mark.parametrize(
    "typed", ["23/11/26", "26/11/23", "۲ / ۹ / ۱۴۰", "1/1/202", "05/09/02", "۲ آذر", "2/9", "1 1 1"]
)
def test_an_incomplete_year_is_not_a_year_of_antiquity(typed: str) -> None:
    assert date_parsing.read(typed) == date_parsing.Reading(problem="year_incomplete")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        *(("0001-01-01", "too_long_ago"), ("1/1/0026", "too_long_ago"), ("1812-06-24", "too_long_ago")),
        *(("0000-00-00", "too_long_ago"), ("9999-12-31", "in_the_future")),
    ],
)
def test_an_implausible_year_is_reported(typed: str, why: str) -> None:
    assert date_parsing.read(typed) == date_parsing.Reading(problem=why)  # type: ignore[arg-type]  # one of its words


def test_an_ambiguous_date_gives_both_meanings() -> None:
    assert date_parsing.read("3/4/2026") == date_parsing.Reading(
        problem="ambiguous_date", meanings=(date(2026, 3, 4), date(2026, 4, 3))
    )


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "دیروز", "1405", "1405/9/2/1", "1405/13/1", "1405/7/31", "1405/0/1", "1404/12/30", "2026-02-29"),
        *(
            "31/13/1405",
            "2026-10-25T00:00:00Z",
            "شنبه ۲ آذر ۱۴۰۵",
            "2*9*1405",
            "۲ آذر و ۳ آذر ۱۴۰۵",
            "२/9/1405",
            "9" * 30,
        ),
        "2/9/1405" + " " * 80,
    ],
)
def test_text_that_is_not_a_date_is_reported(typed: str) -> None:
    assert date_parsing.read(typed) == date_parsing.Reading(problem="not_a_date")


def _shown(day: date) -> list[str]:
    """Every form in which pages, letters, messages and the API show a day, alone or with its hour."""
    noon = datetime(day.year, day.month, day.day, 9, 5, tzinfo=UTC)
    moments: list[Callable[[Language], str | None]] = [
        lambda language: formatting.day(language, day),
        lambda language: formatting.moment(language, noon),
        lambda language: date_text.day_text(day, language),
        lambda language: date_text.moment_text(noon, language),
        lambda language: date_text.short_day_text(day, language),
    ]
    texts = [str(text(language)) for text in moments for language in Language]
    return [*texts, jalali.long(day), jalali.short(day), jalali.plain(day), jalali.moment(noon), day.isoformat()]


@given(days)
def test_every_displayed_day_is_read_back(day: date) -> None:
    for text in _shown(day):
        assert date_parsing.read(text).day == day, text


@given(days, st.sampled_from(DIGITS))
def test_every_day_is_read_in_the_digits_of_every_script(day: date, digits: str) -> None:
    script = str.maketrans("0123456789", digits)
    for typed in (jalali.plain(day), day.isoformat(), latin_digits(jalali.long(day))):
        assert date_parsing.read(typed.translate(script)).day == day


@given(days, st.sampled_from(["/", " / ", "-", ".", " ", "\u200c", "–"]))
def test_the_year_may_be_first_or_last(day: date, mark: str) -> None:
    year, month, in_month = jalali.plain(day).split("/")
    assert date_parsing.read(mark.join((year, month, in_month))).day == day
    assert date_parsing.read(mark.join((in_month, month, year))).day == day


@pytest.mark.parametrize("language", list(Language))
def test_every_hint_that_pages_show_is_read(language: Language) -> None:
    """The hint's example follows the word for "such as"."""
    hints = [text.in_language(language) for key, text in formatting.TEXTS.items() if "date" in key or "year" in key]
    examples = [hint.split(mark, 1)[1] for hint in hints for mark in ("مانند ", "example ", "like ") if mark in hint]
    assert len(examples) >= 4
    for example in examples:
        for typed in (
            example.replace("»", "")
            .replace("«", "")
            .replace("”", "")
            .replace("“", "")
            .split(" یا " if language == "fa" else " or ")
        ):
            assert date_parsing.read(typed.strip(" .")).day is not None, typed


@given(st.text(max_size=90))
def test_no_text_breaks_the_reading(typed: str) -> None:
    reading = date_parsing.read(typed)
    assert (reading.day is None) == (reading.problem is not None)
    assert reading.day is None or 1821 <= reading.day.year < 2222


@pytest.mark.parametrize("typed", ["9", "آ\u064b\u0650", "سه ", "/", "1:11", "َّ"])
def test_a_long_text_is_refused_at_once(typed: str) -> None:
    assert date_parsing.read(typed * (262_144 // len(typed))).problem == "not_a_date"


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2026, 11, 26), None),
        (date(2026, 11, 27), "in_the_future"),
        (date(2001, 3, 21), None),
        (date(2001, 3, 20), "too_long_ago"),
    ],
)
def test_days_before_1380_or_after_today_are_refused(day: date, why: str | None) -> None:
    assert date_parsing.past_day_problem(day, date(2026, 11, 26)) == why
