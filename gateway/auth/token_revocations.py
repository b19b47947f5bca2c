"""Changed staff accounts: access tokens issued before the change are refused.

A token carries roles and unit as they were when it was issued, up to a quarter of an hour ago. Staff who were moved to another
unit meanwhile, or dismissed, must not go on reading until it expires.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from contracts.accounts import ChangedStaff
from gateway.auth.account_changes import AccountChanges


class TokenRevocations:
    """The newest version of each changed account. A version never decreases."""

    def __init__(self, changes: AccountChanges) -> None:
        self._versions: dict[UUID, int] = {}
        self._listeners: list[Callable[[UUID], None]] = []
        changes.add_listener(lambda event: self._add(event.staff_id, event.version), self._put)

    def add_listener(self, listener: Callable[[UUID], None]) -> None:
        """`listener(staff_id)` is called for each changed account."""
        self._listeners.append(listener)

    def is_revoked(self, staff_id: UUID, version: int) -> bool:
        """Whether this account was changed since that version of it, as far as this gateway knows."""
        return self._versions.get(staff_id, 0) > version

    def _add(self, staff_id: UUID, version: int) -> None:
        if self.is_revoked(staff_id, version - 1):
            return
        self._versions[staff_id] = version
        for listener in self._listeners:
            listener(staff_id)

    def _put(self, answer: ChangedStaff) -> None:
        for account in answer.items:
            self._add(account.staff_id, account.version)
