"""Events to facts: the rows that the tables of insight get for each event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from backbone.persian import jalali
from contracts.call_backs import CaseRatedByPhone
from contracts.notify import NotificationDelivered, NotificationFailed
from contracts.tracking import (
    CaseDecided,
    CaseRated,
    CaseReopened,
    TrackedEvent,
    VisitAsked,
    VisitAvoided,
    VisitCancelled,
    VisitEvent,
    VisitHeld,
    VisitMissed,
)

Rating = CaseRated | CaseRatedByPhone


def newest_last(events: Sequence[TrackedEvent]) -> list[TrackedEvent]:
    """Events in the order in which they happened to their case."""
    return sorted(events, key=lambda event: event.sequence)


def fact_of(event: TrackedEvent, decision: TrackedEvent | None, rating: Rating | None = None) -> dict[str, Any]:
    """A case as of this event, and when it was decided and rated, if that is known. `decision`: as of which it was made, or taken
    back."""
    state = event.state
    decided = decision if isinstance(decision, CaseDecided) else None
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
        "reported_at": event.occurred_at,
        "decided_at": decided.occurred_at if decided else None,
        "decided_on": jalali.today(decided.occurred_at) if decided else None,
        "decided_sequence": decision.sequence if decision else None,
        "settled_early": decided.early if decided else None,
        "rated_on": jalali.today(rating.occurred_at) if rating else None,
        "rated_sequence": rating.sequence if rating else None,
        "rated_by_phone": isinstance(rating, CaseRatedByPhone) if rating else None,
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


def concerns_decision(event: TrackedEvent) -> bool:
    """Whether a decision was made with this event, or taken back."""
    return isinstance(event, CaseDecided) or (isinstance(event, CaseReopened) and event.mistake is not None)


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
