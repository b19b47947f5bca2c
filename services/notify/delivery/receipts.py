"""What became of sent messages: delivery receipts that providers push, and polls where none came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from backbone.messaging import outbox
from backbone.process import logs
from backbone.storage.database import Database
from contracts.notify import MessageState
from services.notify.clock import Clock
from services.notify.delivery import store
from services.notify.delivery.outcome import outcome_event
from services.notify.delivery.rules import next_poll
from services.notify.providers.protocol import FINAL, DeliveryReceipt, DeliveryStatus, ProviderError, SmsProvider

log = logs.get("delivery")

_STATES = {
    DeliveryStatus.DELIVERED: MessageState.DELIVERED,
    DeliveryStatus.UNDELIVERED: MessageState.UNDELIVERED,
    DeliveryStatus.BLOCKED: MessageState.UNDELIVERED,
    DeliveryStatus.FAILED: MessageState.FAILED,
}


def apply_status(
    connection: Connection,
    row: store.AnyRow,
    status: DeliveryStatus,
    moment: datetime,
    mobile_hash: str | None,
) -> None:
    """Ends a sent message. The first final status stands; one on the way changes nothing."""
    if status not in FINAL or row.state not in (MessageState.SENT, MessageState.SENDING):
        return
    state = _STATES[status]
    reason = None if state == MessageState.DELIVERED else str(status)
    values: dict[str, Any] = {"state": state, "reason": reason, "next_status_poll_at": None}
    if state == MessageState.DELIVERED:
        values["delivered_at"] = moment
    store.set_outcome(connection, row.id, values)
    outbox.add(connection, outcome_event(row, state, reason, moment))
    if status is DeliveryStatus.BLOCKED and mobile_hash is not None:
        store.opt_out(connection, mobile_hash, moment, "provider")


class DeliveryReceipts:
    """Receipts that providers push."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def receive(self, connection: Connection, provider: str, receipt: DeliveryReceipt) -> bool:
        """Applies a receipt; False when there is no such message (yet: it may be quicker than the settling of its attempt)."""
        rows = store.lock_by_provider_id(connection, provider, [receipt.message_id])
        for row in rows:
            apply_status(connection, row, receipt.status, self._clock(), row.mobile_hash)
        return bool(rows)


class StatusPolling:
    """Asks providers for the status of messages whose receipt has not come."""

    def __init__(self, providers: Sequence[SmsProvider], clock: Clock) -> None:
        self._providers = providers
        self._clock = clock

    def poll(self, database: Database, limit: int = 500) -> int:
        """Polls up to `limit` messages; how many were due."""
        moment = self._clock()
        with database.transaction() as connection:
            rows = store.claim_status_polls(connection, now=moment, limit=limit)
            next_polls = [(row.id, next_poll(row.status_polls, row.sent_at, moment)) for row in rows]
            store.schedule_status_polls(connection, next_polls)
        for provider in self._providers:
            ids = [row.provider_message_id for row in rows if row.provider == provider.name]
            size = provider.capabilities.status_batch
            for start in range(0, len(ids) if size else 0, size or 1):
                self._poll(database, provider, ids[start : start + size])
        return len(rows)

    def _poll(self, database: Database, provider: SmsProvider, ids: Sequence[str]) -> None:
        try:
            statuses = provider.statuses(ids)
        except ProviderError as error:
            log.warning("statuses could not be polled", provider=provider.name, reason=error.reason)
            return
        final = [message_id for message_id, status in statuses.items() if status in FINAL]
        with database.transaction() as connection:
            for row in store.lock_by_provider_id(connection, provider.name, final):
                apply_status(connection, row, statuses[row.provider_message_id], self._clock(), row.mobile_hash)
