"""What members of staff are called, for what is told to other staff."""

from __future__ import annotations

from uuid import UUID

from contracts.accounts import ChangedStaff, StaffChanged
from gateway.auth.account_changes import AccountChanges


class StaffNames:
    """The display names of all open accounts, as accounts answered last and published since."""

    def __init__(self, changes: AccountChanges) -> None:
        self._names: dict[UUID, str] = {}
        changes.add_listener(self._change, self._put)

    def of(self, staff_id: UUID) -> str | None:
        return self._names.get(staff_id)

    def _put(self, answer: ChangedStaff) -> None:
        self._names.update(answer.names)

    def _change(self, event: StaffChanged) -> None:
        self._names[event.staff_id] = event.display_name
