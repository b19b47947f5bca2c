"""RPC of tracking: what whoever files today is promised."""

from __future__ import annotations

from datetime import date

from contracts.base import Answer, GroundCode, Request
from contracts.vocabulary import Kind

PRODUCER = "tracking"


class ListPromises(Request):
    """RPC tracking.list_promises → Promises: what a case filed now is owed. `ground`: by its own deadlines, where it has any."""

    ground: GroundCode | None = None


class Promise(Answer):
    """In working days, and the day in Tehran that this is, counted from today."""

    kind: Kind
    first_reading_days: int
    decision_days: int
    decision_on: date
    citizen_days: int
    objection_days: int


class Promises(Answer):
    """`as_of`: today in Tehran; `works_today`: whether it is a working day; `next_workday`: the first one after it.
    `rating_days`: days of the calendar from the closing until which a case may be rated."""

    as_of: date
    works_today: bool
    next_workday: date
    items: list[Promise]
    rating_days: int
