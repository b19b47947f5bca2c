"""Which cases: filters as they come in, in a query or in a body, with days as people type them."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from backbone.persian import date_parsing as dates
from contracts.base import GroundCode, UnitCode
from contracts.searches import Audience, FileType, Filter, Sort
from contracts.vocabulary import Kind, Outcome, Stage
from gateway.api.dependencies import Cursor, PageSize
from gateway.api.fields import LINE_PATTERN, NAME_PATTERN, Body, Flag, MomentText, NotBlank, example

_PERSIAN, _ARABIC = (
    str.maketrans("0123456789", "".join(chr(zero + digit) for digit in range(10))) for zero in (0x6F0, 0x660)
)


def _digits(pattern: str) -> str:
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
DAY_PATTERN = f"^(?:{_digits(_JALALI)}|{_digits(_ISO)})$"
_DAY_SCHEMA = {
    "type": "string",
    "pattern": DAY_PATTERN,
    "description": "A day in Tehran, Jalali or Gregorian, in any digits.",
    "examples": ["1405/08/03"],
}


def _day(given: object) -> object:
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    day = dates.read(given).day if isinstance(given, str) else None
    if day is None:
        raise PydanticCustomError("not_a_day", "not a day")
    return day


def _day_or_moment(given: object) -> object:
    if isinstance(given, str) and "T" in given:
        return given
    return _day(given)


TypedDay = Annotated[date, BeforeValidator(_day), WithJsonSchema(_DAY_SCHEMA)]
"""1405/08/03, ۱۴۰۵/۸/۳ or 2026-10-25."""
DayOrMoment = Annotated[
    date | AwareDatetime,
    BeforeValidator(_day_or_moment),
    WithJsonSchema({"anyOf": [_DAY_SCHEMA, {"type": "string", "format": "date-time"}]}),
]
CaseNumber = Annotated[
    str,
    StringConstraints(pattern=_digits(r"^(?:1[2-5][0-9]{2}-)?[0-9]{1,9}$"), max_length=14),
    Field(description="A case number, or its last part in any year, in any digits.", examples=["1405-000123"]),
]
Words = Annotated[str, StringConstraints(pattern=LINE_PATTERN, max_length=200)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=100), NotBlank]


class FiltersBody(Body):
    """Which cases: all that is given has to hold; of several values of one field, one of them.

    `number`: whole, or its last part in any year. `unit` takes all below it, unless `below` is false. `handler`: the
    inspector. Days are Tehran's, Jalali or Gregorian, both ends included; `due`: the day a decision is owed, for cases that
    owe one. `attached`: an attachment is such a file. `text`: words in number and text, in normalised Persian; a whole number is
    that case's alone.
    """

    number: Annotated[list[CaseNumber], Field(max_length=50)] = []
    stage: Annotated[list[Stage], Field(max_length=11)] = []
    kind: Annotated[list[Kind], Field(max_length=10)] = []
    unit: Annotated[list[UnitCode], Field(max_length=50)] = []
    below: Flag = True
    ground: Annotated[list[GroundCode], Field(max_length=50)] = []
    handler: Annotated[list[UUID], Field(max_length=50)] = []
    outcome: Annotated[list[Outcome], Field(max_length=10)] = []
    urgent: Flag | None = None
    filed_from: TypedDay | None = None
    filed_until: TypedDay | None = None
    decided_from: TypedDay | None = None
    decided_until: TypedDay | None = None
    due_from: TypedDay | None = None
    due_until: TypedDay | None = None
    attached: Annotated[list[FileType], Field(max_length=10)] = []
    text: Words | None = None

    model_config = example(
        stage=["investigating", "awaiting_unit"],
        unit=["dep.urb"],
        filed_from="1405/07/01",
        filed_until="1405/09/30",
        attached=["image"],
        text="پایان کار",
    )

    def filter(self) -> Filter:
        return Filter(**self.model_dump())


class CountQuery(FiltersBody):
    """`search`: a kept search, which has to hold as well. `filed_since`: a moment; `filed_until` may be one, too, and then
    itself is not in the span."""

    below: bool = True
    urgent: bool | None = None
    filed_since: MomentText | None = None
    filed_until: DayOrMoment | None = None  # wider than in a body, as it was from the first
    search: UUID | None = None

    def request_fields(self) -> dict[str, Any]:
        """The fields of tracking's ListCases and CountFoundCases."""
        fields = self.model_dump()
        if isinstance(self.filed_until, datetime):
            fields["filed_before"] = fields.pop("filed_until")
        return fields


class PageQuery(CountQuery):
    sort: Sort = "-filed_at"
    after: Cursor = None
    limit: PageSize = 25


class SearchBody(Body):
    """`shared_with`: nobody, all who see cases, or those of one role; what they find by it is what they may see."""

    name: Name
    filters: FiltersBody
    sort: Sort = "-filed_at"
    shared_with: Audience = Audience.NOBODY
    model_config = example(
        name="شهرسازی، در دست بررسی",
        filters={"unit": ["dep.urb"], "stage": ["investigating"]},
        sort="due_on",
        shared_with="inspector",
    )


class SearchChangeBody(Body):
    """What is left out stays."""

    name: Name | None = None
    filters: FiltersBody | None = None
    sort: Sort | None = None
    shared_with: Audience | None = None
    model_config = example(name="شهرسازی، پاییز", shared_with="all")
