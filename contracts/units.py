"""The tree of units and the conflict of interest that follows from it (DOMAIN: The people). Pure: standard library alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping


class UnitTree:
    """`parents`: unit code → code of the unit directly above it, None for a root.

    A unit that is not in the mapping is treated as a tree of its own. A cycle, which the catalogue never has but a partial copy
    of it might, ends the walk.
    """

    def __init__(self, parents: Mapping[str, str | None]) -> None:
        self._parents = dict(parents)
        self._children: dict[str, list[str]] = defaultdict(list)
        for code, parent in self._parents.items():
            if parent is not None:
                self._children[parent].append(code)

    def __contains__(self, unit: object) -> bool:
        return unit in self._parents

    def codes(self) -> list[str]:
        """Every unit, in the order of the mapping."""
        return list(self._parents)

    def above(self, unit: str) -> frozenset[str]:
        """The unit and all above it, up to the root."""
        codes: set[str] = set()
        current: str | None = unit
        while current is not None and current not in codes:
            codes.add(current)
            current = self._parents.get(current)
        return frozenset(codes)

    def below(self, unit: str) -> frozenset[str]:
        """The unit and all below it."""
        codes: set[str] = set()
        waiting = [unit]
        while waiting:
            current = waiting.pop()
            if current not in codes:
                codes.add(current)
                waiting.extend(self._children.get(current, ()))
        return frozenset(codes)

    def about_inspection(self, *offices: str) -> frozenset[str]:
        """The units whose cases go to substitutes: the offices of the inspection itself and all above them, as far as they are
        in the tree."""
        return frozenset(code for office in offices if office in self for code in self.above(office))

    def inspection_branch(self, *offices: str) -> frozenset[str]:
        """The units that no substitute belongs to: the branch of the offices of the inspection, below the root."""
        return frozenset(
            code
            for unit in self.about_inspection(*offices)
            if self._parents.get(unit) is not None
            for code in self.below(unit)
        )

    def in_conflict(self, *staff_units: str | None) -> frozenset[str]:
        """The units in which somebody who belongs to `staff_units` has a conflict of interest: these and all above them.

        Cases about these units are hidden from that person. None stands for a person without a unit, who has no conflict.
        """
        return frozenset(code for unit in staff_units if unit is not None for code in self.above(unit))

    def has_conflict_of_interest(self, staff_unit: str | None, case_unit: str | None) -> bool:
        """Whether a member of staff of `staff_unit` must not see a case about `case_unit`, the unit complained about.

        They belong to that unit or to one below it. A case without a unit conflicts with nobody.
        """
        return staff_unit is not None and case_unit is not None and case_unit in self.above(staff_unit)
