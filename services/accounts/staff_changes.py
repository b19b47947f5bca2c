"""Changes that take two administrators: asked for by one, confirmed by another, told to all custodians.

Whoever asks is told the new password, whoever confirms the new TOTP secret: neither can sign in with the account alone. An
account that comes to have a sensitive role always gets new credentials with it, since those it had may be known to the one
administrator who made them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pyotp
from sqlalchemy import Connection

from backbone.messaging import outbox
from backbone.process.settings import secret
from backbone.storage import audit
from contracts.accounts import RequestedStaffChange, StaffChangeAction, StaffChangeAsked, StaffChangeState, StaffMember
from contracts.base import now
from contracts.errors import (
    AlreadyDecided,
    KeyReused,
    NotAllowed,
    NotFound,
    SecondAdministratorNeeded,
    StaffChangeOutdated,
)
from contracts.gateway import Actor
from contracts.staff_changes import (
    ConfirmStaffChange,
    DenyStaffChange,
    ListStaffChanges,
    StaffChangeConfirmed,
    StaffChangeDecided,
    StaffChangeRequested,
    StaffChanges,
)
from contracts.vocabulary import ActorKind, Role
from services.accounts import change_store, roster, store
from services.accounts.credentials import fresh_password, fresh_totp_secret, hash_password
from services.accounts.domain import Member, sensitive_roles
from services.accounts.roster import Credentials
from services.accounts.settings import Settings

ASKED = "ask_for_staff_change"
"""How the audit names that a change was asked for, beside the command that asked."""
EXPIRED = "expire_staff_change"
SYSTEM = Actor(kind=ActorKind.SYSTEM, id="system")


class TwoAdministrators:
    """The use cases of changes that wait for a second administrator."""

    def __init__(self, settings: Settings) -> None:
        self._staff_key = secret(settings.staff_secret_key)
        self._patience = timedelta(days=settings.staff_change_days)

    def ask(
        self,
        connection: Connection,
        actor: Actor,
        key: str,
        action: StaffChangeAction,
        before: Any | None,
        after: Mapping[str, Any],
        new_credentials: bool,
    ) -> StaffChangeAsked:
        """Keeps a change until another administrator confirms it. `before`: the account's row; `after`: as a StaffMember."""
        at = now()
        password = fresh_password() if new_credentials else None
        values = {
            "change_id": uuid4(),
            "action": action,
            "state": StaffChangeState.PENDING,
            "staff_id": UUID(str(after["staff_id"])),
            "username": after["username"],
            "expected_version": before.version if before is not None else 0,
            "before": None if before is None else member_answer(before).model_dump(mode="json"),
            "after": dict(after),
            "new_credentials": new_credentials,
            "password_hash": hash_password(password) if password is not None else None,
            "asked_by": UUID(actor.id),
            "asked_under": key,
            "asked_at": at,
            "expires_at": at + self._patience,
        }
        change_store.add(connection, values)
        change = change_store.by_id(connection, values["change_id"])
        assert change is not None
        audit.note(connection, actor, ASKED, [str(change.change_id), str(change.staff_id)])
        outbox.add(connection, StaffChangeRequested(**_told(connection, change), id=uuid4(), occurred_at=at))
        return StaffChangeAsked(change=self._shown(connection, [change], actor)[0], password=password)

    def asked_before(self, connection: Connection, actor: Actor, key: str) -> StaffChangeAsked | None:
        """What this administrator asked for under this key; the password is not told again."""
        change = change_store.by_key(connection, UUID(actor.id), key)
        return None if change is None else StaffChangeAsked(change=self._shown(connection, [change], actor)[0])

    def list_changes(self, connection: Connection, request: ListStaffChanges) -> StaffChanges:
        """The newest first, to administrators and custodians; NotAllowed to anybody else."""
        roles_now = _roles_now(connection, request.actor)
        if not roles_now & {Role.ADMINISTRATOR, Role.CUSTODIAN}:
            raise NotAllowed
        pending_at = now() if request.pending_only else None
        rows = change_store.page(connection, pending_at, request.after, request.limit + 1)
        shown = rows[: request.limit]
        return StaffChanges(
            items=self._shown(connection, shown, request.actor),
            next=str(shown[-1].number) if len(rows) > request.limit else None,
        )

    def confirm(self, connection: Connection, request: ConfirmStaffChange) -> StaffChangeConfirmed:
        """Does it. NotFound, AlreadyDecided, SecondAdministratorNeeded, StaffChangeOutdated, KeyReused."""
        only_administrator(connection, request.actor)
        me = UUID(request.actor.id)
        change = change_store.lock(connection, request.change_id)
        if change is None:
            raise NotFound
        if self._repeated(connection, request, change.staff_id):
            return self._confirmed(connection, change, request.actor)
        if change.state != StaffChangeState.PENDING:
            raise AlreadyDecided
        if me in (change.asked_by, change.staff_id):
            raise SecondAdministratorNeeded
        at = now()
        accounts = change_store.lock_accounts(connection, {me, change.asked_by, change.staff_id})
        if not _is_administrator(accounts.get(me)):
            raise NotAllowed
        if change.expires_at <= at or _is_outdated(change, accounts):
            raise StaffChangeOutdated
        totp_secret = fresh_totp_secret() if change.new_credentials else None
        self._apply(connection, change, totp_secret, me)
        self._decide(connection, change, StaffChangeState.CONFIRMED, me, at)
        return self._confirmed(connection, change, request.actor, totp_secret)

    def deny(self, connection: Connection, request: DenyStaffChange) -> RequestedStaffChange:
        """Ends it without effect: cancelled by the one who asked, denied by another. NotFound, AlreadyDecided."""
        only_administrator(connection, request.actor)
        me = UUID(request.actor.id)
        change = change_store.lock(connection, request.change_id)
        if change is None:
            raise NotFound
        state = StaffChangeState.CANCELLED if me == change.asked_by else StaffChangeState.DENIED
        if change.state == StaffChangeState.PENDING:
            self._decide(connection, change, state, me, now())
        elif (change.state, change.decided_by) != (state, me):
            raise AlreadyDecided
        return self._again(connection, change, request.actor)

    def expire(self, connection: Connection) -> int:
        """Ends those that nobody decided in time; how many."""
        at = now()
        expired = change_store.lock_expired(connection, at)
        for change in expired:
            self._decide(connection, change, StaffChangeState.EXPIRED, None, at)
            audit.note(connection, SYSTEM, EXPIRED, [str(change.change_id), str(change.staff_id)])
        return len(expired)

    def _apply(self, connection: Connection, change: Any, totp_secret: str | None, confirmed_by: UUID) -> None:
        by, username = str(change.asked_by), change.username
        credentials = Credentials(change.password_hash, totp_secret) if totp_secret is not None else None
        after = StaffMember.model_validate(change.after)
        member = Member(after.display_name, tuple(after.roles), after.unit, after.active)
        if change.action == "add":
            assert credentials is not None
            if not roster.add_with(
                connection, self._staff_key, change.staff_id, username, member, credentials, by, confirmed_by
            ):
                raise StaffChangeOutdated  # the user name was taken meanwhile
            return
        if change.action == "change":
            roster.change(connection, username, member, by, confirmed_by)
        if credentials is not None:
            roster.renew(connection, self._staff_key, username, credentials, by, confirmed_by)

    def _decide(
        self, connection: Connection, change: Any, state: StaffChangeState, by: UUID | None, at: datetime
    ) -> None:
        change_store.decide(connection, change.change_id, state, by, at)
        told = _told(connection, change)
        outbox.add(
            connection,
            StaffChangeDecided(
                **told,
                id=uuid4(),
                occurred_at=at,
                state=state,
                decided_by=by,
                decided_by_name=_name_of(connection, by),
            ),
        )

    def _repeated(self, connection: Connection, request: ConfirmStaffChange, staff_id: UUID) -> bool:
        digest = hashlib.sha256(f"ConfirmStaffChange{request.change_id}".encode()).hexdigest()
        before = store.note_command(connection, request.actor.id, request.idempotency_key, digest, staff_id)
        if before is not None and before[0] != digest:
            raise KeyReused
        return before is not None

    def _confirmed(
        self, connection: Connection, change: Any, actor: Actor, totp_secret: str | None = None
    ) -> StaffChangeConfirmed:
        row = store.staff_by_id(connection, change.staff_id)
        assert row is not None
        return StaffChangeConfirmed(
            change=self._again(connection, change, actor),
            member=member_answer(row),
            totp_secret=totp_secret,
            totp_address=totp_address(row.username, totp_secret) if totp_secret is not None else None,
        )

    def _again(self, connection: Connection, change: Any, actor: Actor) -> RequestedStaffChange:
        row = change_store.by_id(connection, change.change_id)
        assert row is not None
        return self._shown(connection, [row], actor)[0]

    def _shown(self, connection: Connection, rows: Sequence[Any], actor: Actor) -> list[RequestedStaffChange]:
        """As `actor` sees them, with what they may do."""
        me = UUID(actor.id)
        concerned = {me} | {row.asked_by for row in rows} | {row.staff_id for row in rows}
        accounts = change_store.accounts(connection, concerned)
        return [_answer(row, accounts, me, now()) for row in rows]


# --- who is an administrator ---


def only_administrator(connection: Connection, actor: Actor) -> None:
    """By the roles of this moment: a token may be older than the last change of them. NotAllowed."""
    if Role.ADMINISTRATOR not in _roles_now(connection, actor):
        raise NotAllowed


def _roles_now(connection: Connection, actor: Actor) -> frozenset[str]:
    row = store.staff_by_id(connection, UUID(actor.id)) if actor.kind is ActorKind.STAFF else None
    return frozenset(row.roles) if row is not None and row.active else frozenset()


def _is_administrator(row: Any | None) -> bool:
    return row is not None and row.active and Role.ADMINISTRATOR in row.roles


# --- how a change is shown and told ---


def _is_outdated(change: Any, accounts: Mapping[UUID, Any]) -> bool:
    account = accounts.get(change.staff_id)
    version = account.version if account is not None else 0
    return version != change.expected_version or not _is_administrator(accounts.get(change.asked_by))


def _answer(row: Any, accounts: Mapping[UUID, Any], me: UUID, at: datetime) -> RequestedStaffChange:
    state = StaffChangeState(row.state)
    if state is StaffChangeState.PENDING and row.expires_at <= at:
        state = StaffChangeState.EXPIRED
    pending = state is StaffChangeState.PENDING
    outdated = pending and _is_outdated(row, accounts)
    actions: list[str] = []
    if pending and _is_administrator(accounts.get(me)):
        actions = ["cancel"] if me == row.asked_by else ["deny"]
        if not outdated and me not in (row.asked_by, row.staff_id):
            actions.insert(0, "confirm")
    return RequestedStaffChange.model_validate(
        {
            **{name: getattr(row, name) for name in RequestedStaffChange.model_fields if hasattr(row, name)},
            "state": state,
            "outdated": outdated,
            "actions": actions,
        }
    )


def _told(connection: Connection, change: Any) -> dict[str, Any]:
    """What both events tell of it."""
    after = StaffMember.model_validate(change.after)
    roles = sensitive_roles(Member(after.display_name, tuple(after.roles), after.unit))
    return {
        "change_id": change.change_id,
        "staff_id": change.staff_id,
        "action": change.action,
        "username": change.username,
        "roles": sorted(roles),
        "asked_by": change.asked_by,
        "asked_by_name": _name_of(connection, change.asked_by),
    }


def _name_of(connection: Connection, staff_id: UUID | None) -> str | None:
    row = store.staff_by_id(connection, staff_id) if staff_id is not None else None
    return row.display_name if row is not None else None


def member_answer(row: Any) -> StaffMember:
    """An account as an administrator sees it."""
    return StaffMember(
        staff_id=row.staff_id,
        display_name=row.display_name,
        roles=[Role(role) for role in row.roles],
        unit=row.unit,
        active=row.active,
        username=row.username,
        version=row.version,
    )


def totp_address(username: str, totp_secret: str) -> str:
    """What an authenticator app reads, as a QR code."""
    return pyotp.TOTP(totp_secret).provisioning_uri(name=username, issuer_name="Peygir")
