"""Which cases: filters as they come in, in a query or in a body, with days as people type them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, get_origin
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from starlette.datastructures import QueryParams

from contracts.base import GroundCode, UnitCode
from contracts.searches import Audience, FileType, Filter, Sort
from contracts.vocabulary import Kind, Outcome, Stage
from gateway.api.dependencies import Cursor, PageSize
from gateway.api.digits import DAY_SCHEMA, CaseNumber, TypedDay, typed_day
from gateway.api.fields import LINE_PATTERN, NAME_PATTERN, Body, Bound, Flag, NotBlank, example, within_our_time


def _day_or_moment(given: object) -> object:
    if isinstance(given, str) and "T" in given:
        return given
    return typed_day(given)


DayOrMoment = Annotated[
    date | AwareDatetime,
    BeforeValidator(_day_or_moment),
    AfterValidator(lambda given: within_our_time(given) if isinstance(given, datetime) else given),
    WithJsonSchema({"anyOf": [DAY_SCHEMA, {"type": "string", "format": "date-time"}]}),
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
    filed_since: Bound | None = None
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


_LISTS = frozenset(name for name, field in PageQuery.model_fields.items() if get_origin(field.annotation) is list)


def parse_page_query(params: QueryParams) -> PageQuery | None:
    """The query of a list without FastAPI; None for one that FastAPI is to judge: unknown, repeated, empty or invalid."""
    given: dict[str, object] = {}
    for name in params:
        values = params.getlist(name)
        if name not in PageQuery.model_fields or "" in values or (len(values) > 1 and name not in _LISTS):
            return None
        given[name] = values if name in _LISTS else values[0]
    try:
        return PageQuery.model_validate(given)
    except ValidationError:
        return None


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
