"""The administrator's desk: accounts of staff added, changed, closed, opened again and given new credentials."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.process.settings import secret
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
)
from contracts.errors import InvalidField, KeyReused, NotFound, StaleVersion
from contracts.vocabulary import Role
from services.accounts import roster, store
from services.accounts.credentials import fresh_password, fresh_totp_secret
from services.accounts.domain import (
    Member,
    needs_two_administrators,
    renews_credentials,
    sensitive_roles,
    username_form,
    wrong_with_member,
    wrong_with_username,
)
from services.accounts.settings import Settings
from services.accounts.staff_changes import TwoAdministrators, member_answer, only_administrator, totp_address


class Administration:
    """The use cases of the administrator. Each is done once under its key, and kept in the history; what takes two
    administrators is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._staff_key = secret(settings.staff_secret_key)
        self._two = TwoAdministrators(settings)

    def add(self, connection: Connection, request: AddStaff) -> AddedStaff:
        """A new account, and its credentials, once. InvalidField, KeyReused."""
        only_administrator(connection, request.actor)
        staff_id = uuid4()
        if (done := self._done(connection, request, staff_id)) is not None:
            asked = self._two.asked_before(connection, request.actor, request.idempotency_key)
            return AddedStaff(
                member=asked.change.after if asked else member_answer(_known(connection, done)), asked=asked
            )
        username = username_form(request.username)
        wrong = list(wrong_with_member(request.display_name, request.roles, request.unit))
        if (reason := wrong_with_username(username)) is not None:
            wrong.append({"field": "username", "reason": reason})
        elif store.staff_by_username(connection, username) is not None:
            wrong.append({"field": "username", "reason": "already_used"})
        if wrong:
            raise InvalidField(fields=wrong)
        member = Member(request.display_name, tuple(request.roles), request.unit)
        if needs_two_administrators(None, member):
            after = _as_answer(staff_id, username, 1, member)
            asked = self._ask(connection, request, "add", None, after, True)
            return AddedStaff(member=asked.change.after, asked=asked)
        password, totp_secret = fresh_password(), fresh_totp_secret()
        if not roster.add(
            connection, self._staff_key, staff_id, username, member, password, totp_secret, by=request.actor.id
        ):
            raise InvalidField(fields=[{"field": "username", "reason": "already_used"}])
        return AddedStaff(**_credentials(_known(connection, staff_id), password, totp_secret))

    def change(self, connection: Connection, request: ChangeStaff) -> ChangedStaffMember:
        """Name, roles, unit and whether the account is open. NotFound, StaleVersion, InvalidField, KeyReused."""
        only_administrator(connection, request.actor)
        row = store.lock_staff_by_id(connection, request.staff_id)
        if row is None:
            raise NotFound
        if self._done(connection, request, row.staff_id) is not None:
            return _changed(row, self._two.asked_before(connection, request.actor, request.idempotency_key))
        if row.version != request.expected_version:
            raise StaleVersion(current=row.version)
        wrong = list(wrong_with_member(request.display_name, request.roles, request.unit))
        if str(row.staff_id) == request.actor.id:  # an office without an administrator could not mend it
            if not request.active:
                wrong.append({"field": "active", "reason": "own_account"})
            if Role.ADMINISTRATOR not in request.roles:
                wrong.append({"field": "roles", "reason": "own_account"})
        if wrong:
            raise InvalidField(fields=wrong)
        before = roster.member_of(row)
        member = Member(request.display_name, tuple(request.roles), request.unit, request.active)
        if needs_two_administrators(before, member):
            renewed = renews_credentials(before, member)
            after = _as_answer(row.staff_id, row.username, row.version + (2 if renewed else 1), member)
            return _changed(row, self._ask(connection, request, "change", row, after, renewed))
        if member != before:
            roster.change(connection, row.username, member, by=request.actor.id)
        return _changed(_known(connection, row.staff_id))

    def reset_credentials(self, connection: Connection, request: ResetStaffCredentials) -> ResetStaff:
        """A new password and TOTP secret, once; every session of the account ends. NotFound, KeyReused."""
        only_administrator(connection, request.actor)
        row = store.lock_staff_by_id(connection, request.staff_id)
        if row is None:
            raise NotFound
        if self._done(connection, request, row.staff_id) is not None:
            asked = self._two.asked_before(connection, request.actor, request.idempotency_key)
            return ResetStaff(member=member_answer(row), asked=asked)
        member = roster.member_of(row)
        if sensitive_roles(member):  # of a closed account, too: it may be opened again
            after = _as_answer(row.staff_id, row.username, row.version + 1, member)
            asked = self._ask(connection, request, "reset_credentials", row, after, True)
            return ResetStaff(member=member_answer(row), asked=asked)
        password, totp_secret = fresh_password(), fresh_totp_secret()
        roster.reset_credentials(connection, self._staff_key, row.username, password, totp_secret, by=request.actor.id)
        return ResetStaff(**_credentials(_known(connection, row.staff_id), password, totp_secret))

    def _ask(
        self,
        connection: Connection,
        request: AddStaff | ChangeStaff | ResetStaffCredentials,
        action: StaffChangeAction,
        before: Any | None,
        after: dict[str, Any],
        new_credentials: bool,
    ) -> StaffChangeAsked:
        return self._two.ask(connection, request.actor, request.idempotency_key, action, before, after, new_credentials)

    def history(self, connection: Connection, request: ListStaffHistory) -> StaffHistory:
        """Who changed which account, the newest first."""
        only_administrator(connection, request.actor)
        rows = store.history(connection, request.staff_id, request.after, request.limit + 1)
        shown = [StaffChange(**row._mapping) for row in rows[: request.limit]]
        return StaffHistory(items=shown, next=str(shown[-1].id) if len(rows) > request.limit else None)

    def _done(
        self, connection: Connection, request: AddStaff | ChangeStaff | ResetStaffCredentials, staff_id: UUID
    ) -> UUID | None:
        """The account that this very command was done to under its key; None when it is new. KeyReused."""
        told = type(request).__name__ + request.model_dump_json(exclude={"actor", "idempotency_key"})
        digest = hashlib.sha256(told.encode()).hexdigest()
        before = store.note_command(connection, request.actor.id, request.idempotency_key, digest, staff_id)
        if before is None:
            return None
        if before[0] != digest:
            raise KeyReused
        return before[1]


def _known(connection: Connection, staff_id: UUID) -> Any:
    row = store.staff_by_id(connection, staff_id)
    assert row is not None
    return row


def _changed(row: Any, asked: StaffChangeAsked | None = None) -> ChangedStaffMember:
    return ChangedStaffMember(**member_answer(row).model_dump(), asked=asked)


def _as_answer(staff_id: UUID, username: str, version: int, member: Member) -> dict[str, Any]:
    """An account as it is to be, as StaffMember's JSON."""
    return {
        "staff_id": str(staff_id),
        "display_name": member.display_name,
        "roles": [role.value for role in member.roles],
        "unit": member.unit,
        "active": member.active,
        "username": username,
        "version": version,
    }


def _credentials(row: Any, password: str, totp_secret: str) -> dict[str, Any]:
    return {
        "member": member_answer(row),
        "password": password,
        "totp_secret": totp_secret,
        "totp_address": totp_address(row.username, totp_secret),
    }
