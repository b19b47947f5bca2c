"""Who made a change of a case, as its readers are told: staff by name to other staff; who complained never, and to the citizen
the office as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from contracts.vocabulary import ActorKind

_BY_UNIT = ("case.unit_answered.", "case.recommendation_reported.")
_BY_CITIZEN = ("case.citizen_answered.", "case.message_sent.", "case.objected.", "case.resumed.")
_ABOUT_ANOTHER = ("case.joined_", "case.duplicate_", "case.merged.")
"""Events of one case for what was done to another."""
_CITIZENS = frozenset({ActorKind.CITIZEN, ActorKind.BEARER})


def author_for_staff(
    name: str, event: Mapping[str, Any], name_of: Callable[[UUID], str | None]
) -> dict[str, str | None] | None:
    """`kind`: staff, with id and name; citizen, unit or system without. None for an event that does not say it."""
    kind = event.get("by_kind")
    if kind is None:
        return None
    if name.startswith(_BY_UNIT):
        return {"kind": "unit"}
    if kind in _CITIZENS:
        return {"kind": "citizen"}
    staff_id = event.get("by_staff")
    if kind == ActorKind.STAFF and staff_id is not None:
        return {"kind": "staff", "id": staff_id, "name": name_of(UUID(staff_id))}
    return {"kind": "system"}


def author_for_citizen(name: str, event: Mapping[str, Any]) -> dict[str, str | None] | None:
    """`kind`: citizen, for what they did themselves; else office. None for an event that does not say it."""
    kind = event.get("by_kind")
    if kind is None:
        return None
    return {"kind": "citizen" if kind in _CITIZENS and not name.startswith(_ABOUT_ANOTHER) else "office"}


def writer_of(name: str, event: Mapping[str, Any]) -> str | None:
    """ "citizen" or "unit", where they wrote to the office with it."""
    if name.startswith(_BY_UNIT):
        return "unit"
    sent_evidence = name.startswith("case.evidence_added.") and event.get("by_citizen", False)
    return "citizen" if name.startswith(_BY_CITIZEN) or sent_evidence else None
