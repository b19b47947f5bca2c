"""The calendar feed of a member of staff: visits and deadlines at an address that only its owner was told."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from contracts.base import Answer, KeyedHash, Moment, Request
from contracts.gateway import Actor
from contracts.vocabulary import Language

EntryKind = Literal["decision_due", "unit_answer_due", "visit"]


class MakeCalendarFeed(Request):
    """RPC tracking.make_calendar_feed → CalendarFeed: a new address for `actor`; one that they had is dead. `secret_hash`: of
    what the address ends with, which is not told to anybody but its owner. NotAllowed for who sees no cases."""

    actor: Actor
    secret_hash: KeyedHash


class GetCalendarFeed(Request):
    """RPC tracking.get_calendar_feed → CalendarFeed: whether `actor` has one."""

    actor: Actor


class RevokeCalendarFeed(Request):
    """RPC tracking.revoke_calendar_feed → CalendarFeed: the address of `actor` is dead; again, nothing happens."""

    actor: Actor


class CalendarFeed(Answer):
    """`made_at`: when its address was made; None: there is none."""

    made_at: Moment | None = None


class ReadCalendarFeed(Request):
    """RPC tracking.read_calendar_feed → CalendarEntries, of what the owner may see today. NotFound for an address that is dead,
    or whose owner sees no cases any more."""

    secret_hash: KeyedHash


class CalendarEntry(Answer):
    """A day, or a time. Of the case nothing but its number."""

    uid: UUID
    kind: EntryKind
    number: str
    on: date | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    stamp: Moment


class CalendarEntries(Answer):
    """The soonest first. `language`: of its owner when the address was made."""

    language: Language
    items: list[CalendarEntry]
