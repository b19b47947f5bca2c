"""Days and moments in the reader's language."""

from __future__ import annotations

from datetime import UTC, date, datetime

from backbone.persian.date_text import day_text, digits, moment_text, short_day_text
from contracts.vocabulary import Language

DAY = date(2026, 11, 3)
MOMENT = datetime(2026, 11, 2, 21, 5, tzinfo=UTC)


def test_a_day_is_jalali_in_persian_and_gregorian_in_english() -> None:
    assert day_text(DAY, Language.FA) == "۱۲ آبان ۱۴۰۵"
    assert day_text(DAY, Language.EN) == "3 November 2026"


def test_the_day_of_a_moment_is_that_of_tehran() -> None:
    assert day_text(MOMENT, Language.EN) == "3 November 2026"


def test_a_moment_is_written_in_tehran_time() -> None:
    assert moment_text(MOMENT, Language.FA) == "۱۲ آبان ۱۴۰۵، ساعت ۰۰:۳۵"
    assert moment_text(MOMENT, Language.EN) == "3 November 2026, 00:35"


def test_a_short_day_is_jalali_in_both_languages() -> None:
    assert short_day_text(DAY, Language.FA) == "۱۴۰۵/۰۸/۱۲"
    assert short_day_text(DAY, Language.EN) == "1405/08/12"


def test_digits_follow_the_language() -> None:
    assert (digits("1405-7", Language.FA), digits("1405-7", Language.EN)) == ("۱۴۰۵-۷", "1405-7")
