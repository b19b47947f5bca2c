"""A case's visits as part of its views."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from contracts.base import now
from contracts.visits import StaffVisit, Visit, VisitState
from services.tracking.case.lifecycle import Case
from services.tracking.models import cases, rooms, visit_slots, visits
from services.tracking.reference.names import name_of
from services.tracking.visits import rules as visits_domain
from services.tracking.visits.rules import OPEN

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


def visits_for_citizen(case: Case, lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`visits` and `visit_can` of the citizen's view: who of the staff holds it is not shown."""
    current = next((line for line in lines if VisitState(line["state"]) in OPEN), None)
    begins = datetime.fromisoformat(current["starts_at"]) if current and current["starts_at"] else None
    state = VisitState(current["state"]) if current else None
    return {
        "visits": [Visit.model_validate(line) for line in lines],
        "visit_can": visits_domain.possible(case.stage, state, begins, now()),
    }


def staff_visit(line: dict[str, Any]) -> StaffVisit:
    """A visit as staff see it."""
    return StaffVisit.model_validate(line)
