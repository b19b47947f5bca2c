"""What is asked of tracking about which cases there are: lists, search, and searches that are kept, for staff."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from contracts.base import LEFT_OUT, Answer, Contract, GroundCode, Moment, PageRequest, Request, UnitCode
from contracts.gateway import Actor
from contracts.vocabulary import Channel, Kind, Outcome, Role, Stage

Key = Annotated[str, Field(min_length=8, max_length=100)]
SearchName = Annotated[str, Field(min_length=1, max_length=100)]
Sort = Literal["-filed_at", "filed_at", "due_on", "-due_on", "number", "-number", "changed_at", "-changed_at"]
RELATIVE_DAY = r"-?P(?:[0-9]{1,4}D|[0-9]{1,3}W)"
RelativeDay = Annotated[str, Field(pattern=f"^{RELATIVE_DAY}$")]
"""A day counted from the one on which the search is run, as ISO 8601 writes durations: P2D in two days, -P1W a week ago, P0D
that day."""
FilterDay = date | RelativeDay
Handler = UUID | Literal["me", "nobody"]
"""An inspector; `me`: whoever runs the search; `nobody`: no inspector has the case."""


def _each_once(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


class FileType(StrEnum):
    """What kind of file an attachment is."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"


class WaitingFor(StrEnum):
    """Whose answer to an open question a case waits for."""

    CITIZEN = "citizen"
    UNIT = "unit"


class Filter(Contract):
    """Which cases: all that is given has to hold; of several values of one field, one of them.

    `ids`: these cases. `number`: a whole case number, or its last part in any year. `unit` takes all below it, unless `below` is
    false. `handler`: the inspector who has it. `waiting_for`: an open question waits for them. Days are Tehran's, and may be
    counted from the one on which the search is run; both ends belong to the span. `due`: the day a decision is owed, for cases
    that owe one; `changed`: by the last line of the timeline. `filed_since`, `filed_before` and `changed_since` are moments.
    `overdue`: that day is over; `past_mark`: 80 % of the time for the decision are. `text`: words in number and text, compared in
    normalised Persian; a whole number is that case's alone. `attached`: some attachment was found to be such a file;
    `has_attachments`: there is one at all.
    """

    ids: Annotated[list[UUID], Field(max_length=1_000)] = []
    number: Annotated[list[str], Field(max_length=100)] = []
    stage: Annotated[list[Stage], Field(max_length=20)] = []
    kind: Annotated[list[Kind], Field(max_length=10)] = []
    unit: Annotated[list[UnitCode], Field(max_length=50)] = []
    below: bool = True
    ground: Annotated[list[GroundCode], Field(max_length=50)] = []
    handler: Annotated[list[Handler], Field(max_length=50)] = []
    channel: Annotated[list[Channel], Field(max_length=10)] = []
    waiting_for: Annotated[list[WaitingFor], Field(max_length=2)] = []
    outcome: Annotated[list[Outcome], Field(max_length=10)] = []
    urgent: bool | None = None
    overdue: bool | None = None
    past_mark: bool | None = None
    filed_from: FilterDay | None = None
    filed_until: FilterDay | None = None
    filed_since: Moment | None = None
    filed_before: Moment | None = None
    changed_from: FilterDay | None = None
    changed_until: FilterDay | None = None
    changed_since: Moment | None = None
    decided_from: FilterDay | None = None
    decided_until: FilterDay | None = None
    due_from: FilterDay | None = None
    due_until: FilterDay | None = None
    attached: Annotated[list[FileType], Field(max_length=10)] = []
    has_attachments: bool | None = None
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
    """What there is not is left out of a row. `excerpt`: the first 32 characters of the text. `group_members`: how many complain
    together, where there are more than one.

    While a decision is owed: `warn_on`, when 80 % of the time are over; `days_left`, working days from
    today, or from the day the clock was stopped, below zero when it is late. `unread`: something came since I read it last.
    `question_to`: of whom an answer is waited for, `citizen` or the code of a unit. `attachments`: how many."""

    case_id: UUID
    number: str
    kind: Kind
    stage: Stage
    unit: UnitCode | None = LEFT_OUT
    unit_name_fa: str | None = LEFT_OUT
    ground: GroundCode
    urgent: bool
    anonymous: bool
    filed_at: Moment
    expected_on: date | None = LEFT_OUT
    handler: UUID | None = LEFT_OUT
    handler_name: str | None = LEFT_OUT
    outcome: Outcome | None = LEFT_OUT
    excerpt: str
    version: int
    group_members: int | None = LEFT_OUT
    last_activity: Moment | None = LEFT_OUT
    attachments: int = 0
    unread: bool = False
    warn_on: date | None = LEFT_OUT
    days_left: int | None = LEFT_OUT
    question_to: str | None = LEFT_OUT


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


MOST_COUNTED = 10_000
MOST_COUNTS = 20


class NamedFilter(Contract):
    """What to count; `name`: the caller's, for the answer. `search`: a kept search, all of which has to hold as well."""

    name: SearchName
    filters: Filter = Filter()
    search: UUID | None = None


class CountManyFoundCases(Request):
    """RPC tracking.count_many_found_cases → CaseCounts: how many cases each of these lists would hold, counted as far as
    `MOST_COUNTED`. InvalidField for one that asks what no list can; for the rest each is refused by itself."""

    actor: Actor
    counts: Annotated[list[NamedFilter], Field(min_length=1, max_length=MOST_COUNTS)]


class NamedCount(Answer):
    """`more`: there are more than `count`, which is as far as was counted. `error`: why there is none: not_found for a search
    that is not for the caller any more, not_allowed for what they may not look for."""

    name: str
    count: int | None
    more: bool = False
    error: str | None = None


class CaseCounts(Answer):
    """In the order in which they were asked for."""

    items: list[NamedCount]


# --- searches that are kept -----------------------------------------------------------------------------------------


class Audience(StrEnum):
    """Who else may run a kept search: nobody, all who see cases, those of the owner's unit, or those of one role."""

    NOBODY = "nobody"
    ALL = "all"
    UNIT = "unit"
    OPERATOR = Role.OPERATOR.value
    SCREENER = Role.SCREENER.value
    INSPECTOR = Role.INSPECTOR.value
    HEAD = Role.HEAD.value
    LIAISON = Role.LIAISON.value
    CUSTODIAN = Role.CUSTODIAN.value
    ANALYST = Role.ANALYST.value
    ADMINISTRATOR = Role.ADMINISTRATOR.value
    SUBSTITUTE = Role.SUBSTITUTE.value


Column = Literal[
    "number",
    "kind",
    "stage",
    "unit",
    "ground",
    "urgent",
    "channel",
    "filed_at",
    "changed_at",
    "expected_on",
    "days_left",
    "handler",
    "waiting_for",
    "outcome",
    "attachments",
    "unread",
    "group",
    "excerpt",
]
"""What a list of cases may show of each."""
Columns = Annotated[list[Column], Field(max_length=20), AfterValidator(_each_once)]
MOST_PINNED = 20


class Search(Answer):
    """A search that somebody kept. `own`: the caller's; whoever it is shared with finds by it what they may see themselves.
    `columns`: to show, in their order; none: as the reader is used to. `position`: its place among those that the caller has
    pinned, from 1; None: it is not."""

    search_id: UUID
    name: str
    filters: Filter
    sort: Sort
    columns: list[Column] = []
    shared_with: Audience
    position: int | None = None
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
    columns: Columns = []
    shared_with: Audience = Audience.NOBODY
    idempotency_key: Key


class ListSearches(PageRequest):
    """RPC tracking.list_searches → SearchPage: one's own and those shared with one, the newest first. `pinned`: those alone that
    one has pinned, in their order."""

    actor: Actor
    pinned: bool = False


class PinSearches(Request):
    """RPC tracking.pin_searches → SearchPage: from now on these are pinned for the actor, in this order, and no others. NotFound
    for one that is not for them."""

    actor: Actor
    searches: Annotated[list[UUID], Field(max_length=MOST_PINNED), AfterValidator(_each_once)]


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
    columns: Columns | None = None
    shared_with: Audience | None = None


class DropSearch(Request):
    """RPC tracking.drop_search → Dropped. As `change_search`."""

    actor: Actor
    search_id: UUID
    expected_version: int


class Dropped(Answer):
    """It is no more."""
