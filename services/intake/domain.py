"""The rules of filing (DOMAIN: What is filed). Imports the standard library and contracts alone."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.intake import Catalogue, Unit


@dataclass(frozen=True)
class Target:
    """Whom a submission is about. `unit` None: screening sets it right."""

    unit: str | None
    name_fa: str | None = None
    name_en: str | None = None


def target(asked: str, catalogue: Catalogue) -> Target:
    """The unit complained about, with the names of its day.

    An unknown or closed unit, and the root, which stands for no office in particular, are left to screening.
    """
    unit = next((unit for unit in catalogue.units if unit.code == asked), None)
    if unit is None or not unit.active or unit.parent is None:
        return Target(None)
    return Target(unit.code, unit.name_fa, unit.name_en)


def check_tree(units: list[Unit]) -> list[str]:
    """What is wrong with a tree of units, a sentence each; empty when nothing is."""
    codes = {unit.code for unit in units}
    parents = {unit.code: unit.parent for unit in units}
    problems = [
        f"{unit.code}: its parent {unit.parent} is not there"
        for unit in units
        if unit.parent and unit.parent not in codes
    ]
    if len(codes) != len(units):
        problems.append("a code stands twice")
    if sum(unit.parent is None for unit in units) != 1:
        problems.append("there must be exactly one root")
    for code in codes:
        seen: set[str] = set()
        step: str | None = code
        while step is not None and step in parents and step not in seen:
            seen.add(step)
            step = parents[step]
        if step is not None and step in seen:
            problems.append(f"{code}: its ancestors form a circle")
    return problems
