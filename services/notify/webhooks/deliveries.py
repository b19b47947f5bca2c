"""The deliveries that events of cases cause: one row for each event and subscription, in the statement of the event's effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from backbone.storage.writes import Write
from contracts.tracking import TrackedEvent
from contracts.webhooks import WebhookDeliveryState
from services.notify.webhooks import rules, store


def delivering(
    connection: Connection, events: Sequence[TrackedEvent], subscribers: Sequence[rules.Subscriber], moment: datetime
) -> list[Write]:
    """Stores what these subscriptions are told of these events, as parts of a statement on this connection, which is marked when
    there is any; nothing otherwise."""
    rows = [row for event in events for row in _rows(event, subscribers, moment)]
    if rows:
        store.mark_due(connection)
    return store.adding_deliveries(rows)


def _rows(event: TrackedEvent, subscribers: Sequence[rules.Subscriber], moment: datetime) -> list[dict[str, Any]]:
    """A row for each subscription that is told of the event. All have the same payload: the case's reference, which each
    subscription has its own of, is added as it is sent."""
    interested = [subscriber for subscriber in subscribers if subscriber.wants(event)]
    if not interested:
        return []
    delivery = {
        "case_id": event.case_id,
        "type": rules.public_type(event),
        "payload": rules.payload(event),
        "state": WebhookDeliveryState.DUE,
        "attempts": 0,
        "created_at": moment,
        "next_attempt_at": rules.due_at(event, moment),
    }
    return [
        {"id": rules.delivery_id(event.id, subscriber.id), "subscription_id": subscriber.id, **delivery}
        for subscriber in interested
    ]
