"""The tree of units, for what stands above and below one (DOMAIN: Conflict of interest)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping


class Tree:
    """`parents`: unit → the unit above it, None for the root. A unit nobody knows stands alone."""

    def __init__(self, parents: Mapping[str, str | None]) -> None:
        self._parents = dict(parents)
        self._children: dict[str, list[str]] = defaultdict(list)
        for code, parent in self._parents.items():
            if parent is not None:
                self._children[parent].append(code)

    def above(self, unit: str) -> frozenset[str]:
        """The unit and all above it, up to the root: a case of any of these is nothing for who belongs to `unit`."""
        found: set[str] = set()
        step: str | None = unit
        while step is not None and step not in found:
            found.add(step)
            step = self._parents.get(step)
        return frozenset(found)

    def below(self, unit: str) -> frozenset[str]:
        """The unit and all below it."""
        found: set[str] = set()
        waiting = [unit]
        while waiting:
            step = waiting.pop()
            if step not in found:
                found.add(step)
                waiting.extend(self._children.get(step, ()))
        return frozenset(found)
