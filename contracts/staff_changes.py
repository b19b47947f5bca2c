"""Changes of staff accounts that take two administrators: one asks, another one confirms, all custodians are told (DOMAIN.md).

They are those that grant head, custodian or administrator (the roles that open identities, or grant those roles), extend what
such an account may do, or give it new credentials.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.accounts import PRODUCER, Key, StaffCredentials, StaffMember
from contracts.base import Answer, Event, Moment, Request
from contracts.gateway import Actor
from contracts.vocabulary import Role


class StaffChangeState(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


StaffChangeAction = Literal["add", "change", "reset_credentials"]


class RequestedStaffChange(Answer):
    """One change that was asked for. `before`: the account as it was then, None for a new one; `after`: as it is to be, its
    `version` the one it will have. `new_credentials`: the account gets a new password and TOTP secret with it. `outdated`: the
    account was changed since, or the one who asked is no administrator any more, so nobody can confirm it. `actions`: what
    the reader may do with it."""

    change_id: UUID
    number: int
    action: StaffChangeAction
    state: StaffChangeState
    staff_id: UUID
    before: StaffMember | None
    after: StaffMember
    new_credentials: bool
    asked_by: UUID
    asked_at: Moment
    expires_at: Moment
    decided_by: UUID | None = None
    decided_at: Moment | None = None
    outdated: bool = False
    actions: list[Literal["confirm", "deny", "cancel"]] = []


class StaffChangeAsked(Answer):
    """`password`: of the account once the change is confirmed; told to the one who asked, in this answer alone. The other half
    of the credentials, the TOTP secret, is told to the one who confirms, so that neither can sign in with them alone. None
    without new credentials, and when the command is repeated under its key."""

    change: RequestedStaffChange
    password: str | None = None


class StaffChangeConfirmed(Answer):
    """`totp_secret`, `totp_address` (for an authenticator app): told to the one who confirms, in this answer alone; None without
    new credentials, and when the command is repeated under its key."""

    change: RequestedStaffChange
    member: StaffMember
    totp_secret: str | None = None
    totp_address: str | None = None


class AddedStaff(StaffCredentials):
    """`asked`: it takes another administrator; `member` is then the account as it is to be."""

    asked: StaffChangeAsked | None = None


class ChangedStaffMember(StaffMember):
    """`asked`: it takes another administrator; the rest is then the account as it still is."""

    asked: StaffChangeAsked | None = None


class ResetStaff(StaffCredentials):
    """`asked`: it takes another administrator; the account's credentials are then those of before."""

    asked: StaffChangeAsked | None = None


class ListStaffChanges(Request):
    """RPC accounts.list_staff_changes → StaffChanges. For administrators and custodians; the newest first.

    `pending_only`: those that can still be decided. `after`: the cursor of the page before."""

    actor: Actor
    pending_only: bool = False
    after: int | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class StaffChanges(Answer):
    """`next`: the cursor of the page after."""

    items: list[RequestedStaffChange]
    next: str | None = None


class ConfirmStaffChange(Request):
    """RPC accounts.confirm_staff_change → StaffChangeConfirmed. For an administrator who neither asked for it nor is the one
    whose account it changes (SecondAdministratorNeeded). NotFound, AlreadyDecided, StaffChangeOutdated, KeyReused."""

    actor: Actor
    idempotency_key: Key
    change_id: UUID


class DenyStaffChange(Request):
    """RPC accounts.deny_staff_change → RequestedStaffChange. For an administrator; by the one who asked it is a cancellation.
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
    """Another administrator's word is waited for."""

    name: ClassVar[str] = "staff_change.requested.v1"


class StaffChangeDecided(StaffChangeEvent):
    """It was confirmed and done, denied, cancelled by the one who asked, or it expired. `decided_by`: None when it expired, or
    was done on the server."""

    name: ClassVar[str] = "staff_change.decided.v1"

    state: StaffChangeState
    decided_by: UUID | None = None
    decided_by_name: str | None = None
