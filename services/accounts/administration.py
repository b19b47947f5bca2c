"""The administrator's desk: accounts of staff added, changed, closed, opened again and given new credentials."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID, uuid4

import pyotp
from sqlalchemy import Connection

from backbone.settings import secret
from contracts.accounts import (
    AddStaff,
    ChangeStaff,
    ListStaffHistory,
    ResetStaffCredentials,
    StaffChange,
    StaffCredentials,
    StaffHistory,
    StaffMember,
)
from contracts.errors import InvalidField, KeyReused, NotAllowed, NotFound, StaleVersion
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.accounts import roster, store
from services.accounts.credentials import fresh_password, fresh_totp_secret
from services.accounts.domain import username_form, wrong_with_member, wrong_with_username
from services.accounts.roster import Member
from services.accounts.settings import Settings


class Administration:
    """The use cases of the administrator. Each is done once under its key, and kept in the history."""

    def __init__(self, settings: Settings) -> None:
        self._staff_key = secret(settings.staff_secret_key)

    def add(self, connection: Connection, request: AddStaff) -> StaffCredentials:
        """A new account, and its credentials, once. InvalidField, KeyReused."""
        self._only_administrator(connection, request.actor)
        staff_id = uuid4()
        if (done := self._done(connection, request, staff_id)) is not None:
            return StaffCredentials(member=_member(_known(connection, done)))
        username = username_form(request.username)
        wrong = list(wrong_with_member(request.display_name, request.roles, request.unit))
        if (reason := wrong_with_username(username)) is not None:
            wrong.append({"field": "username", "reason": reason})
        if wrong:
            raise InvalidField(fields=wrong)
        password, totp_secret = fresh_password(), fresh_totp_secret()
        member = Member(request.display_name, tuple(request.roles), request.unit)
        if not roster.add(
            connection, self._staff_key, staff_id, username, member, password, totp_secret, by=request.actor.id
        ):
            raise InvalidField(fields=[{"field": "username", "reason": "already_used"}])
        return _credentials(_known(connection, staff_id), password, totp_secret)

    def change(self, connection: Connection, request: ChangeStaff) -> StaffMember:
        """Name, roles, unit and whether the account is open. NotFound, StaleVersion, InvalidField, KeyReused."""
        self._only_administrator(connection, request.actor)
        row = store.lock_staff_by_id(connection, request.staff_id)
        if row is None:
            raise NotFound
        if self._done(connection, request, row.staff_id) is not None:
            return _member(row)
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
        member = Member(request.display_name, tuple(request.roles), request.unit, request.active)
        if member != roster.member_of(row):
            roster.change(connection, row.username, member, by=request.actor.id)
        return _member(_known(connection, row.staff_id))

    def reset_credentials(self, connection: Connection, request: ResetStaffCredentials) -> StaffCredentials:
        """A new password and TOTP secret, once; every session of the account ends. NotFound, KeyReused."""
        self._only_administrator(connection, request.actor)
        row = store.lock_staff_by_id(connection, request.staff_id)
        if row is None:
            raise NotFound
        if self._done(connection, request, row.staff_id) is not None:
            return StaffCredentials(member=_member(row))
        password, totp_secret = fresh_password(), fresh_totp_secret()
        roster.reset_credentials(connection, self._staff_key, row.username, password, totp_secret, by=request.actor.id)
        return _credentials(_known(connection, row.staff_id), password, totp_secret)

    def history(self, connection: Connection, request: ListStaffHistory) -> StaffHistory:
        """Who changed which account, the newest first."""
        self._only_administrator(connection, request.actor)
        rows = store.history(connection, request.staff_id, request.after, request.limit + 1)
        shown = [StaffChange(**row._mapping) for row in rows[: request.limit]]
        return StaffHistory(items=shown, next=str(shown[-1].id) if len(rows) > request.limit else None)

    def _only_administrator(self, connection: Connection, actor: Actor) -> None:
        """By the roles of this moment: a token may be older than the last change of them."""
        if actor.kind is not ActorKind.STAFF:
            raise NotAllowed
        row = store.staff_by_id(connection, UUID(actor.id))
        if row is None or not row.active or Role.ADMINISTRATOR not in row.roles:
            raise NotAllowed

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


def _member(row: Any) -> StaffMember:
    return StaffMember(
        staff_id=row.staff_id,
        display_name=row.display_name,
        roles=[Role(role) for role in row.roles],
        unit=row.unit,
        active=row.active,
        username=row.username,
        version=row.version,
    )


def _credentials(row: Any, password: str, totp_secret: str) -> StaffCredentials:
    return StaffCredentials(
        member=_member(row),
        password=password,
        totp_secret=totp_secret,
        totp_address=totp_address(row.username, totp_secret),
    )


def totp_address(username: str, totp_secret: str) -> str:
    """What an authenticator app reads, as a QR code."""
    return pyotp.TOTP(totp_secret).provisioning_uri(name=username, issuer_name="Peygir")
