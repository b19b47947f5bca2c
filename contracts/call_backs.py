"""The call-back list: a drawn sample of closed cases whose citizen did not rate how they were handled, asked by phone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Request
from contracts.desk import Key
from contracts.gateway import Actor
from contracts.tracking import TrackedEvent
from contracts.vocabulary import Role

MOST_ATTEMPTS = 3

CallResult = Literal["rated", "declined", "not_reached"]
"""They rated; they were reached and would not; nobody answered."""


class CaseRatedByPhone(TrackedEvent):
    """The citizen rated how the case was handled when an operator called them (call-back list); `score` 1–5. Counted apart from
    `case.rated.v1`: who is asked by phone answers otherwise than who answers unasked."""

    name: ClassVar[str] = "case.rated_by_phone.v1"
    score: Annotated[int, Field(ge=1, le=5)]


_READ_CASES = frozenset(
    {Role.SCREENER, Role.INSPECTOR, Role.HEAD, Role.SUBSTITUTE, Role.ANALYST, Role.CUSTODIAN, Role.AUDITOR}
)


def may_call(roles: Collection[Role]) -> bool:
    """Whether somebody with these roles may be told a mobile: an operator who sees no cases, no requests for identities and no
    audit, so that nobody learns alone who complained of what (DOMAIN: The people)."""
    return Role.OPERATOR in roles and _READ_CASES.isdisjoint(roles)


class TakeCallBack(Request):
    """RPC tracking.take_call_back → CallBack. To whoever `may_call` the next case to call, which nobody else gets meanwhile; the
    one that they have, if they have one. NotFound when there is none to call. No case in whose unit they have a conflict of
    interest."""

    actor: Actor


class CallBack(Answer):
    """`case_id`: for the gateway, which does not tell it. `attempt`: which try this is, 1 to 3."""

    case_id: UUID
    attempt: int


class SkipCallBack(Request):
    """RPC tracking.skip_call_back → CallBackState. The citizen of the case that the actor took cannot be called: they gave no
    mobile, or want no messages. UnknownCase unless the actor has taken it."""

    actor: Actor
    case_id: UUID


class RecordCall(Request):
    """RPC tracking.record_call → CallBackState. What came of the call, by who took the case; `rated` has a `score`, and the four
    questions of DOMAIN as far as they were answered. UnknownCase unless the actor has taken it, InvalidField, KeyReused."""

    actor: Actor
    case_id: UUID
    result: CallResult
    score: Annotated[int, Field(ge=1, le=5)] | None = None
    informed_clearly: bool | None = None
    treated_well: bool | None = None
    on_time: bool | None = None
    asked_improper: bool | None = None
    idempotency_key: Key


class CallBackState(Answer):
    """`state`: waiting (for another attempt, on `next_on` or later), rated, declined, not_reached after three attempts, or
    unreachable. `attempts`: made so far."""

    case_id: UUID
    state: Literal["waiting", "rated", "declined", "not_reached", "unreachable"]
    attempts: int
    next_on: date | None = None


class ListCallBackWeeks(Request):
    """RPC tracking.list_call_back_weeks → CallBackWeeks. For operators and heads: the newest draws, with no case in them."""

    actor: Actor
    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 26


class CallBackWeek(Answer):
    """One draw. `week`: its Saturday, by which it can be repeated: of `eligible` cases, sorted by the MD5 of "week:case id", the
    first `drawn`: `share` percent of them, `size` at most. Then how many of these are in which state."""

    week: date
    size: int
    share: int
    eligible: int
    drawn: int
    waiting: int = 0
    rated: int = 0
    declined: int = 0
    not_reached: int = 0
    unreachable: int = 0


class CallBackWeeks(Answer):
    items: list[CallBackWeek]
    next: str | None = None


class RevealMobile(Request):
    """RPC intake.reveal_mobile → RevealedMobile. To the operator who is to call (`may_call`); tracking said which case
    (TakeCallBack). It is recorded as an opening of the identity, of which only the mobile is given. UnknownCase for a report of
    wrongdoing."""

    actor: Actor
    case_id: UUID


class RevealedMobile(Answer):
    """None when there is none, or it is kept no longer."""

    mobile: str | None = None


class CheckCallable(Request):
    """RPC notify.check_callable → CallableCitizen. For operators: whether the citizen of a case is reached by a mobile, and has
    not opted out."""

    actor: Actor
    case_id: UUID


class CallableCitizen(Answer):
    """`code_digits`: the last four of the tracking code, as every SMS names them; None where the code is not known."""

    callable: bool
    code_digits: str | None = None
