"""The kinds of text, days and numbers that bodies are made of.

Texts are stored as typed; refused are control characters and the marks that reverse or hide the direction of text.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from backbone.persian import date_parsing as dates
from backbone.persian import jalali
from backbone.persian import normalisation as persian
from contracts import characters
from contracts.base import UploadId, now
from contracts.text_limits import (
    CLAIM_SEEN,
    LONGEST_NAME,
    LONGEST_SHORT_TEXT,
    LONGEST_TEXT,
    SHORTEST_CLAIM,
    SHORTEST_NAME,
)

_IN_LINES = r"\x00-\x1f\x7f-\x9f" + characters.DIRECTIONS
_IN_TEXT = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f" + characters.DIRECTIONS
_UNSEEN_IN_LINES = (
    r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000" + characters.COMBINING + characters.HIDDEN
)
_UNSEEN_IN_TEXT = r"\t\n\r" + _UNSEEN_IN_LINES


def _seen(unseen: str, refused: str, times: int = 1) -> str:
    """A pattern of texts that have no character of `refused`, and at least so many that are none of `unseen` either."""
    return rf"^(?:[{unseen}]*[^{unseen}{refused}]){{{times}}}[^{refused}]*$"


Item = TypeVar("Item")
LINE_PATTERN = rf"^[^{_IN_LINES}]*$"
NAME_PATTERN = _seen(_UNSEEN_IN_LINES, _IN_LINES)
TEXT_PATTERN = _seen(_UNSEEN_IN_TEXT, _IN_TEXT)
CLAIM_CHARACTERS = SHORTEST_CLAIM


def _not_blank(given: object) -> object:
    """A text of nothing but invisible characters counts as missing."""
    if isinstance(given, str) and persian.is_blank(given):
        raise PydanticCustomError("missing", "nothing that can be seen")
    return given


NotBlank = BeforeValidator(_not_blank)
EmptyOrSeen = BeforeValidator(lambda given: given if given == "" else _not_blank(given))
OptionalLine = rf"^(?:{NAME_PATTERN[1:-1]})?$"
OptionalText = rf"^[^{_IN_TEXT}]*$"

"""One line of text."""
LongText = Annotated[str, StringConstraints(pattern=TEXT_PATTERN, min_length=1, max_length=LONGEST_TEXT), NotBlank]
"""Several lines; not blank."""
ClaimText = Annotated[
    str,
    StringConstraints(
        pattern=_seen(_UNSEEN_IN_TEXT, _IN_TEXT, CLAIM_SEEN), min_length=CLAIM_CHARACTERS, max_length=LONGEST_TEXT
    ),
    NotBlank,
]
"""What happened: 10 to 10,000 characters."""
ShortText = Annotated[
    str, StringConstraints(pattern=TEXT_PATTERN, min_length=1, max_length=LONGEST_SHORT_TEXT), NotBlank
]
ReasonText = Annotated[
    str, StringConstraints(pattern=_seen(_UNSEEN_IN_TEXT, _IN_TEXT, 3), min_length=5, max_length=500), NotBlank
]
"""Why something sealed is opened."""
PersonName = Annotated[
    str,
    StringConstraints(pattern=_seen(_UNSEEN_IN_LINES, _IN_LINES, 2), min_length=SHORTEST_NAME, max_length=LONGEST_NAME),
    NotBlank,
]
"""Of a person, as they write it."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL_CATEGORIES = frozenset({"Cc", "Cs"})
_DIRECTIONS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def is_clean(text: str) -> bool:
    """No control characters but line breaks and tabs, no direction overrides, no lone surrogates."""
    return not any(
        character in _DIRECTIONS
        or (unicodedata.category(character) in _CONTROL_CATEGORIES and character not in "\n\r\t")
        for character in text
    )


def different(values: list[Item]) -> list[Item]:
    """After a list: none of its values appears twice."""
    if len(set(values)) != len(values):
        raise PydanticCustomError("twice", "one of them appears twice")
    return values


Distinct = Annotated[list[Item], Field(json_schema_extra={"uniqueItems": True}), AfterValidator(different)]
"""A list of values, each once."""
Uploads = Annotated[Distinct[UploadId], Field(max_length=10)]


def bounds() -> dict[str, str]:
    """Between which days something can have happened."""
    return {"earliest": dates.EARLIEST.isoformat(), "latest": jalali.today(now()).isoformat()}


def happened(given: object) -> date:
    """Before a date: the day something happened, as people type it. Neither before 1380 nor after today in Tehran."""
    if isinstance(given, str):
        reading = dates.read(given)
        if reading.day is None:
            raise PydanticCustomError(str(reading.problem), "not a day", wrong_day(reading))
        day = reading.day
    elif isinstance(given, date) and not isinstance(given, datetime):
        day = given
    else:
        raise PydanticCustomError("date_type", "not a day")
    reason = dates.past_day_problem(day, jalali.today(now()))
    if reason is not None:
        raise PydanticCustomError(reason, "not of these days", dict(bounds()))
    return day


def wrong_day(reading: dates.Reading) -> dict[str, str]:
    """The parameters of the error about a day that was not understood: the days it may mean, or the first and last possible."""
    if reading.meanings:
        return {"meanings": " ".join(day.isoformat() for day in reading.meanings)}
    return bounds() if reading.problem in ("too_long_ago", "in_the_future") else {}


def _in_use(day: date) -> date:
    if not dates.EARLIEST <= day <= dates.LATEST:
        limits = {"earliest": dates.EARLIEST.isoformat(), "latest": dates.LATEST.isoformat()}
        raise PydanticCustomError("date_out_of_range", "not of our time", dict(limits))
    return day


def _text_of_a_day(given: object) -> object:
    """A number is no day, whatever second of 1970 it may be; nor is a moment."""
    if isinstance(given, str) and not _DAY.fullmatch(given):
        raise PydanticCustomError("date_parsing", "not a day")
    if isinstance(given, str | date) and not isinstance(given, datetime):
        return given
    raise PydanticCustomError("date_type", "not a day")


def _text_of_a_moment(given: object) -> object:
    if isinstance(given, str) and _DAY.match(given):
        return given
    raise PydanticCustomError("datetime_parsing", "not a moment")


def whole(given: object) -> object:
    """Before an int: 3, or 3.0 as JSON has no other number; neither true nor "3"."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise PydanticCustomError("int_type", "not a number")
    return given


Flag = Annotated[bool, Strict()]
"""true or false; neither 1 nor "yes"."""
Whole = Annotated[int, BeforeValidator(whole)]
"""A whole number; not its text."""
Number = Annotated[float, Strict()]
AnyDay = Annotated[date, BeforeValidator(_text_of_a_day)]
"""2026-11-23, and nothing else that could be read as a day."""
_IN_A_YEAR = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
Day = Annotated[
    AnyDay,
    AfterValidator(_in_use),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^(?:200[2-9]|20[1-9][0-9]|21[01][0-9]|212[01])-{_IN_A_YEAR}$",
            "description": "A day, from 2001-03-21 (1 Farvardin 1380) to 2122-03-20.",
            "examples": ["2026-11-23"],
        }
    ),
]
"""The same from 1380 to 1500: what programs of the office send."""
PastDay = Annotated[
    date,
    BeforeValidator(happened),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": dates.LONGEST,
            "description": "The day in Tehran, from 1 Farvardin 1380 (2001-03-21) to today: 2026-11-23, or as people type it, "
            "Jalali or Gregorian, in any digits. The receipt's hash is over 2026-11-23.",
            "examples": ["2026-11-20", "۲۹ آبان ۱۴۰۵"],
        }
    ),
]
"""When something happened."""
MomentText = Annotated[AwareDatetime, BeforeValidator(_text_of_a_moment)]
"""A moment with its offset, as text."""
YEARS = range(2000, 2200)
"""Outside of them a moment does not exist in every time zone and calendar."""


def of_our_time(given: date) -> date:
    """After a day or a moment that is stored."""
    if given.year not in YEARS:
        limits = {"earliest": f"{YEARS.start}-01-01", "latest": f"{YEARS.stop - 1}-12-31"}
        raise PydanticCustomError("date_out_of_range", "not of our time", dict(limits))
    return given


Moment = Annotated[MomentText, AfterValidator(of_our_time)]
"""A moment that is stored."""


def within_our_time(moment: datetime) -> datetime:
    """After a moment with which a list begins or ends: there is nothing beyond."""
    if moment.year in YEARS:
        return moment
    return datetime(YEARS.start if moment.year < YEARS.start else YEARS.stop, 1, 1, tzinfo=UTC)


def day_within_our_time(day: date) -> date:
    """The same of a day."""
    return min(max(day, date(YEARS.start, 1, 1)), date(YEARS.stop - 1, 12, 31))


Bound = Annotated[MomentText, AfterValidator(within_our_time)]
"""Where a list begins or ends."""


class Body(BaseModel):
    """What comes in is strict: a field nobody declared is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def request_fields(self) -> dict[str, Any]:
        """The fields of the service's request that it gives: its own, by the same names."""
        return self.model_dump()


def example(**fields: Any) -> ConfigDict:
    """The `model_config` of a body: its example in the OpenAPI document; the rest is inherited from `Body`."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class NothingBody(Body):
    """No field: the command says it all."""

    model_config = example()
