"""The rules of figures: the tree of units, and who sees what. Imports the standard library and contracts alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role

SEE_EXACTLY = frozenset({Role.HEAD, Role.ANALYST, Role.ADMINISTRATOR, Role.SCREENER, Role.INSPECTOR})

Tree = Mapping[str, str | None]
"""Unit → its parent; None for the root."""


@dataclass(frozen=True)
class Viewer:
    """`exact`: sees figures as they are. `unit`: whose cases, and those of the units above, are kept from them."""

    exact: bool
    unit: str | None


def viewer(actor: Actor | None) -> Viewer:
    """Staff whose work it is see exact figures; anybody else, of the staff or not, sees what the public sees.

    The conflict of interest holds for all staff (DOMAIN: The people).
    """
    if actor is None or actor.kind is not ActorKind.STAFF:
        return Viewer(exact=False, unit=None)
    return Viewer(exact=bool(actor.roles & SEE_EXACTLY), unit=actor.unit)


def lineage(unit: str, tree: Tree) -> frozenset[str]:
    """A unit and all above it."""
    found: set[str] = set()
    step: str | None = unit
    while step is not None and step not in found:
        found.add(step)
        step = tree.get(step)
    return frozenset(found)


def subtree(unit: str, tree: Tree) -> frozenset[str]:
    """A unit and all below it."""
    children: dict[str, list[str]] = {}
    for code, parent in tree.items():
        if parent is not None:
            children.setdefault(parent, []).append(code)
    found: set[str] = set()
    waiting = [unit]
    while waiting:
        code = waiting.pop()
        if code not in found:
            found.add(code)
            waiting.extend(children.get(code, []))
    return frozenset(found)
