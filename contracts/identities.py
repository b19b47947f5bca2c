"""What is asked of tracking before a sealed identity is opened: one asks with a reason, a custodian consents (DOMAIN.md)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.base import LEFT_OUT, Answer, Event, Moment, PageRequest, Request, UnitCode
from contracts.gateway import Actor
from contracts.searches import Key
from contracts.vocabulary import Kind, Stage

Reason = Annotated[str, Field(min_length=5, max_length=500)]
Minutes = Annotated[int, Field(ge=1, le=1_440)]


class IdentityRequestState(StrEnum):
    WAITING = "waiting"
    CONSENTED = "consented"
    REFUSED = "refused"


class IdentityRequest(Answer):
    """`asked_by`, `decided_by`: staff, with their names. `minutes`: for how long it may be opened once consented to;
    `open_until`: until when. `number`, `stage`, `unit`: of the case as it is now. `for_head`: an inspector asked, and a head
    opens it. Who filed the case is not in it, nor what it says."""

    request_id: UUID
    case_id: UUID
    kind: Kind
    asked_by: UUID
    asked_by_name: str | None = None
    asked_at: Moment
    reason: str
    minutes: int
    state: IdentityRequestState
    decided_by: UUID | None = None
    decided_by_name: str | None = None
    decided_at: Moment | None = None
    answer: str | None = None
    open_until: Moment | None = None
    number: str | None = None
    stage: Stage | None = None
    unit: UnitCode | None = None
    unit_name_fa: str | None = None
    unit_name_en: str | None = None
    for_head: bool = False
    kind_text: str | None = LEFT_OUT
    stage_text: str | None = LEFT_OUT
    asked_text: str | None = LEFT_OUT
    decided_text: str | None = LEFT_OUT
    open_until_text: str | None = LEFT_OUT


class IdentityRequests(Answer):
    """`next`: the cursor of the page after."""

    items: list[IdentityRequest]
    next: str | None = None


class IdentityEvent(Event):
    """Something about a request to open who filed a case; neither reason nor identity travels. `asked_by`: staff."""

    producer: ClassVar[str] = "tracking"

    request_id: UUID
    case_id: UUID
    kind: Kind
    asked_by: UUID


class IdentityAsked(IdentityEvent):
    """A custodian's consent is waited for."""

    name: ClassVar[str] = "identity.asked.v1"


class IdentityDecided(IdentityEvent):
    """`open_until`: how long the one who asked may open it, once consented to; None: refused."""

    name: ClassVar[str] = "identity.decided.v1"
    open_until: Moment | None = None


class AskForIdentity(Request):
    """RPC tracking.ask_for_identity → IdentityRequest. By head or custodian, or by an inspector of the case, for
    whom a head opens it; UnknownCase when there is none, or it is about
    a unit they belong to; InvalidField (`minutes`: more than the office allows); KeyReused."""

    actor: Actor
    case_id: UUID
    reason: Reason
    minutes: Minutes
    idempotency_key: Key


class DecideIdentityRequest(Request):
    """RPC tracking.decide_identity_request → IdentityRequest. By a custodian who is not the one who asked (else NotAllowed);
    NotFound when there is none, or it is about a unit they belong to; AlreadyDecided unless it was decided just so by them."""

    actor: Actor
    request_id: UUID
    consent: bool
    reason: Reason | None = None


class ListIdentityRequests(PageRequest):
    """RPC tracking.list_identity_requests → IdentityRequests, the newest first: to custodians all but those about units they
    belong to, to others their own. `waiting_only`: those that nobody has decided."""

    actor: Actor
    waiting_only: bool = False
