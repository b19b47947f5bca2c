"""The audit: the heads of its chains, the checkpoints that vouch for them, and what the auditor reads of it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Moment, Request
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind

AUDITED = ("intake", "tracking", "accounts", "notify")
"""The services that take commands of people or show identities: each has an audit log."""

MOST_PEOPLE = 1_000
"""Of whom names are asked for at once."""

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Bucket = Annotated[str, Field(pattern=r"^[0-9a-f]{2}$", description="the first two digits of a case's id")]
CommandName = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,59}$", description="such as open_identity or get_case")]
CheckpointName = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{6}Z)?$")]


class ReadChainHead(Request):
    """RPC intake.read_chain_head → ChainHead: how far the service's audit log is chained. RPC tracking.read_chain_head →
    ChainHead. RPC accounts.read_chain_head → ChainHead. RPC notify.read_chain_head → ChainHead."""


class ChainHead(Answer):
    """The last link of an audit log. `position` 0: there is none yet."""

    position: int = 0
    hash: Hash = "0" * 64
    at: Moment | None = None


class ReadTimelineRoot(Request):
    """RPC tracking.read_timeline_root → TimelineRoot. `until`: what was written later does not count; it lies further back
    than any transaction lives, so that the same question has the same answer ever after."""

    bucket: Bucket
    until: Moment


class TimelineRoot(Answer):
    """SHA-256 over the last entry's hash of each case of a bucket; `cases`: how many there are."""

    cases: int
    hash: Hash


class KeepCheckpoint(Request):
    """RPC tracking.keep_checkpoint → KeptCheckpoint: the first of its name is kept; the one that is kept is answered."""

    name: CheckpointName
    document: Annotated[str, Field(max_length=100_000)]


class ReadLatestCheckpoint(Request):
    """RPC tracking.read_latest_checkpoint → KeptCheckpoint; both None when there is none yet."""


class KeptCheckpoint(Answer):
    """`document`: the full signed file. It has counts: the gateway gives away its hash alone."""

    name: CheckpointName | None = None
    document: str | None = None


class ReadAudit(Request):
    """RPC intake.read_audit → AuditEntries. RPC tracking.read_audit → AuditEntries. RPC accounts.read_audit → AuditEntries.
    RPC notify.read_audit → AuditEntries. For the auditor; the reading is an entry itself.

    `person`: who did it; `people`: any of these did (None: whoever); `case_id`: what it was about first of all; `commands`: by
    their names; `since` and `until` (itself not in it): when. `before`: the position behind which a page ended. NotAllowed.
    """

    actor: Actor
    person: UUID | None = None
    people: Annotated[list[UUID], Field(max_length=MOST_PEOPLE)] | None = None
    case_id: UUID | None = None
    commands: Annotated[list[CommandName], Field(max_length=20)] = []
    since: Moment | None = None
    until: Moment | None = None
    before: int | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 50


class AuditEntry(Answer):
    """Who did what, when and with which result: done, or the code of the error. `actor_id`: of staff alone; `subjects`: the ids
    it was about; `service`: in whose log it is, `position` its place there."""

    service: str = ""
    position: int
    at: Moment
    actor_kind: ActorKind
    actor_id: UUID | None = None
    roles: list[str]
    command: str
    subjects: list[str]
    result: str
    trace_id: str | None = None
    hash: Hash


class AuditEntries(Answer):
    """Newest first, by position."""

    items: list[AuditEntry]


class FindAuditedCase(Request):
    """RPC tracking.find_audited_case → AuditedCase. For the auditor, by its number. NotAllowed; UnknownCase, also where there
    is a conflict of interest."""

    actor: Actor
    number: Annotated[str, Field(max_length=20)]


class AuditedCase(Answer):
    case_id: UUID


class NameStaff(Request):
    """RPC accounts.name_staff → StaffNames. For the auditor: who these ids are, or whose display name or user name has what was
    typed in it, in any spelling; closed accounts, too. Ids that are no staff's are left out. NotAllowed."""

    actor: Actor
    ids: Annotated[list[UUID], Field(max_length=MOST_PEOPLE)] = []
    typed: Annotated[str, Field(max_length=100)] | None = None


class StaffName(Answer):
    staff_id: UUID
    username: str
    display_name: str


class StaffNames(Answer):
    items: list[StaffName]
