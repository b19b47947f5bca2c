"""What is asked of tracking about which cases there are: lists, search, and searches that are kept, for staff."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Contract, GroundCode, Moment, PageRequest, Request, UnitCode
from contracts.gateway import Actor
from contracts.vocabulary import Kind, Outcome, Role, Stage

Key = Annotated[str, Field(min_length=8, max_length=100)]
SearchName = Annotated[str, Field(min_length=1, max_length=100)]
Sort = Literal["-filed_at", "filed_at", "due_on", "-due_on"]


class FileType(StrEnum):
    """What kind of file an attachment is."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"


class Filter(Contract):
    """Which cases: all that is given has to hold; of several values of one field, one of them.

    `number`: a whole case number, or its last part in any year. `unit` takes all below it, unless `below` is false.
    `handler`: the inspector who has it. Days are Tehran's, both ends belong to the span; `due`: the day a decision is owed,
    for cases that owe one. `filed_since` and `filed_before` are moments. `text`: words in number and text, compared in
    normalised Persian; a whole number is that case's alone. `attached`: some attachment was found to be such a file.
    """

    number: Annotated[list[str], Field(max_length=50)] = []
    stage: Annotated[list[Stage], Field(max_length=20)] = []
    kind: Annotated[list[Kind], Field(max_length=10)] = []
    unit: Annotated[list[UnitCode], Field(max_length=50)] = []
    below: bool = True
    ground: Annotated[list[GroundCode], Field(max_length=50)] = []
    handler: Annotated[list[UUID], Field(max_length=50)] = []
    outcome: Annotated[list[Outcome], Field(max_length=10)] = []
    urgent: bool | None = None
    filed_from: date | None = None
    filed_until: date | None = None
    filed_since: Moment | None = None
    filed_before: Moment | None = None
    decided_from: date | None = None
    decided_until: date | None = None
    due_from: date | None = None
    due_until: date | None = None
    attached: Annotated[list[FileType], Field(max_length=10)] = []
    text: Annotated[str, Field(max_length=200)] | None = None


class ListCases(Filter, Request):
    """RPC tracking.list_cases → CasePage: what `actor` may see, and nothing else, by keyset pages, newest filed first unless
    `sort` says otherwise. `search`: a kept search, all of which has to hold as well; NotFound when it is not for them."""

    actor: Actor
    search: UUID | None = None
    sort: Sort = "-filed_at"
    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 25


class CaseLine(Answer):
    """`excerpt`: the first 140 characters of the text. `group_members`: how many complain together, None: one."""

    case_id: UUID
    number: str
    kind: Kind
    stage: Stage
    unit: UnitCode | None
    unit_name_fa: str | None
    ground: GroundCode
    urgent: bool
    anonymous: bool
    filed_at: Moment
    expected_on: date | None
    handler: UUID | None
    handler_name: str | None = None
    outcome: Outcome | None
    excerpt: str
    version: int
    group_members: int | None = None


class CasePage(Answer):
    """`masked`: to an analyst, who is told neither what is said in a case (`excerpt` is empty) nor who handles it."""

    items: list[CaseLine]
    next: str | None = None
    masked: bool = False


class CountFoundCases(Filter, Request):
    """RPC tracking.count_found_cases → CaseCount: how many cases a list of these would hold."""

    actor: Actor
    search: UUID | None = None


class CaseCount(Answer):
    count: int


# --- searches that are kept -----------------------------------------------------------------------------------------


class Audience(StrEnum):
    """Who else may run a kept search: nobody, all who see cases, or those of one role."""

    NOBODY = "nobody"
    ALL = "all"
    OPERATOR = Role.OPERATOR.value
    SCREENER = Role.SCREENER.value
    INSPECTOR = Role.INSPECTOR.value
    HEAD = Role.HEAD.value
    LIAISON = Role.LIAISON.value
    CUSTODIAN = Role.CUSTODIAN.value
    ANALYST = Role.ANALYST.value
    ADMINISTRATOR = Role.ADMINISTRATOR.value
    SUBSTITUTE = Role.SUBSTITUTE.value


class Search(Answer):
    """A search that somebody kept. `own`: the caller's; whoever it is shared with finds by it what they may see themselves."""

    search_id: UUID
    name: str
    filters: Filter
    sort: Sort
    shared_with: Audience
    owner: UUID
    owner_name: str | None = None
    own: bool
    version: int
    made_at: Moment
    changed_at: Moment


class SearchPage(Answer):
    items: list[Search]
    next: str | None = None


class KeepSearch(Request):
    """RPC tracking.keep_search → Search. TooManySearches; repeated with its key, the one it made."""

    actor: Actor
    name: SearchName
    filters: Filter
    sort: Sort = "-filed_at"
    shared_with: Audience = Audience.NOBODY
    idempotency_key: Key


class ListSearches(PageRequest):
    """RPC tracking.list_searches → SearchPage: one's own and those shared with one, the newest first."""

    actor: Actor


class GetSearch(Request):
    """RPC tracking.get_search → Search; NotFound also when it is not shared with the actor."""

    actor: Actor
    search_id: UUID


class ChangeSearch(Request):
    """RPC tracking.change_search → Search. What is left out stays. NotAllowed for another than its owner; StaleVersion."""

    actor: Actor
    search_id: UUID
    expected_version: int
    name: SearchName | None = None
    filters: Filter | None = None
    sort: Sort | None = None
    shared_with: Audience | None = None


class DropSearch(Request):
    """RPC tracking.drop_search → Dropped. As `change_search`."""

    actor: Actor
    search_id: UUID
    expected_version: int


class Dropped(Answer):
    """It is no more."""
