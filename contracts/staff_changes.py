"""Changes of staff accounts that take two administrators: one requests, another one confirms, all custodians are notified
(DOMAIN.md).

They are those that grant head, custodian, substitute or administrator (the roles that open identities, act as a head, or grant
those roles), extend what such an account may do, or give it new credentials.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from contracts.accounts import (
    PRODUCER,
    Key,
    RequestedStaffChange,
    StaffChangeAction,
    StaffChangeState,
    StaffMember,
)
from contracts.base import Answer, Event, HistoryRequest, Request
from contracts.gateway import Actor
from contracts.vocabulary import Role


class StaffChangeConfirmed(Answer):
    """`totp_secret`, `totp_address` (for an authenticator app): given to the one who confirms, in this answer alone; None without
    new credentials, and when the command is repeated under its key."""

    change: RequestedStaffChange
    member: StaffMember
    totp_secret: str | None = None
    totp_address: str | None = None


class ListStaffChanges(HistoryRequest):
    """RPC accounts.list_staff_changes → StaffChanges. For administrators and custodians; the newest first.

    `pending_only`: those that can still be decided. `after`: the cursor of the page before."""

    actor: Actor
    pending_only: bool = False


class StaffChanges(Answer):
    """`next`: the cursor of the page after."""

    items: list[RequestedStaffChange]
    next: str | None = None


class ConfirmStaffChange(Request):
    """RPC accounts.confirm_staff_change → StaffChangeConfirmed. For an administrator who neither requested it nor is the one
    whose account it changes (SecondAdministratorNeeded). NotFound, AlreadyDecided, StaffChangeOutdated, KeyReused."""

    actor: Actor
    idempotency_key: Key
    change_id: UUID


class DenyStaffChange(Request):
    """RPC accounts.deny_staff_change → RequestedStaffChange. For an administrator; a cancellation by the one who requested it.
    NotFound, AlreadyDecided unless it was ended just so by them."""

    actor: Actor
    change_id: UUID


# --- events ---


class StaffChangeEvent(Event):
    """About a change that takes two administrators, for the custodians. `username`: of the account; `roles`: those of the roles
    that take two administrators which it is to have; `asked_by`: None when it was done on the server; names as others see
    them. No secret is in it."""

    producer: ClassVar[str] = PRODUCER

    change_id: UUID
    staff_id: UUID
    action: StaffChangeAction
    username: str
    roles: list[Role]
    asked_by: UUID | None = None
    asked_by_name: str | None = None


class StaffChangeRequested(StaffChangeEvent):
    """It waits for the confirmation of another administrator."""

    name: ClassVar[str] = "staff_change.requested.v1"


class StaffChangeDecided(StaffChangeEvent):
    """It was confirmed and done, denied, cancelled by the one who requested it, or it expired. `decided_by`: None when it
    expired, or was done on the server."""

    name: ClassVar[str] = "staff_change.decided.v1"

    state: StaffChangeState
    decided_by: UUID | None = None
    decided_by_name: str | None = None
