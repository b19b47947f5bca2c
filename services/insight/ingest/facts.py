"""Events to facts: the rows that the tables of insight get for each event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from backbone.persian import jalali
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


def newest_last(events: Sequence[TrackedEvent]) -> list[TrackedEvent]:
    """Events in the order in which they happened to their case."""
    return sorted(events, key=lambda event: event.sequence)


def fact_of(event: TrackedEvent) -> dict[str, Any]:
    """A case as of this event, but for its decision."""
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
        is_asked = isinstance(event, VisitAsked)
        rows[event.visit_id] = {
            "visit_id": event.visit_id,
            "case_id": event.case_id,
            "asked_on": day if is_asked else before.get("asked_on"),
            "asked_month": jalali.month(day) if is_asked else before.get("asked_month"),
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
