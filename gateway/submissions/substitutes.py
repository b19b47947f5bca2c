"""Who stands in for cases about the inspection itself (DOMAIN: The people): which of its units have nobody named, so that whoever
files about one is told where else to turn, and the deployment is warned."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from backbone.process import logs
from contracts.accounts import ChangedStaff, StaffChanged
from contracts.vocabulary import Role
from gateway.auth.account_changes import AccountChanges
from gateway.edge.metrics import UNITS_WITHOUT_SUBSTITUTE
from gateway.submissions.catalogue_cache import CatalogueCache

log = logs.get("substitutes")


class Substitutes:
    """All substitutes, once accounts has named them. `offices`: the units of the inspection itself.

    `uncovered`: the units at and above the offices for which nobody is named, but the root, about which nobody files; none while
    that is not known. `without_second`: those for which one alone is, while decisions of some kind take two people: what that
    one proposes nobody approves. `branch`: the units that no substitute may belong to."""

    def __init__(self, changes: AccountChanges, catalogue_cache: CatalogueCache, offices: Sequence[str]) -> None:
        self._catalogue_cache, self._offices = catalogue_cache, offices
        self._versions: dict[UUID, int] = {}
        self._units: dict[UUID, str | None] = {}
        self._known = False
        self.uncovered: frozenset[str] = frozenset()
        self.without_second: frozenset[str] = frozenset()
        self.branch: frozenset[str] = frozenset()
        changes.add_listener(self.change, self.take)
        catalogue_cache.add_listener(self._review)

    def change(self, event: StaffChanged) -> None:
        """Takes in one change."""
        stands_in = event.active and Role.SUBSTITUTE in event.roles
        self._put(event.staff_id, event.version, stands_in, event.unit)
        self._review()

    def take(self, substitutes: ChangedStaff) -> None:
        """All there are, as accounts answer."""
        for substitute in substitutes.substitutes:
            self._put(substitute.staff_id, substitute.version, True, substitute.unit)
        answered = {substitute.staff_id for substitute in substitutes.substitutes}
        versions = {account.staff_id: account.version for account in substitutes.items}
        for staff_id in set(self._units) - answered:
            # Left while events were not received, unless one that came since names them.
            if versions.get(staff_id, self._versions[staff_id]) >= self._versions[staff_id]:
                del self._units[staff_id]
        self._known = True
        self._review()

    def _put(self, staff_id: UUID, version: int, stands_in: bool, unit: str | None) -> None:
        if version < self._versions.get(staff_id, 0):
            return
        self._versions[staff_id] = version
        if stands_in:
            self._units[staff_id] = unit
        else:
            self._units.pop(staff_id, None)

    def _review(self) -> None:
        tree = self._catalogue_cache.unit_tree
        self.branch = tree.inspection_branch(*self._offices)
        if not self._known:
            return
        substitutes = {
            unit: sum(not tree.has_conflict_of_interest(own, unit) for own in self._units.values())
            for unit in tree.about_inspection(*self._offices) & self.branch
        }
        uncovered = frozenset(unit for unit, count in substitutes.items() if count == 0)
        UNITS_WITHOUT_SUBSTITUTE.set(len(uncovered))
        if uncovered and uncovered != self.uncovered:
            log.warning("nobody stands in for cases about the inspection itself", units=sorted(uncovered))
        self.uncovered = uncovered
        catalogue = self._catalogue_cache.current
        takes_two = catalogue is not None and bool(catalogue.four_eyes)
        without_second = frozenset(unit for unit, count in substitutes.items() if count == 1 and takes_two)
        if without_second and without_second != self.without_second:
            log.warning("one substitute alone can propose a decision and not approve it", units=sorted(without_second))
        self.without_second = without_second
