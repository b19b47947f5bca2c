"""Keeps the facts of all events, whatever their order.

Events come doubled and out of order. Nothing here depends on that: the highest sequence of a case wins, an event is a
transition once by its id, a unit's newest parent wins; so no inbox is needed, and the same events always make the same tables.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from backbone.storage import writes
from contracts.base import Event
from contracts.intake import CatalogueChanged
from contracts.notify import NotificationDelivered, NotificationFailed
from contracts.tracking import TrackedEvent, VisitEvent
from services.insight.ingest import store
from services.insight.ingest.facts import (
    Rating,
    concerns_decision,
    fact_of,
    newest_last,
    notification_of,
    transition_of,
    visits_of,
)
from services.insight.reference import store as reference_store


class IngestUseCases:
    def record(self, connection: Connection, events: Sequence[Event]) -> None:
        """Keeps the facts of these events, in one statement; those without any are passed over."""
        tracked = newest_last([event for event in events if isinstance(event, TrackedEvent)])
        newest = {event.case_id: event for event in tracked}
        decided = {event.case_id: event for event in tracked if concerns_decision(event)}
        rated = {event.case_id: event for event in tracked if isinstance(event, Rating)}
        by_id = {event.id: event for event in events}
        # Sorted, here and below: two replicas never lock the same rows in opposite order.
        in_order = [by_id[event_id] for event_id in sorted(by_id)]
        ended = [event for event in in_order if isinstance(event, NotificationDelivered | NotificationFailed)]
        catalogues = [event.catalogue for event in events if isinstance(event, CatalogueChanged)]
        writes.execute_all(
            connection,
            [
                *store.keeping_newest_facts(
                    [fact_of(newest[id_], decided.get(id_), rated.get(id_)) for id_ in sorted(newest)]
                ),
                *store.keeping_visits(visits_of([event for event in tracked if isinstance(event, VisitEvent)])),
                *store.adding_transitions(
                    [transition_of(event) for event in in_order if isinstance(event, TrackedEvent)]
                ),
                *store.adding_notifications([notification_of(event) for event in ended]),
                *reference_store.keeping_newest_units(catalogues),
                *reference_store.keeping_grounds(catalogues),
            ],
        )
