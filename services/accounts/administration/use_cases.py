"""What administrators do: staff accounts added, changed, closed, reopened and given new credentials, and their history."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row

from backbone.storage import idempotency
from contracts.accounts import (
    AddedStaff,
    AddStaff,
    ChangedStaffMember,
    ChangeStaff,
    ListStaffHistory,
    ResetStaff,
    ResetStaffCredentials,
    StaffChange,
    StaffChangeAction,
    StaffChangeAsked,
    StaffHistory,
    StaffMember,
)
from contracts.errors import InvalidField, NotFound, StaleVersion
from contracts.vocabulary import Role
from services.accounts.changes.rules import needs_two_administrators, renews_credentials, sensitive_roles
from services.accounts.changes.use_cases import StaffChangeUseCases
from services.accounts.models import staff_commands
from services.accounts.staff import store
from services.accounts.staff.authorization import require_administrator
from services.accounts.staff.credentials import Credentials, fresh_credentials, totp_address
from services.accounts.staff.rules import Member, username_form, wrong_with_member, wrong_with_username
from services.accounts.staff.staff_accounts import StaffAccounts, member_of, staff_member

Command = AddStaff | ChangeStaff | ResetStaffCredentials


class AdministrationUseCases:
    """Each command has its effect once under its key, and is kept in the history; what takes two administrators is requested
    of the second one."""

    def __init__(self, accounts: StaffAccounts, changes: StaffChangeUseCases) -> None:
        self._accounts = accounts
        self._changes = changes

    def add(self, connection: Connection, request: AddStaff) -> AddedStaff:
        """A new account, and its credentials, once. InvalidField, KeyReused."""
        require_administrator(connection, request.actor)
        staff_id = uuid4()
        if (done_to := _done_before(connection, request, staff_id)) is not None:
            pending = self._changes.requested_before(connection, request.actor, request.idempotency_key)
            added = pending.change.after if pending else staff_member(_account(connection, done_to))
            return AddedStaff(member=added, requested=pending)
        username = username_form(request.username)
        wrong = list(wrong_with_member(request.display_name, request.roles, request.unit))
        if (reason := wrong_with_username(username)) is not None:
            wrong.append({"field": "username", "reason": reason})
        elif store.by_username(connection, username) is not None:
            wrong.append({"field": "username", "reason": "already_used"})
        if wrong:
            raise InvalidField(fields=wrong)
        member = Member(request.display_name, tuple(request.roles), request.unit)
        if needs_two_administrators(None, member):
            after = _planned(staff_id, username, 1, member)
            pending = self._ask_second(connection, request, "add", None, after, True)
            return AddedStaff(member=pending.change.after, requested=pending)
        credentials = fresh_credentials()
        if not self._accounts.add(connection, staff_id, username, member, credentials.hashed(), by=request.actor.id):
            raise InvalidField(fields=[{"field": "username", "reason": "already_used"}])
        return AddedStaff(**_with_credentials(_account(connection, staff_id), credentials))

    def change(self, connection: Connection, request: ChangeStaff) -> ChangedStaffMember:
        """Name, roles, unit and whether the account is open. NotFound, StaleVersion, InvalidField, KeyReused."""
        require_administrator(connection, request.actor)
        row = _locked_account(connection, request.staff_id)
        if _done_before(connection, request, row.staff_id) is not None:
            pending = self._changes.requested_before(connection, request.actor, request.idempotency_key)
            return _changed(row, pending)
        if row.version != request.expected_version:
            raise StaleVersion(current=row.version)
        wrong = list(wrong_with_member(request.display_name, request.roles, request.unit))
        if str(row.staff_id) == request.actor.id:  # an office without an administrator could not repair it
            if not request.active:
                wrong.append({"field": "active", "reason": "own_account"})
            if Role.ADMINISTRATOR not in request.roles:
                wrong.append({"field": "roles", "reason": "own_account"})
        heads = request.active and Role.HEAD in request.roles
        if row.active and Role.HEAD in row.roles and not heads:
            store.lock_roles(connection)  # of two at once, one stays
            if not store.active_with_role(connection, Role.HEAD, row.staff_id):  # who would be told of what has nobody?
                wrong.append({"field": "active" if not request.active else "roles", "reason": "last_head"})
        if (reason := _wrong_with_successor(connection, request)) is not None:
            wrong.append({"field": "successor", "reason": reason})
        if wrong:
            raise InvalidField(fields=wrong)
        before = member_of(row)
        member = Member(request.display_name, tuple(request.roles), request.unit, request.active)
        if needs_two_administrators(before, member):
            renewed = renews_credentials(before, member)
            after = _planned(row.staff_id, row.username, row.version + (2 if renewed else 1), member)
            pending_change = self._ask_second(connection, request, "change", row, after, renewed, request.successor)
            return _changed(row, pending_change)
        if member != before:
            by, successor = request.actor.id, request.successor
            self._accounts.change(connection, row.username, member, by=by, successor=successor)
        return _changed(_account(connection, row.staff_id))

    def reset_credentials(self, connection: Connection, request: ResetStaffCredentials) -> ResetStaff:
        """A new password and TOTP secret, once; every session of the account ends. NotFound, KeyReused."""
        require_administrator(connection, request.actor)
        row = _locked_account(connection, request.staff_id)
        if _done_before(connection, request, row.staff_id) is not None:
            pending = self._changes.requested_before(connection, request.actor, request.idempotency_key)
            return ResetStaff(member=staff_member(row), requested=pending)
        member = member_of(row)
        if sensitive_roles(member):  # of a closed account, too: it may be reopened
            after = _planned(row.staff_id, row.username, row.version + 1, member)
            pending = self._ask_second(connection, request, "reset_credentials", row, after, True)
            return ResetStaff(member=staff_member(row), requested=pending)
        credentials = fresh_credentials()
        self._accounts.reset_credentials(connection, row.username, credentials.hashed(), by=request.actor.id)
        return ResetStaff(**_with_credentials(_account(connection, row.staff_id), credentials))

    def history(self, connection: Connection, request: ListStaffHistory) -> StaffHistory:
        """Who changed which account, the newest first."""
        require_administrator(connection, request.actor)
        rows = store.history(connection, request.staff_id, request.after, request.limit + 1)
        page = [StaffChange(**row._mapping) for row in rows[: request.limit]]
        return StaffHistory(items=page, next=str(page[-1].id) if len(rows) > request.limit else None)

    def _ask_second(
        self,
        connection: Connection,
        command: Command,
        action: StaffChangeAction,
        before: Any | None,
        after: StaffMember,
        new_credentials: bool,
        successor: UUID | None = None,
    ) -> StaffChangeAsked:
        return self._changes.request(
            connection, command.actor, command.idempotency_key, action, before, after, new_credentials, successor
        )


def _locked_account(connection: Connection, staff_id: UUID) -> Row[Any]:
    """Its row, locked. NotFound."""
    row = store.lock_by_id(connection, staff_id)
    if row is None:
        raise NotFound
    return row


def _wrong_with_successor(connection: Connection, request: ChangeStaff) -> str | None:
    """Whether the person named can take anything over: an open account, of an inspector, of somebody else."""
    if request.successor is None:
        return None
    if request.successor == request.staff_id:
        return "same_person"
    row = store.by_id(connection, request.successor)
    if row is None or not row.active:
        return "inactive"
    return None if {Role.INSPECTOR, Role.SUBSTITUTE} & set(row.roles) else "not_an_inspector"


def _done_before(connection: Connection, command: Command, staff_id: UUID) -> UUID | None:
    """The account that this very command was done to under its key; None when it is new. KeyReused."""
    digest, key = idempotency.command_hash(command), command.idempotency_key
    before = idempotency.repeated(connection, staff_commands, command.actor, key, digest, staff_id=staff_id)
    return None if before is None else before.staff_id


def _account(connection: Connection, staff_id: UUID) -> Any:
    row = store.by_id(connection, staff_id)
    assert row is not None
    return row


def _changed(row: Any, pending: StaffChangeAsked | None = None) -> ChangedStaffMember:
    return ChangedStaffMember(**staff_member(row).model_dump(), requested=pending)


def _planned(staff_id: UUID, username: str, version: int, member: Member) -> StaffMember:
    """An account as it is to be."""
    return StaffMember(
        staff_id=staff_id,
        display_name=member.display_name,
        roles=list(member.roles),
        unit=member.unit,
        active=member.active,
        username=username,
        version=version,
    )


def _with_credentials(row: Any, credentials: Credentials) -> dict[str, Any]:
    return {
        "member": staff_member(row),
        "password": credentials.password,
        "totp_secret": credentials.totp_secret,
        "totp_address": totp_address(row.username, credentials.totp_secret),
    }
