"""The pages' texts, numbers and dates in the visitor's language."""

from __future__ import annotations

from datetime import date, datetime

from backbone.persian import normalisation as persian
from backbone.persian.date_text import day_text, moment_text
from contracts.vocabulary import Language
from texts.loading import area
from texts.office import office

TEXTS = area("pages")


def text(language: Language, key: str, /, **values: object) -> str:
    """The text for `key`; numbers among the values are written in the language's digits."""
    shown = {name: number(language, value) if isinstance(value, int) else value for name, value in values.items()}
    return TEXTS.text(language, key, office=office_name(language), **shown)


def office_name(language: Language) -> str:
    return office().name[language]


def contact_lines(language: Language) -> list[str]:
    """How the office is reached, as far as its installation names it."""
    this_office = office()
    values = {
        "address": this_office.address[language],
        "hours": this_office.hours[language],
        "phone": digits(language, this_office.phone),
    }
    return [text(language, f"contact_{name}", **{name: value}) for name, value in values.items() if value]


def sms_number(language: Language) -> str:
    """The number that citizens text their code to; empty where the installation names none."""
    return digits(language, office().sms_number)


def digits(language: Language, shown: object) -> str:
    return persian.persian_digits(str(shown)) if language is Language.FA else str(shown)


def number(language: Language, value: int) -> str:
    return digits(language, value)


def day(language: Language, value: date | datetime | str) -> str:
    """۲ آذر ۱۴۰۵, or 23 November 2026; of a moment, the day it was in Tehran."""
    return day_text(date.fromisoformat(value) if isinstance(value, str) else value, language)


def moment(language: Language, value: datetime | str) -> str:
    """The same with the hour in Tehran."""
    return moment_text(datetime.fromisoformat(value) if isinstance(value, str) else value, language)


def size(language: Language, octets: int) -> str:
    """۱٫۲ مگابایت: megabytes with one place, kilobytes when smaller."""
    if octets >= 1024 * 1024:
        figure = f"{octets / 1024 / 1024:.1f}".removesuffix(".0")
        return text(language, "megabytes", size=_decimal(language, figure))
    return text(language, "kilobytes", size=max(1, round(octets / 1024)))


def _decimal(language: Language, figure: str) -> str:
    return digits(language, figure).replace(".", "٫") if language is Language.FA else figure


def mobile(language: Language, e164: str) -> str:
    """0912 345 6789, as people write it."""
    local = "0" + e164.removeprefix("+98")
    return digits(language, f"{local[:4]} {local[4:7]} {local[7:]}")
