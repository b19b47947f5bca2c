"""What people type in the digits of any script: days, case numbers, mobiles, national IDs, tracking codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from backbone.persian import date_parsing as dates
from contracts import tracking_codes
from contracts.searches import RELATIVE_DAY, RelativeDay
from gateway.api.fields import LINE_PATTERN, within_our_time

_PERSIAN, _ARABIC = (
    str.maketrans("0123456789", "".join(chr(zero + digit) for digit in range(10))) for zero in (0x6F0, 0x660)
)


def in_any_digits(pattern: str) -> str:
    """The pattern in the digits of any script: 3 as [3۳٣], [1-3] as [1-3۱-۳١-٣]."""

    def widened(match: re.Match[str]) -> str:
        characters = match.group().strip("[]")
        if match.group().startswith("{") or not re.search("[0-9]", characters):
            return match.group()
        return f"[{characters}{characters.translate(_PERSIAN)}{characters.translate(_ARABIC)}]"

    return re.sub(r"\{[^}]*\}|\[[^\]]*\]|[0-9]", widened, pattern)


_JALALI = (
    r"1[2-5][0-9]{2}[/-](?:0?[1-6][/-](?:0?[1-9]|[12][0-9]|3[01])|(?:0?[7-9]|1[01])[/-](?:0?[1-9]|[12][0-9]|30)"
    r"|12[/-](?:0?[1-9]|[12][0-9]))"
)
_ISO = (
    r"(?:19|20|21)[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_DAY_PATTERN = f"^(?:{in_any_digits(_JALALI)}|{in_any_digits(_ISO)})$"
DAY_SCHEMA = {
    "type": "string",
    "pattern": _DAY_PATTERN,
    "description": "A day in Tehran, Jalali or Gregorian, in any digits.",
    "examples": ["1405/08/03"],
}


def typed_day(given: object) -> object:
    """Before a date: the day that was typed."""
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    day = dates.read(given).day if isinstance(given, str) else None
    if day is None:
        raise PydanticCustomError("not_a_day", "not a day")
    return day


def typed_filter_day(given: object) -> object:
    """The same, or a day counted from the one on which the search is run."""
    return given if isinstance(given, str) and _RELATIVE.fullmatch(given) else typed_day(given)


_RELATIVE = re.compile(RELATIVE_DAY)
FILTER_DAY_SCHEMA = {
    **DAY_SCHEMA,
    "pattern": f"{_DAY_PATTERN[:-2]}|{RELATIVE_DAY})$",
    "description": "A day in Tehran, Jalali or Gregorian, in any digits; or one counted from the day on which the search is run, "
    "as ISO 8601 writes durations: P2D in two days, -P1W a week ago, P0D that day.",
}
TypedFilterDay = Annotated[date | RelativeDay, BeforeValidator(typed_filter_day), WithJsonSchema(FILTER_DAY_SCHEMA)]
"""1405/08/03, ۱۴۰۵/۸/۳, 2026-10-25, P2D or -P1W."""
TypedDay = Annotated[date, BeforeValidator(typed_day), WithJsonSchema(DAY_SCHEMA)]
"""1405/08/03, ۱۴۰۵/۸/۳ or 2026-10-25."""


def _or_moment(read_day: Callable[[object], object]) -> BeforeValidator:
    return BeforeValidator(lambda given: given if isinstance(given, str) and "T" in given else read_day(given))


_IN_OUR_TIME = AfterValidator(lambda given: within_our_time(given) if isinstance(given, datetime) else given)
_MOMENT_SCHEMA = {"type": "string", "format": "date-time"}
DayOrMoment = Annotated[
    AwareDatetime | date,  # a moment at midnight could be read as a day
    _or_moment(typed_day),
    _IN_OUR_TIME,
    WithJsonSchema({"anyOf": [DAY_SCHEMA, _MOMENT_SCHEMA]}),
]
FilterDayOrMoment = Annotated[
    AwareDatetime | date | RelativeDay,
    _or_moment(typed_filter_day),
    _IN_OUR_TIME,
    WithJsonSchema({"anyOf": [FILTER_DAY_SCHEMA, _MOMENT_SCHEMA]}),
]
"""A day, or a moment with its offset."""
CaseNumber = Annotated[
    str,
    StringConstraints(pattern=in_any_digits(r"^(?:1[2-5][0-9]{2}-)?[0-9]{1,9}$"), max_length=14),
    Field(description="A case number, or its last part in any year, in any digits.", examples=["1405-000123"]),
]
WholeCaseNumber = Annotated[
    str,
    StringConstraints(pattern=in_any_digits(r"^1[2-5][0-9]{2}-[0-9]{1,9}$"), max_length=14),
    Field(description="A case number, as letters name it, in any digits.", examples=["1405-000123"]),
]
LastDigits = Annotated[
    str, StringConstraints(pattern=in_any_digits(r"^[0-9]{4}$")), Field(description="Four, in any digits.")
]
TypedNumber = Annotated[str, StringConstraints(pattern=LINE_PATTERN, max_length=40)]
"""A mobile or a national ID, as it is typed: 0912…, +98912…, with spaces or dashes."""
TypedCode = Annotated[
    str, Field(min_length=1, max_length=tracking_codes.LONGEST_TEXT, json_schema_extra={"format": "password"})
]
"""A tracking code in any grouping, or a whole message in which it is."""
