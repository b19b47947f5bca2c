"""Leaves that end since the deputy may not stand in any more."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from contracts.base import now
from contracts.vocabulary import Role
from services.accounts.leaves import rules, store
from services.accounts.staff import store as staff_store
from services.accounts.staff.rules import Member


def end_unfit(connection: Connection, staff_id: UUID) -> None:
    """Leaves in which, after a change of this account, the deputy may not stand in any more."""
    at = now()
    rows = store.not_over(connection, at, staff_id, 500)
    accounts = staff_store.by_ids(connection, {person for row in rows for person in (row.staff_id, row.deputy)})
    for row in rows:
        if not rules.fits(_member(accounts[row.staff_id]), _member(accounts[row.deputy])):
            store.end(connection, row.leave_id, at, unfit=True)


def _member(row: Any) -> Member:
    return Member(row.display_name, tuple(Role(role) for role in row.roles), row.unit, row.active)
