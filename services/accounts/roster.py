"""The staff: adding, changing and closing accounts, each change told to the other services and kept in the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.messaging import outbox
from contracts.accounts import StaffChanged
from contracts.base import now
from contracts.vocabulary import Role
from services.accounts import store
from services.accounts.credentials import hash_password
from services.accounts.domain import Member, username_form
from services.accounts.endings import end_sessions_of

COMMAND = "command"
"""Who did it, in the history, when it was done from the command line."""


@dataclass(frozen=True)
class Credentials:
    """What an account is signed in with: the argon2id hash of its password, and its TOTP secret."""

    password_hash: str
    totp_secret: str


def add(
    connection: Connection,
    staff_key: bytes,
    staff_id: UUID,
    username: str,
    member: Member,
    password: str,
    totp_secret: str,
    by: str = COMMAND,
) -> bool:
    """A new account; False, and nothing changed, when its user name or id is taken."""
    credentials = Credentials(hash_password(password), totp_secret)
    return add_with(connection, staff_key, staff_id, username, member, credentials, by)


def add_with(
    connection: Connection,
    staff_key: bytes,
    staff_id: UUID,
    username: str,
    member: Member,
    credentials: Credentials,
    by: str,
    confirmed_by: UUID | None = None,
) -> bool:
    """The same with a password that was hashed before."""
    values = {
        "staff_id": staff_id,
        "username": username_form(username),
        "password_hash": credentials.password_hash,
        "locked_totp_secret": sealing.lock(credentials.totp_secret, staff_key),
        "version": 1,
        **_columns(member),
    }
    if not store.add_staff(connection, values):
        return False
    _remember(connection, by, "added", staff_id, None, _known(username, 1, member), confirmed_by)
    outbox.add(connection, _changed(staff_id, 1, member))
    return True


def change(
    connection: Connection, username: str, member: Member, by: str = COMMAND, confirmed_by: UUID | None = None
) -> bool:
    """Name, roles, unit or activity of an account; False when there is none. Closing it ends its sessions."""
    row = store.lock_staff(connection, username_form(username))
    if row is None:
        return False
    version = row.version + 1
    store.change_staff(connection, row.staff_id, {"version": version, **_columns(member)})
    before = _known(row.username, row.version, member_of(row))
    _remember(connection, by, "changed", row.staff_id, before, _known(row.username, version, member), confirmed_by)
    if not member.active:
        end_sessions_of(connection, row.staff_id, "closed")
    outbox.add(connection, _changed(row.staff_id, version, member))
    return True


def reset_credentials(
    connection: Connection, staff_key: bytes, username: str, password: str, totp_secret: str, by: str = COMMAND
) -> bool:
    """A new password and TOTP secret, and every session ended, access tokens of before included: whoever has the old ones
    shall do nothing more. False when there is no such account."""
    return renew(connection, staff_key, username, Credentials(hash_password(password), totp_secret), by)


def renew(
    connection: Connection,
    staff_key: bytes,
    username: str,
    credentials: Credentials,
    by: str,
    confirmed_by: UUID | None = None,
) -> bool:
    """The same with a password that was hashed before."""
    row = store.lock_staff(connection, username_form(username))
    if row is None:
        return False
    locked = sealing.lock(credentials.totp_secret, staff_key)
    version, member = row.version + 1, member_of(row)
    secrets = {"password_hash": credentials.password_hash, "locked_totp_secret": locked, "totp_last_step": 0}
    store.change_staff(connection, row.staff_id, {"version": version, **secrets})
    end_sessions_of(connection, row.staff_id, "credentials")
    before, after = (_known(row.username, one, member) for one in (row.version, version))
    _remember(connection, by, "credentials_reset", row.staff_id, before, after, confirmed_by)
    outbox.add(connection, _changed(row.staff_id, version, member))
    return True


def member_of(row: Any) -> Member:
    """The account in a row of the table."""
    return Member(row.display_name, tuple(Role(role) for role in row.roles), row.unit, row.active)


def _known(username: str, version: int, member: Member) -> dict[str, object]:
    return {"username": username_form(username), "version": version, **_columns(member)}


def _remember(
    connection: Connection,
    by: str,
    action: str,
    staff_id: UUID,
    before: dict[str, object] | None,
    after: dict[str, object],
    confirmed_by: UUID | None = None,
) -> None:
    told = {"staff_id": str(staff_id)}
    store.add_history(
        connection,
        {
            "by": by,
            "confirmed_by": confirmed_by,
            "staff_id": staff_id,
            "action": action,
            "before": before and {**told, **before},
            "after": {**told, **after},
        },
    )


def _columns(member: Member) -> dict[str, object]:
    return {
        "display_name": member.display_name,
        "roles": [role.value for role in member.roles],
        "unit": member.unit,
        "active": member.active,
    }


def _changed(staff_id: UUID, version: int, member: Member) -> StaffChanged:
    return StaffChanged(
        id=uuid4(),
        occurred_at=now(),
        staff_id=staff_id,
        version=version,
        display_name=member.display_name,
        roles=list(member.roles),
        unit=member.unit,
        active=member.active,
    )
