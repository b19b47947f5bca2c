"""Changes that take two administrators: requested by one, confirmed by another, with notice to all custodians.

Whoever requests one gets the new password, whoever confirms it the new TOTP secret: neither can sign in to the account alone.
An account that comes to have a sensitive role always gets new credentials with it, since those it had may be known to the one
administrator who made them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row

from backbone.messaging import outbox
from backbone.storage import audit, idempotency
from contracts.accounts import RequestedStaffChange, StaffChangeAction, StaffChangeAsked, StaffChangeState, StaffMember
from contracts.base import now
from contracts.errors import (
    AlreadyDecided,
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
from services.accounts.changes import store
from services.accounts.changes.rules import sensitive_roles
from services.accounts.models import staff_commands
from services.accounts.settings import Settings
from services.accounts.staff import store as staff_store
from services.accounts.staff.authorization import current_roles, is_administrator, require_administrator
from services.accounts.staff.credentials import (
    HashedCredentials,
    fresh_password,
    fresh_totp_secret,
    hash_password,
    totp_address,
)
from services.accounts.staff.rules import Member
from services.accounts.staff.staff_accounts import StaffAccounts, staff_member

REQUESTED = "ask_for_staff_change"
"""How the audit log names that a change was requested, beside the command that requested it."""
EXPIRED = "expire_staff_change"
SYSTEM = Actor(kind=ActorKind.SYSTEM, id="system")


class StaffChangeUseCases:
    def __init__(self, settings: Settings, accounts: StaffAccounts) -> None:
        self._accounts = accounts
        self._pending_for = timedelta(days=settings.staff_change_days)

    def request(
        self,
        connection: Connection,
        actor: Actor,
        key: str,
        action: StaffChangeAction,
        before: Any | None,
        after: StaffMember,
        new_credentials: bool,
        successor: UUID | None = None,
    ) -> StaffChangeAsked:
        """Keeps a change until another administrator confirms it. `before`: the account's row, None for a new one; `successor`:
        who then takes over what the account may not do any more."""
        at, change_id = now(), uuid4()
        password = fresh_password() if new_credentials else None
        values = {
            "change_id": change_id,
            "action": action,
            "state": StaffChangeState.PENDING,
            "staff_id": after.staff_id,
            "username": after.username,
            "expected_version": before.version if before is not None else 0,
            "before": None if before is None else staff_member(before).model_dump(mode="json"),
            "after": after.model_dump(mode="json"),
            "new_credentials": new_credentials,
            "password_hash": hash_password(password) if password is not None else None,
            "asked_by": UUID(actor.id),
            "asked_under": key,
            "asked_at": at,
            "expires_at": at + self._pending_for,
            "successor": successor,
        }
        store.add(connection, values)
        change = _existing(store.by_id(connection, change_id))
        audit.note(connection, actor, REQUESTED, [str(change.change_id), str(change.staff_id)])
        outbox.add(connection, StaffChangeRequested(**_event_fields(connection, change), id=uuid4(), occurred_at=at))
        return StaffChangeAsked(change=_answers(connection, [change], actor)[0], password=password)

    def requested_before(self, connection: Connection, actor: Actor, key: str) -> StaffChangeAsked | None:
        """What this administrator requested under this key; the password is not given again."""
        change = store.by_key(connection, UUID(actor.id), key)
        return None if change is None else StaffChangeAsked(change=_answers(connection, [change], actor)[0])

    def list_changes(self, connection: Connection, request: ListStaffChanges) -> StaffChanges:
        """The newest first, to administrators and custodians; NotAllowed to anybody else."""
        if not current_roles(connection, request.actor) & {Role.ADMINISTRATOR, Role.CUSTODIAN}:
            raise NotAllowed
        pending_at = now() if request.pending_only else None
        rows = store.page(connection, pending_at, request.after, request.limit + 1)
        page = rows[: request.limit]
        return StaffChanges(
            items=_answers(connection, page, request.actor),
            next=str(page[-1].number) if len(rows) > request.limit else None,
        )

    def confirm(self, connection: Connection, request: ConfirmStaffChange) -> StaffChangeConfirmed:
        """Does it. NotFound, AlreadyDecided, SecondAdministratorNeeded, StaffChangeOutdated, KeyReused."""
        require_administrator(connection, request.actor)
        actor_id = UUID(request.actor.id)
        change = _locked_change(connection, request.change_id)
        if _is_repeated(connection, request, change.staff_id):
            return self._confirmed(connection, change, request.actor)
        if change.state != StaffChangeState.PENDING:
            raise AlreadyDecided
        if actor_id in (change.asked_by, change.staff_id):
            raise SecondAdministratorNeeded
        at = now()
        accounts = staff_store.lock_by_ids(connection, {actor_id, change.asked_by, change.staff_id})
        if not is_administrator(accounts.get(actor_id)):
            raise NotAllowed
        if change.expires_at <= at or _is_outdated(change, accounts):
            raise StaffChangeOutdated
        totp_secret = fresh_totp_secret() if change.new_credentials else None
        self._apply(connection, change, totp_secret, actor_id)
        _decide(connection, change, StaffChangeState.CONFIRMED, actor_id, at)
        return self._confirmed(connection, change, request.actor, totp_secret)

    def deny(self, connection: Connection, request: DenyStaffChange) -> RequestedStaffChange:
        """Ends it without effect: cancelled by the one who requested it, denied by another. NotFound, AlreadyDecided."""
        require_administrator(connection, request.actor)
        actor_id = UUID(request.actor.id)
        change = _locked_change(connection, request.change_id)
        state = StaffChangeState.CANCELLED if actor_id == change.asked_by else StaffChangeState.DENIED
        if change.state == StaffChangeState.PENDING:
            _decide(connection, change, state, actor_id, now())
        elif (change.state, change.decided_by) != (state, actor_id):
            raise AlreadyDecided
        return _current_answer(connection, change.change_id, request.actor)

    def expire(self, connection: Connection) -> int:
        """Ends those that nobody decided in time; how many."""
        at = now()
        expired = store.lock_expired(connection, at)
        for change in expired:
            _decide(connection, change, StaffChangeState.EXPIRED, None, at)
            audit.note(connection, SYSTEM, EXPIRED, [str(change.change_id), str(change.staff_id)])
        return len(expired)

    def _apply(self, connection: Connection, change: Any, totp_secret: str | None, confirmed_by: UUID) -> None:
        requested_by, username = str(change.asked_by), change.username
        credentials = HashedCredentials(change.password_hash, totp_secret) if totp_secret is not None else None
        after = StaffMember.model_validate(change.after)
        member = Member(after.display_name, tuple(after.roles), after.unit, after.active)
        if change.action == "add":
            assert credentials is not None
            if not self._accounts.add(
                connection, change.staff_id, username, member, credentials, requested_by, confirmed_by
            ):
                raise StaffChangeOutdated  # the user name was taken meanwhile
            return
        if change.action == "change":
            self._accounts.change(connection, username, member, requested_by, confirmed_by, change.successor)
        if credentials is not None:
            self._accounts.reset_credentials(connection, username, credentials, requested_by, confirmed_by)

    def _confirmed(
        self, connection: Connection, change: Any, actor: Actor, totp_secret: str | None = None
    ) -> StaffChangeConfirmed:
        row = _existing(staff_store.by_id(connection, change.staff_id))
        return StaffChangeConfirmed(
            change=_current_answer(connection, change.change_id, actor),
            member=staff_member(row),
            totp_secret=totp_secret,
            totp_address=totp_address(row.username, totp_secret) if totp_secret is not None else None,
        )


def _locked_change(connection: Connection, change_id: UUID) -> Row[Any]:
    """Its row, locked. NotFound."""
    change = store.lock(connection, change_id)
    if change is None:
        raise NotFound
    return change


def _is_repeated(connection: Connection, request: ConfirmStaffChange, staff_id: UUID) -> bool:
    digest, key = idempotency.command_hash(request), request.idempotency_key
    before = idempotency.repeated(connection, staff_commands, request.actor, key, digest, staff_id=staff_id)
    return before is not None


def _decide(connection: Connection, change: Any, state: StaffChangeState, by: UUID | None, at: datetime) -> None:
    store.decide(connection, change.change_id, state, by, at)
    event = StaffChangeDecided(
        **_event_fields(connection, change),
        id=uuid4(),
        occurred_at=at,
        state=state,
        decided_by=by,
        decided_by_name=_name_of(connection, by),
    )
    outbox.add(connection, event)


def _is_outdated(change: Any, accounts: Mapping[UUID, Any]) -> bool:
    account = accounts.get(change.staff_id)
    version = account.version if account is not None else 0
    return version != change.expected_version or not is_administrator(accounts.get(change.asked_by))


# --- how a change is answered and published ---


def _current_answer(connection: Connection, change_id: UUID, actor: Actor) -> RequestedStaffChange:
    return _answers(connection, [_existing(store.by_id(connection, change_id))], actor)[0]


def _answers(connection: Connection, changes: Sequence[Any], actor: Actor) -> list[RequestedStaffChange]:
    """As `actor` sees them, with what they may do."""
    actor_id = UUID(actor.id)
    concerned = {actor_id} | {change.asked_by for change in changes} | {change.staff_id for change in changes}
    concerned |= {change.decided_by for change in changes if change.decided_by is not None}
    accounts = staff_store.by_ids(connection, concerned)
    return [_answer(change, accounts, actor_id, now()) for change in changes]


def _answer(change: Any, accounts: Mapping[UUID, Any], actor_id: UUID, at: datetime) -> RequestedStaffChange:
    state = StaffChangeState(change.state)
    if state is StaffChangeState.PENDING and change.expires_at <= at:
        state = StaffChangeState.EXPIRED
    pending = state is StaffChangeState.PENDING
    outdated = pending and _is_outdated(change, accounts)
    actions: list[str] = []
    if pending and is_administrator(accounts.get(actor_id)):
        actions = ["cancel"] if actor_id == change.asked_by else ["deny"]
        if not outdated and actor_id not in (change.asked_by, change.staff_id):
            actions.insert(0, "confirm")
    return RequestedStaffChange.model_validate(
        {
            **{name: getattr(change, name) for name in RequestedStaffChange.model_fields if hasattr(change, name)},
            **{f"{by}_name": _shown_name(accounts.get(getattr(change, by))) for by in ("asked_by", "decided_by")},
            "state": state,
            "outdated": outdated,
            "actions": actions,
        }
    )


def _event_fields(connection: Connection, change: Any) -> dict[str, Any]:
    """What both events say of it."""
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
    return _shown_name(staff_store.by_id(connection, staff_id) if staff_id is not None else None)


def _shown_name(account: Any | None) -> str | None:
    return account.display_name if account is not None else None


def _existing(row: Any | None) -> Any:
    assert row is not None
    return row
