"""The rules of figures: the tree of units, who sees what, small cells. Imports the standard library and contracts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role

SMALLEST = 5
"""Fewer cases than this are told to nobody outside (DOMAIN: Analysis)."""

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


def public(count: int) -> int | None:
    """A figure as the public is told it: rounded down to a multiple of five, so 1 to 4 is None.

    Every public figure goes through here, so no difference of two of them, from one answer or from several, is a
    small cell: 12 less 11 is told as 10 less 10, and 10 less 9 as 10 less 5, which may be anything from 1 to 9.
    """
    return None if 0 < count < SMALLEST else count - count % SMALLEST


def public_total(counts: Sequence[int]) -> int | None:
    """The total of these cells as the public is told it; None when it would narrow what a suppressed cell may be.

    Whoever reads the answer knows of each cell that it is told as n that it is between n and n + 4, of a suppressed one
    that it is 1 to 4, and likewise of the total. Usually that leaves a suppressed cell anything from 1 to 4, but not when
    all lie at an end: five suppressed cells with a total of 20 are 4 each. Then the total is suppressed too.
    """
    total = public(sum(counts))
    told = [public(count) for count in counts]
    suppressed = told.count(None)
    if total is None or suppressed == 0:
        return total
    least = sum(1 if cell is None else cell for cell in told)
    most = sum((cell or 0) + SMALLEST - 1 for cell in told)
    lowest_of_one = total - (most - (SMALLEST - 1))
    highest_of_one = total + SMALLEST - 1 - (least - 1)
    return total if lowest_of_one <= 1 and highest_of_one >= SMALLEST - 1 else None
