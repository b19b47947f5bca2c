"""Accounts changed by commands on the server, where no administrator is signed in: limited, in the audit log, with notice to
the custodians.

The first two administrators can only be made here. A command may make or repair an administrator, and nobody else with a
sensitive role, as long as there are fewer than two other administrators; from then on two of them are needed.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from backbone.storage import audit
from contracts.accounts import StaffChangeAction, StaffChangeState
from contracts.base import now
from contracts.staff_changes import StaffChangeDecided
from contracts.vocabulary import Role
from services.accounts.changes.rules import may_be_done_on_the_server, needs_two_administrators, sensitive_roles
from services.accounts.changes.use_cases import SYSTEM
from services.accounts.staff import store as staff_store
from services.accounts.staff.rules import Member
from services.accounts.staff.staff_accounts import member_of


def is_allowed(connection: Connection, row: Any | None, after: Member, reset: bool = False) -> bool:
    """Whether a command may do this. `row`: the account as it is, None for a new one; `reset`: new credentials."""
    before = member_of(row) if row is not None else None
    if not _takes_two(before, after, reset):
        return True
    staff_store.lock_roles(connection)  # of two commands at once, one alone may make the second administrator
    besides = row.staff_id if row is not None else None
    other_administrators = staff_store.active_with_role(connection, Role.ADMINISTRATOR, besides)
    return may_be_done_on_the_server(before, after, other_administrators)


def record(
    connection: Connection,
    command: str,
    staff_id: UUID,
    username: str,
    before: Member | None,
    after: Member,
    reset: bool = False,
) -> None:
    """Puts what a command did into the audit log and, when it took two administrators otherwise, notifies the custodians."""
    audit.note(connection, SYSTEM, command, [str(staff_id)])
    if _takes_two(before, after, reset):
        action: StaffChangeAction = "reset_credentials" if reset else "change" if before is not None else "add"
        event = StaffChangeDecided(
            id=uuid4(),
            occurred_at=now(),
            change_id=uuid4(),
            staff_id=staff_id,
            action=action,
            username=username,
            roles=sorted(sensitive_roles(after)),
            state=StaffChangeState.CONFIRMED,
        )
        outbox.add(connection, event)


def _takes_two(before: Member | None, after: Member, reset: bool) -> bool:
    return bool(sensitive_roles(after)) if reset else needs_two_administrators(before, after)
