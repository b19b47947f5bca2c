"""Who stands in for whom (DOMAIN: The people): whose deputy a member of staff is at this moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from contracts.accounts import Absence, ChangedStaff, StaffChanged
from contracts.base import now
from gateway.auth.account_changes import AccountChanges


class Deputies:
    """The leaves that are not over, as accounts answered last; none before it has answered."""

    def __init__(self, changes: AccountChanges, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._absences: Sequence[Absence] = ()
        changes.add_listener(self._change, self._put)

    def stands_in_for(self, deputy: UUID) -> list[Absence]:
        """Those who are away now and have this deputy."""
        if not self._absences:
            return []
        at = self._clock()
        return [
            absence
            for absence in self._absences
            if absence.deputy == deputy and absence.starts_at <= at < absence.ends_at
        ]

    def _put(self, answer: ChangedStaff) -> None:
        self._absences = answer.absences

    def _change(self, event: StaffChanged) -> None:
        changed = {"version": event.version, "roles": event.roles if event.active else [], "unit": event.unit}
        self._absences = [
            absence.model_copy(update=changed)
            if absence.staff_id == event.staff_id and absence.version < event.version
            else absence
            for absence in self._absences
        ]
