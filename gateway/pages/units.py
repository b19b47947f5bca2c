"""The tree of units as a person browses it: by levels, or by a name."""

from __future__ import annotations

from backbone.persian.normalisation import normalise
from contracts.intake import Catalogue, Unit

RESULT_LIMIT = 20
WORDS_LIMIT = 200  # characters of what is searched for; a name is shorter


class Tree:
    """The open units of a catalogue. The root is never itself chosen; its children are the first level."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._units = {unit.code: unit for unit in catalogue.units}
        self._children: dict[str | None, list[Unit]] = {}
        for unit in catalogue.units:
            if unit.active:
                self._children.setdefault(unit.parent, []).append(unit)
        self._roots = self._children.get(None, [])

    def __contains__(self, code: str) -> bool:
        return code in self._units

    def may_choose(self, code: str) -> bool:
        unit = self._units.get(code)
        return unit is not None and unit.active and unit.parent is not None

    def parent(self, code: str) -> str | None:
        unit = self._units.get(code)
        return unit.parent if unit else None

    def children(self, code: str | None) -> list[Unit]:
        """The units directly below this one; below the root for None."""
        if code is not None:
            return self._children.get(code, [])
        return [unit for root in self._roots for unit in self._children.get(root.code, [])]

    def trail(self, code: str | None) -> list[Unit]:
        """From the first level down to this unit, the root left out."""
        path: list[Unit] = []
        while code is not None and (unit := self._units.get(code)) is not None and len(path) < 50:
            if unit.parent is not None:
                path.insert(0, unit)
            code = unit.parent
        return path

    def search(self, words: str) -> list[Unit]:
        """Units whose Persian or English name, or that of a unit above, has every word; the nearest first."""
        searched = list(dict.fromkeys(normalise(words[:WORDS_LIMIT]).split()))
        scored: list[tuple[int, int, Unit]] = []
        for place, unit in enumerate(self._units.values()):
            if not self.may_choose(unit.code):
                continue
            own = normalise(f"{unit.name_fa} {unit.name_en}")
            above = normalise(" ".join(f"{parent.name_fa} {parent.name_en}" for parent in self.trail(unit.parent)))
            if all(word in own or word in above for word in searched) and any(word in own for word in searched):
                scored.append((sum(word not in own for word in searched), place, unit))
        return [unit for _, _, unit in sorted(scored, key=lambda score: score[:2])][:RESULT_LIMIT]
