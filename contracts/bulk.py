"""One command, or one macro, for many cases: carried out in the background, each case by itself and judged by itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Contract, Event, HistoryRequest, Moment, PageRequest, Request
from contracts.gateway import Actor
from contracts.macros import Step
from contracts.searches import Filter, Key

MOST_NAMED = 1_000
"""Cases that one bulk names by their ids; a search may find more of them."""


class BulkState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class LineResult(StrEnum):
    """What came of one case. `cancelled`: it was not tried."""

    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class CaseInBulk(Contract):
    """`expected_version`: as it was seen; a case that has changed since is refused as stale. None: as it is when its turn
    comes."""

    case_id: UUID
    expected_version: int | None = None


class StartBulk(Request):
    """RPC tracking.start_bulk → Bulk: `step` or the macro `macro_id`, for `cases` or for all that `filters` and the kept `search`
    find at this moment and the actor may see. Each is carried out in the actor's name, with the rights that they have then.

    `preview`: each is judged and nothing is done. TooManyBulks, TooManyCases (more than the office allows), NothingSelected;
    NotFound for a macro or a search that is not for them; InvalidField; KeyReused; repeated with its key, the one it made."""

    actor: Actor
    step: Step | None = None
    macro_id: UUID | None = None
    cases: Annotated[list[CaseInBulk], Field(max_length=MOST_NAMED)] = []
    filters: Filter | None = None
    search: UUID | None = None
    preview: bool = False
    idempotency_key: Key


class RefusalCount(Answer):
    """`code`: of the error, as a single command would be refused with; `count`: of so many cases."""

    code: str
    count: int


class Bulk(Answer):
    """`command`: the step's type; None for a macro, which `macro_name` names as it was called then. `done` of `total`:
    `succeeded`, `refused` or `cancelled`. `expires_at`: from then on it is gone, with its report."""

    bulk_id: UUID
    state: BulkState
    command: str | None = None
    macro_id: UUID | None = None
    macro_name: str | None = None
    preview: bool
    total: int
    done: int
    succeeded: int
    refused: int
    cancelled: int
    refusals: list[RefusalCount] = []
    asked_at: Moment
    started_at: Moment | None = None
    finished_at: Moment | None = None
    expires_at: Moment | None = None


class BulkPage(Answer):
    items: list[Bulk]
    next: str | None = None


class ListBulks(PageRequest):
    """RPC tracking.list_bulks → BulkPage: the actor's own, the newest first."""

    actor: Actor


class GetBulk(Request):
    """RPC tracking.get_bulk → Bulk; NotFound for another's."""

    actor: Actor
    bulk_id: UUID


class CancelBulk(Request):
    """RPC tracking.cancel_bulk → Bulk: cases whose turn has not come are left as they are. What is over already stays as it is.
    NotFound for another's."""

    actor: Actor
    bulk_id: UUID


class ReadBulkReport(HistoryRequest):
    """RPC tracking.read_bulk_report → BulkReport: in the order of the cases, the first first; `result`: those alone. NotFound for
    another's."""

    actor: Actor
    bulk_id: UUID
    result: LineResult | None = None


class Refusal(Answer):
    """`code` of an error, and its parameters."""

    code: str
    params: dict[str, Any] = {}


class BulkLine(Answer):
    """`place`: in the list that was given, or in the search; 1 is the first. `case_id` and `number` only of a case that the
    reader may see now: any other that nothing came of is refused as `unknown_case`. `version`: the case's after the command."""

    place: int
    case_id: UUID | None = None
    number: str | None = None
    result: LineResult
    version: int | None = None
    refusal: Refusal | None = None
    at: Moment | None = None


class BulkReport(Answer):
    items: list[BulkLine]
    next: int | None = None


class BulkProgressed(Event):
    """A bulk has got on, or is over: now and then, for whoever watches it. No case is named. `owner`: staff."""

    name: ClassVar[str] = "bulk.progressed.v1"
    producer: ClassVar[str] = "tracking"

    bulk_id: UUID
    owner: UUID
    state: BulkState
    total: int
    done: int
    succeeded: int
    refused: int
