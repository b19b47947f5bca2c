"""Keeps the facts of all events, whatever their order.

Events come doubled and out of order. Nothing here depends on that: the highest sequence of a case wins, an event is a
transition once by its id, a unit's newest parent wins; so no inbox is needed, and the same events always make the same tables.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from contracts.base import Event
from contracts.intake import CatalogueChanged
from contracts.notify import NotificationDelivered, NotificationFailed
from contracts.tracking import CaseDecided, TrackedEvent, VisitEvent
from services.insight.ingest import store
from services.insight.ingest.facts import (
    decision_of,
    fact_of,
    newest_last,
    notification_of,
    transition_of,
    visits_of,
)
from services.insight.reference import store as reference_store


class IngestUseCases:
    def record(self, connection: Connection, events: Sequence[Event]) -> None:
        """Keeps the facts of these events; those without any are passed over."""
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
        transitions = [transition_of(event) for event in in_order if isinstance(event, TrackedEvent)]
        store.add_transitions(connection, transitions)
        notifications = [
            notification_of(event)
            for event in in_order
            if isinstance(event, NotificationDelivered | NotificationFailed)
        ]
        store.add_notifications(connection, notifications)
        for catalogue in (event.catalogue for event in events if isinstance(event, CatalogueChanged)):
            parents = {unit.code: unit.parent for unit in catalogue.units}
            rows = [{"code": code, "parent": parents[code], "version": catalogue.version} for code in sorted(parents)]
            reference_store.keep_newest_units(connection, rows)
            reference_store.keep_grounds(connection, [ground.code for ground in catalogue.grounds])
