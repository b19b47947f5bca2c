"""Leaves of absence: who stands in for whom, and when (DOMAIN: The people)."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from contracts.accounts import AccountsEvent, Key
from contracts.base import Answer, LongPageRequest, Moment, Request
from contracts.gateway import Actor


class LeaveChanged(AccountsEvent):
    """From `starts_at` until `ends_at` the deputy sees and does what `staff_id` does. Whole, so the latest wins; a leave that
    ended early has the moment of that as its end. `unfit`: it ended since the deputy may not stand in any more."""

    name: ClassVar[str] = "leave.changed.v1"

    leave_id: UUID
    version: int
    staff_id: UUID
    deputy: UUID
    starts_at: Moment
    ends_at: Moment
    unfit: bool = False


class AddLeave(Request):
    """RPC accounts.add_leave → Leave. Of one's own, or by a head or administrator of anybody's (`staff_id`). The deputy has an
    open account with all roles of the one who leaves. InvalidField, NotFound, KeyReused."""

    actor: Actor
    idempotency_key: Key
    staff_id: UUID | None = None
    deputy: UUID
    starts_at: Moment
    ends_at: Moment


class EndLeave(Request):
    """RPC accounts.end_leave → Leave. By whoever may ask for it; at this moment, or before it begins. Again it changes
    nothing."""

    actor: Actor
    leave_id: UUID


class Leave(Answer):
    leave_id: UUID
    staff_id: UUID
    staff_name: str
    deputy: UUID
    deputy_name: str
    starts_at: Moment
    ends_at: Moment


class ListLeaves(LongPageRequest):
    """RPC accounts.list_leaves → Leaves: those that are not over; of everybody for heads and administrators, else one's own and
    those in which one stands in."""

    actor: Actor


class Leaves(Answer):
    """By their beginning."""

    items: list[Leave]
    next: str | None = None
