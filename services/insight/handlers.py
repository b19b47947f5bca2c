"""What insight does: keeps the facts that events tell, whatever their order, and counts them.

Events come doubled and out of order. Nothing here depends on that: the highest sequence of a case wins, an event is a
transition once by its id, a unit's newest place wins; so no inbox is needed, and the same events always make the same tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from backbone.persian import jalali
from contracts.base import Event
from contracts.errors import InvalidField, Unavailable
from contracts.insight import Cell, CountCases, Counts, CountVisits, VisitCell, VisitCounts, VisitFigures
from contracts.intake import CatalogueChanged
from contracts.notify import NotificationDelivered, NotificationFailed
from contracts.tracking import (
    CaseDecided,
    TrackedEvent,
    VisitAsked,
    VisitAvoided,
    VisitCancelled,
    VisitEvent,
    VisitHeld,
    VisitMissed,
)
from services.insight import release_store, store
from services.insight.domain import Viewer, lineage, subtree, viewer
from services.insight.releases import Releases

MOST_CELLS = 10_000
"""More than anybody reads; an answer beyond it is asked for in parts."""


class Insight:
    """The use cases of one process."""

    def __init__(self) -> None:
        self._public = Releases()

    def record(self, connection: Connection, events: Sequence[Event]) -> None:
        """Keeps what these events tell; those that tell no figure are passed over."""
        tracked = [event for event in events if isinstance(event, TrackedEvent)]
        newest = {event.case_id: event for event in newest_last(tracked)}
        decided = {event.case_id: event for event in newest_last(tracked) if isinstance(event, CaseDecided)}
        # Sorted: two replicas never lock the same rows in opposite order.
        store.keep_newest_facts(connection, [fact_of(newest[case_id]) for case_id in sorted(newest)])
        for case_id in sorted(decided):
            store.keep_newest_decision(connection, decision_of(decided[case_id]))
        store.keep_visits(connection, visits_of([event for event in tracked if isinstance(event, VisitEvent)]))
        by_id = {event.id: event for event in events}
        in_order = [by_id[event_id] for event_id in sorted(by_id)]
        store.add_transitions(connection, [transition_of(e) for e in in_order if isinstance(e, TrackedEvent)])
        store.add_notifications(
            connection,
            [notification_of(e) for e in in_order if isinstance(e, NotificationDelivered | NotificationFailed)],
        )
        for catalogue in (event.catalogue for event in events if isinstance(event, CatalogueChanged)):
            places = {unit.code: unit.parent for unit in catalogue.units}
            store.keep_newest_units(
                connection,
                [{"code": c, "parent": places[c], "version": catalogue.version} for c in sorted(places)],
            )
            release_store.keep_grounds(connection, [ground.code for ground in catalogue.grounds])

    def count_cases(self, connection: Connection, request: CountCases) -> Counts:
        """Counts by one to three dimensions.

        Staff never have cases of their own unit or one above it in any count. Anybody but the staff whose work it is gets
        public figures (`releases`). InvalidField: a dimension twice, too many cells, or finer than what is public.
        Unavailable: the viewer's unit is not known here yet, so what must be kept from them cannot be told.
        """
        _once(request.by)
        who = viewer(request.actor)
        if not who.exact:
            return self._public.count_cases(connection, request)
        rows = store.count(connection, request, **_units(connection, request, who), limit=MOST_CELLS + 1)
        _not_too_many(rows)
        return Counts(
            by=request.by,
            cells=[Cell(key=[_text(value) for value in row[:-1]], count=row.cases) for row in rows],
            total=sum(row.cases for row in rows),
        )

    def count_visits(self, connection: Connection, request: CountVisits) -> VisitCounts:
        """Visits by one to three dimensions: who sees what is as in `count_cases`. InvalidField, Unavailable as there."""
        _once(request.by)
        who = viewer(request.actor)
        if not who.exact:
            return self._public.count_visits(connection, request)
        rows = store.count_visits(connection, request, **_units(connection, request, who), limit=MOST_CELLS + 1)
        _not_too_many(rows)
        figures = [{figure: getattr(row, figure) for figure in store.FIGURES} for row in rows]
        return VisitCounts(
            by=request.by,
            cells=[
                VisitCell(key=list(row[: len(request.by)]), **counts) for row, counts in zip(rows, figures, strict=True)
            ],
            totals=VisitFigures(**{figure: sum(counts[figure] for counts in figures) for figure in store.FIGURES}),
        )


def _once(by: Sequence[str]) -> None:
    if len(set(by)) != len(by):
        raise InvalidField(fields=[{"field": "by", "reason": "twice"}])


def _units(connection: Connection, request: CountCases | CountVisits, who: Viewer) -> dict[str, Any]:
    """Which units count: `within` and `hidden` of the store's counts. Unavailable."""
    tree = store.tree(connection)
    if who.unit is not None and who.unit not in tree:
        raise Unavailable(retry_after=5)
    return {
        "within": None if request.unit is None else subtree(request.unit, tree),
        "hidden": frozenset() if who.unit is None else lineage(who.unit, tree),
    }


def _not_too_many(rows: Sequence[Any]) -> None:
    if len(rows) > MOST_CELLS:
        raise InvalidField(fields=[{"field": "by", "reason": "too_many_cells"}])


def newest_last(events: Sequence[TrackedEvent]) -> list[TrackedEvent]:
    """Events in the order in which they happened to their case."""
    return sorted(events, key=lambda event: event.sequence)


def _text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date) else value


def fact_of(event: TrackedEvent) -> dict[str, Any]:
    """A case as this event tells it, but for its decision."""
    state = event.state
    return {
        "case_id": event.case_id,
        "sequence": event.sequence,
        "number": state.number,
        "kind": state.kind.value,
        "unit": state.unit,
        "ground": state.ground,
        "stage": state.stage.value,
        "outcome": state.outcome.value if state.outcome else None,
        "channel": state.channel.value,
        "anonymous": state.anonymous,
        "urgent": state.urgent,
        "score": state.score,
        "handler": state.handler,
        "filed_at": state.filed_at,
        "day": jalali.today(state.filed_at),
        "expected_on": state.expected_on,
        "told_at": event.occurred_at,
    }


def visits_of(events: Sequence[VisitEvent]) -> list[dict[str, Any]]:
    """A row for each visit; sorted, so that two replicas never lock the same rows in opposite order."""
    rows: dict[UUID, dict[str, Any]] = {}
    for event in sorted(events, key=lambda event: event.sequence):
        ended, day = _ended(event), jalali.today(event.occurred_at)
        before = rows.get(event.visit_id, {})
        asked = isinstance(event, VisitAsked)
        rows[event.visit_id] = {
            "visit_id": event.visit_id,
            "case_id": event.case_id,
            "asked_on": day if asked else before.get("asked_on"),
            "asked_month": jalali.month(day) if asked else before.get("asked_month"),
            "sequence": event.sequence,
            "ended": ended,
            "ended_on": day if ended else None,
            "ended_month": jalali.month(day) if ended else None,
        }
    return [rows[visit_id] for visit_id in sorted(rows)]


def _ended(event: VisitEvent) -> str | None:
    """How the visit ended with this event. What the office takes back is asked for again, without a time."""
    match event:
        case VisitHeld():
            return "held"
        case VisitMissed():
            return "no_show"
        case VisitAvoided():
            return "avoided"
        case VisitCancelled() if event.by != "office":
            return "cancelled"
    return None


def decision_of(event: CaseDecided) -> dict[str, Any]:
    """When a case was decided."""
    return {"case_id": event.case_id, "decided_at": event.occurred_at, "decided_sequence": event.sequence}


def transition_of(event: TrackedEvent) -> dict[str, Any]:
    """One thing that happened to a case."""
    return {
        "event_id": event.id,
        "case_id": event.case_id,
        "sequence": event.sequence,
        "event": event.name,
        "stage": event.state.stage.value,
        "previous_stage": event.state.previous_stage.value if event.state.previous_stage else None,
        "at": event.occurred_at,
    }


def notification_of(event: NotificationDelivered | NotificationFailed) -> dict[str, Any]:
    """What became of one message."""
    return {
        "event_id": event.id,
        "case_id": event.case_id,
        "template": event.template,
        "channel": event.channel.value,
        "delivered": isinstance(event, NotificationDelivered),
        "reason": event.reason if isinstance(event, NotificationFailed) else None,
        "at": event.occurred_at,
    }
