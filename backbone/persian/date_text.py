"""Days and moments as a person reads them: Jalali with Persian digits in Persian, Gregorian in English; in Tehran's time."""

from __future__ import annotations

from datetime import date, datetime

from backbone.persian import jalali
from backbone.persian.normalisation import persian_digits
from contracts.characters import latin_digits
from contracts.vocabulary import Language


def day_text(day: date, language: Language) -> str:
    """۲ آذر ۱۴۰۵, or 23 November 2026; of a moment, the day it was in Tehran."""
    if isinstance(day, datetime):
        day = jalali.today(day)
    return jalali.long(day) if language is Language.FA else f"{day:%-d %B %Y}"


def moment_text(moment: datetime, language: Language) -> str:
    """۲ آذر ۱۴۰۵، ساعت ۱۴:۰۵, or 23 November 2026, 14:05."""
    if language is Language.FA:
        return jalali.moment(moment)
    return f"{moment.astimezone(jalali.TEHRAN):%-d %B %Y, %H:%M}"


def short_day_text(day: date, language: Language) -> str:
    """۱۴۰۵/۰۹/۰۲, or 1405/09/02: the Jalali day in both languages, where each character counts."""
    text = jalali.short(day)
    return text if language is Language.FA else latin_digits(text)


def digits(text: str, language: Language) -> str:
    """The text with its digits in those of the language."""
    return persian_digits(text) if language is Language.FA else text
