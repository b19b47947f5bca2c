"""Which cases: filters as they come in, in a query or in a body, with days as people type them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, get_origin
from uuid import UUID

from pydantic import (
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError
from starlette.datastructures import QueryParams

from contracts.base import GroundCode, UnitCode
from contracts.searches import MOST_COUNTS, MOST_PINNED, Audience, Columns, FileType, Filter, Sort, WaitingFor
from contracts.vocabulary import Channel, Kind, Outcome, Stage
from gateway.api.dependencies import Cursor, PageSize
from gateway.api.digits import CaseNumber, FilterDayOrMoment, TypedFilterDay
from gateway.api.fields import LINE_PATTERN, NAME_PATTERN, Body, Bound, Flag, NotBlank, example


def _handler(given: object) -> object:
    if given in ("me", "nobody") or isinstance(given, UUID):
        return given
    with suppress(ValueError):
        if isinstance(given, str):
            return UUID(given)
    raise PydanticCustomError("uuid_parsing", "not an id")


TypedHandler = Annotated[
    UUID | str,
    PlainValidator(_handler),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "format": "uuid"}, {"type": "string", "enum": ["me", "nobody"]}],
            "description": "An inspector; `me`: whoever runs the search; `nobody`: no inspector has the case.",
        }
    ),
]
Words = Annotated[str, StringConstraints(pattern=LINE_PATTERN, max_length=200)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=100), NotBlank]


class FiltersBody(Body):
    """Which cases: all that is given has to hold; of several values of one field, one of them.

    `ids`: these cases, as far as the reader may see them. `number`: whole, or its last part in any year. `unit` takes all below
    it, unless `below` is false. `handler`: the inspector, `me` or `nobody`. `waiting_for`: an open question waits for their
    answer. Days are Tehran's, Jalali or Gregorian, or counted from the day on which the search is run (`P2D`, `-P1W`), both
    ends included. `due`: the day a decision is owed, for cases that owe one; `overdue`: that day is over; `past_mark`: 80 % of
    the time are. `changed`: the day of the timeline's last line, `changed_since` its moment. `attached`: an attachment is such a
    file; `has_attachments`: there is one at all. `text`: words in number and text, in normalised Persian; a whole number is that
    case's alone.
    """

    ids: Annotated[list[UUID], Field(max_length=100)] = []
    number: Annotated[list[CaseNumber], Field(max_length=100)] = []
    stage: Annotated[list[Stage], Field(max_length=11)] = []
    kind: Annotated[list[Kind], Field(max_length=10)] = []
    unit: Annotated[list[UnitCode], Field(max_length=50)] = []
    below: Flag = True
    ground: Annotated[list[GroundCode], Field(max_length=50)] = []
    handler: Annotated[list[TypedHandler], Field(max_length=50)] = []
    channel: Annotated[list[Channel], Field(max_length=10)] = []
    waiting_for: Annotated[list[WaitingFor], Field(max_length=2)] = []
    outcome: Annotated[list[Outcome], Field(max_length=10)] = []
    urgent: Flag | None = None
    overdue: Flag | None = None
    past_mark: Flag | None = None
    filed_from: TypedFilterDay | None = None
    filed_until: TypedFilterDay | None = None
    changed_from: TypedFilterDay | None = None
    changed_until: TypedFilterDay | None = None
    changed_since: Bound | None = None
    decided_from: TypedFilterDay | None = None
    decided_until: TypedFilterDay | None = None
    due_from: TypedFilterDay | None = None
    due_until: TypedFilterDay | None = None
    attached: Annotated[list[FileType], Field(max_length=10)] = []
    has_attachments: Flag | None = None
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
    overdue: bool | None = None
    past_mark: bool | None = None
    has_attachments: bool | None = None
    filed_since: Bound | None = None
    filed_until: FilterDayOrMoment | None = None  # wider than in a body, as it was from the first
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


class NamedFilterBody(Body):
    """`name`: the caller's, for the answer. `search`: a kept search, which has to hold as well."""

    name: Name
    filters: FiltersBody = FiltersBody()
    search: UUID | None = None
    model_config = example(name="این هفته", filters={"handler": ["me"], "due_until": "P7D"})


class CountsBody(Body):
    """What to count, of at most twenty lists."""

    counts: Annotated[list[NamedFilterBody], Field(min_length=1, max_length=MOST_COUNTS)]
    model_config = example(
        counts=[
            {"name": "این هفته", "filters": {"handler": ["me"], "due_until": "P7D"}},
            {"name": "جست‌وجوی من", "search": "2a6f0c1e-5d3b-4b1a-9d38-2f1c5f3f8a14"},
        ]
    )

    def request_fields(self) -> dict[str, Any]:
        return {"counts": [item.model_dump() for item in self.counts]}


class PinsBody(Body):
    """`searches`: one's own or shared ones, in the order in which they are to stand."""

    searches: Annotated[list[UUID], Field(max_length=MOST_PINNED)]
    model_config = example(searches=["2a6f0c1e-5d3b-4b1a-9d38-2f1c5f3f8a14"])


class SearchBody(Body):
    """`shared_with`: nobody, all who see cases, those of the owner's unit, or those of one role; what they find by it is what
    they may see. `columns`: to show, in their order; none: as the reader is used to."""

    name: Name
    filters: FiltersBody
    sort: Sort = "-filed_at"
    columns: Columns = []
    shared_with: Audience = Audience.NOBODY
    model_config = example(
        name="شهرسازی، مهلت تا دو روز",
        filters={"unit": ["dep.urb"], "handler": ["me"], "due_until": "P2D"},
        sort="due_on",
        columns=["number", "stage", "expected_on", "excerpt"],
        shared_with="inspector",
    )


class SearchChangeBody(Body):
    """What is left out stays."""

    name: Name | None = None
    filters: FiltersBody | None = None
    sort: Sort | None = None
    columns: Columns | None = None
    shared_with: Audience | None = None
    model_config = example(name="شهرسازی، پاییز", shared_with="all")
