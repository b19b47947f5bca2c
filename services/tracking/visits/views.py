"""A case's visits as part of its views."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from contracts.visits import StaffVisit, Visit, VisitState
from services.tracking.case.lifecycle import Case
from services.tracking.models import cases, rooms, visit_slots, visits
from services.tracking.reference.names import name_of
from services.tracking.visits import rules
from services.tracking.visits.rules import OPEN, Slot, VisitFacts

_COLUMNS = {
    **{name: visits.c[name] for name in ("visit_id", "state", "asked_at", "slot_id", "offered")},
    **{name: visit_slots.c[name] for name in ("starts_at", "ends_at", "inspector")},
    "inspector_name": name_of(visit_slots.c.inspector),
    "place_fa": rooms.c.name_fa,
    "place_en": rooms.c.name_en,
}


def visits_part(of: Any = cases.c.case_id) -> Any:
    """The visits of the case in the query's row (`of`: its id), as JSON, the first one first."""
    pairs: list[Any] = []
    for name, column in _COLUMNS.items():
        pairs += [literal_column(f"'{name}'"), column]
    line = func.json_build_object(*pairs)
    places = visit_slots.join(rooms, rooms.c.room_id == visit_slots.c.room_id)
    return (
        select(func.json_agg(aggregate_order_by(line, visits.c.asked_at)))
        .select_from(visits.outerjoin(places, visit_slots.c.slot_id == visits.c.slot_id))
        .where(visits.c.case_id == of)
        .scalar_subquery()
        .label("visits")
    )


def viewed_facts(case: Case, parts: Mapping[str, Any]) -> VisitFacts:
    """Of a view of the case: the visit that is asked for or booked."""
    current = next((line for line in parts["visits"] or [] if VisitState(line["state"]) in OPEN), None)
    return VisitFacts() if current is None else VisitFacts(_visit_of(case, current))


def _visit_of(case: Case, line: Mapping[str, Any]) -> rules.Visit:
    asked_at = datetime.fromisoformat(line["asked_at"])
    slot = None
    if line["slot_id"] is not None:
        begins, ends = (datetime.fromisoformat(line[name]) for name in ("starts_at", "ends_at"))
        who, place = UUID(line["inspector"]), (line["place_fa"], line["place_en"])
        slot = Slot(UUID(line["slot_id"]), who, begins, ends, 1, 1, False, *place)
    return rules.Visit(UUID(line["visit_id"]), case.case_id, VisitState(line["state"]), asked_at, slot)


def for_citizen(line: Mapping[str, Any]) -> Visit:
    """A visit in the citizen's view: who of the staff holds it is not shown."""
    return Visit.model_validate(line)


def staff_visit(line: dict[str, Any]) -> StaffVisit:
    """A visit as staff see it."""
    return StaffVisit.model_validate(line)
