"""Accounts changed by commands on the server, where no administrator is signed in: bounded, in the audit, told to custodians.

The first two administrators can only be made here. A command may make or mend an administrator, and nobody else with a
sensitive role, as long as there are fewer than two other administrators; from then on two of them are asked.
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
from services.accounts import change_store
from services.accounts.domain import (
    Member,
    may_be_done_on_the_server,
    needs_two_administrators,
    sensitive_roles,
)
from services.accounts.roster import member_of
from services.accounts.staff_changes import SYSTEM


def is_allowed(connection: Connection, row: Any | None, after: Member, reset: bool = False) -> bool:
    """Whether a command may do this. `row`: the account as it is, None for a new one; `reset`: new credentials."""
    before = member_of(row) if row is not None else None
    if not _takes_two(before, after, reset):
        return True
    change_store.lock_roles(connection)  # two commands at once must not both find room for one more
    others = change_store.active_with_role(connection, Role.ADMINISTRATOR, row.staff_id if row is not None else None)
    return may_be_done_on_the_server(before, after, others)


def note(
    connection: Connection,
    command: str,
    staff_id: UUID,
    username: str,
    before: Member | None,
    after: Member,
    reset: bool = False,
) -> None:
    """Puts what a command did into the audit and, when it took two administrators otherwise, before the custodians."""
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
