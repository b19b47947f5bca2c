"""Staff accounts: added, changed, closed and given new credentials, each change published to the other services and kept in the
history. Who may do so is decided by the caller."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.messaging import outbox
from contracts.accounts import StaffChanged, StaffMember
from contracts.base import now
from contracts.vocabulary import Role
from services.accounts.leaves.ending import end_unfit
from services.accounts.second_factors import store as second_factors_store
from services.accounts.sessions.ended_sessions import end_sessions_of
from services.accounts.staff import store
from services.accounts.staff.credentials import HashedCredentials
from services.accounts.staff.rules import Member, username_form

COMMAND = "command"
"""Who did it, in the history, when it was done from the command line."""


class StaffAccounts:
    """`staff_key`: encrypts TOTP secrets (STAFF_SECRET_KEY)."""

    def __init__(self, staff_key: bytes) -> None:
        self._staff_key = staff_key

    def add(
        self,
        connection: Connection,
        staff_id: UUID,
        username: str,
        member: Member,
        credentials: HashedCredentials,
        by: str = COMMAND,
        confirmed_by: UUID | None = None,
    ) -> bool:
        """A new account; False, and nothing changed, when its user name or id is taken."""
        values = {
            "staff_id": staff_id,
            "username": username_form(username),
            "version": 1,
            **self._secrets(credentials),
            **_columns(member),
        }
        if not store.add(connection, values):
            return False
        _record(connection, by, "added", staff_id, None, _snapshot(username, 1, member), confirmed_by)
        _publish(connection, staff_id, 1, member)
        return True

    def change(
        self,
        connection: Connection,
        username: str,
        member: Member,
        by: str = COMMAND,
        confirmed_by: UUID | None = None,
        successor: UUID | None = None,
    ) -> bool:
        """Name, roles, unit or activity of an account; False when there is none. Closing it ends its sessions. `successor`: who
        takes over what they may not do any more."""
        row = store.lock_by_username(connection, username_form(username))
        if row is None:
            return False
        version = row.version + 1
        store.change(connection, row.staff_id, {"version": version, **_columns(member)})
        before = _snapshot(row.username, row.version, member_of(row))
        after = _snapshot(row.username, version, member)
        _record(connection, by, "changed", row.staff_id, before, after, confirmed_by)
        if not member.active:
            end_sessions_of(connection, row.staff_id, "closed")
        _publish(connection, row.staff_id, version, member, successor)
        end_unfit(connection, row.staff_id)
        return True

    def reset_credentials(
        self,
        connection: Connection,
        username: str,
        credentials: HashedCredentials,
        by: str = COMMAND,
        confirmed_by: UUID | None = None,
    ) -> bool:
        """A new password and TOTP secret, and every session ended, access tokens of before included: whoever has the old ones
        shall do nothing more, by passkeys and recovery codes of before either. False when there is no such account."""
        row = store.lock_by_username(connection, username_form(username))
        if row is None:
            return False
        version, member = row.version + 1, member_of(row)
        values = {"version": version, "totp_last_step": 0, **self._secrets(credentials)}
        store.change(connection, row.staff_id, values)
        second_factors_store.forget_all(connection, row.staff_id)
        end_sessions_of(connection, row.staff_id, "credentials")
        before, after = (_snapshot(row.username, number, member) for number in (row.version, version))
        _record(connection, by, "credentials_reset", row.staff_id, before, after, confirmed_by)
        _publish(connection, row.staff_id, version, member)
        return True

    def _secrets(self, credentials: HashedCredentials) -> dict[str, str]:
        locked = sealing.encrypt(credentials.totp_secret, self._staff_key)
        return {"password_hash": credentials.password_hash, "locked_totp_secret": locked}


def member_of(row: Any) -> Member:
    """The account in a row of the table."""
    return Member(row.display_name, tuple(Role(role) for role in row.roles), row.unit, row.active)


def staff_member(row: Any, *, for_administrator: bool = True) -> StaffMember:
    """The account in a row of the table, as it is answered; user name and version are for administrators alone."""
    return StaffMember(
        staff_id=row.staff_id,
        display_name=row.display_name,
        roles=[Role(role) for role in row.roles],
        unit=row.unit,
        active=row.active,
        username=row.username if for_administrator else None,
        version=row.version if for_administrator else None,
    )


def _snapshot(username: str, version: int, member: Member) -> dict[str, object]:
    return {"username": username_form(username), "version": version, **_columns(member)}


def _columns(member: Member) -> dict[str, object]:
    return {
        "display_name": member.display_name,
        "roles": [role.value for role in member.roles],
        "unit": member.unit,
        "active": member.active,
    }


def _record(
    connection: Connection,
    by: str,
    action: str,
    staff_id: UUID,
    before: dict[str, object] | None,
    after: dict[str, object],
    confirmed_by: UUID | None,
) -> None:
    account = {"staff_id": str(staff_id)}
    store.add_history(
        connection,
        {
            "by": by,
            "confirmed_by": confirmed_by,
            "staff_id": staff_id,
            "action": action,
            "before": before and {**account, **before},
            "after": {**account, **after},
        },
    )


def _publish(
    connection: Connection, staff_id: UUID, version: int, member: Member, successor: UUID | None = None
) -> None:
    event = StaffChanged(
        id=uuid4(),
        occurred_at=now(),
        staff_id=staff_id,
        version=version,
        display_name=member.display_name,
        roles=list(member.roles),
        unit=member.unit,
        active=member.active,
        successor=successor,
    )
    outbox.add(connection, event)
