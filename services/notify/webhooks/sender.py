"""Sends the deliveries that are due, from any number of processes at once.

A delivery is leased (FOR UPDATE SKIP LOCKED), sent outside any transaction, and settled by the process that still holds its
lease. When a process is killed its leases end, and the next one sends again under the same `webhook-id`: a partner gets each
delivery at least once.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from prometheus_client import Counter
from sqlalchemy import Connection

from backbone.process import logs
from backbone.storage.database import Database
from contracts.vocabulary import Kind
from contracts.webhooks import WebhookDeliveryState, WebhookState
from services.notify.clock import Clock
from services.notify.notifications.composer import MessageComposer, save_drafts
from services.notify.settings import Settings
from services.notify.webhooks import rules, store
from services.notify.webhooks.events import WebhookPaused
from services.notify.webhooks.http_client import DeliveryFailed, Taken, WebhookClient
from services.notify.webhooks.keys import KeyStore

log = logs.get("webhooks")

ATTEMPTS = Counter(
    "peygir_webhook_attempts_total", "Attempts to deliver to partner systems, by what came of them", ["result"]
)

_AT_ONCE = 4
"""Deliveries to one subscription under way at the same time: a slow one leaves the others their places."""
_PRUNED = 1000


@dataclass(frozen=True)
class Attempt:
    """A leased delivery. `secrets`: it is signed with each."""

    row: store.AnyRow
    lease: UUID
    content: bytes
    secrets: tuple[str, ...]


Result = Taken | DeliveryFailed


class WebhookSender:
    """One per process."""

    def __init__(
        self,
        settings: Settings,
        client: WebhookClient,
        keys: KeyStore,
        composer: MessageComposer,
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings, self._client, self._keys = settings, client, keys
        self._composer, self._clock, self._chance = composer, clock, chance

    def claim(self, database: Database, limit: int, kept_free: int = 0) -> list[Attempt]:
        """Leases up to `limit` due deliveries; those that are not to be sent are settled.

        First of subscriptions whose last attempt succeeded; of the others one each, and none for the last `kept_free` places:
        however many partners do not answer, calls are left for those that do."""
        lease, moment = uuid4(), self._clock()
        with database.transaction() as connection:
            due = partial(store.claim_due, connection, now=moment, lease=lease, seconds=self.longest_attempt * 2)
            rows = due(limit=limit, at_once=_AT_ONCE, failing=False)
            if (left := limit - len(rows) - kept_free) > 0:
                rows += due(limit=left, at_once=1, failing=True)
            return [attempt for row in rows if (attempt := self._prepare(connection, row, lease, moment))]

    @property
    def longest_attempt(self) -> float:
        """Seconds after which an attempt has failed, whatever it waits for."""
        return self._settings.notify_webhook_timeout * 3

    def attempt(self, attempt: Attempt) -> Result:
        """Sends one delivery."""
        message_id, timestamp = str(attempt.row.id), int(self._clock().timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": rules.signatures(attempt.secrets, message_id, timestamp, attempt.content),
        }
        try:
            return self._client.post(attempt.row.url, headers, attempt.content)
        except DeliveryFailed as failure:
            return failure

    def settle(self, database: Database, attempt: Attempt, result: Result) -> None:
        """Records what came of an attempt, unless another process has taken it over."""
        moment, row = self._clock(), attempt.row
        ATTEMPTS.labels("taken" if isinstance(result, Taken) else result.reason).inc()
        answered = {"response_code": result.response_code, "answer": result.answer}
        is_test = row.case_id is None
        with database.transaction() as connection:
            if not is_test:
                store.lock_subscription(connection, row.subscription_id)  # first, as whoever deletes it does
            if isinstance(result, Taken):
                values = {"state": WebhookDeliveryState.DELIVERED, "delivered_at": moment, "error": None, **answered}
                if store.settle(connection, row.id, attempt.lease, values) and not is_test:
                    store.note_success(connection, row.subscription_id, moment)
                return
            # A test is for somebody who waits for it: it is not repeated, and says nothing about the others.
            wait = None if is_test else rules.retry_wait(row.attempts, self._chance())
            values = {"state": WebhookDeliveryState.FAILED, "error": result.reason, **answered}
            if wait is not None:
                values |= {"state": WebhookDeliveryState.DUE, "next_attempt_at": moment + wait}
            if store.settle(connection, row.id, attempt.lease, values) and not is_test:
                self._note_failure(connection, row.subscription_id, result.reason, moment, given_up=wait is None)

    def send_due(self, database: Database, limit: int = 16) -> int:
        """One after another; how many. A service sends them side by side instead."""
        attempts = self.claim(database, limit)
        for attempt in attempts:
            self.settle(database, attempt, self.attempt(attempt))
        return len(attempts)

    def seconds_to_next(self, database: Database) -> float:
        """Until the next delivery becomes due, or a lease ends; infinite while there is none."""
        with database.read() as connection:
            moment = store.next_due(connection)
        return math.inf if moment is None else (moment - self._clock()).total_seconds()

    def prune(self, database: Database) -> int:
        """Forgets old deliveries; how many."""
        with database.transaction() as connection:
            return store.prune(connection, self._clock() - rules.KEPT, _PRUNED)

    def _prepare(self, connection: Connection, row: store.AnyRow, lease: UUID, moment: datetime) -> Attempt | None:
        if row.payload["data"].get("kind") == Kind.INFORMATION and not row.information:
            values = {"state": WebhookDeliveryState.SKIPPED, "error": "not_allowed"}
            store.settle(connection, row.id, lease, values)
            return None
        try:
            keys = self._keys.open(row.sealed_keys)
        except ValueError:  # CannotOpen: no later attempt will do better, a rotation will
            log.error("keys of a webhook could not be opened", subscription_id=str(row.subscription_id))
            reason = "sealed_to_another_key"
            values = {"state": WebhookDeliveryState.FAILED, "error": reason}
            if store.settle(connection, row.id, lease, values):
                self._note_failure(connection, row.subscription_id, reason, moment, given_up=True)
            return None
        secrets = [keys.secret.get_secret_value()]
        if keys.old_secret is not None and row.old_secret_until is not None and row.old_secret_until > moment:
            secrets.append(keys.old_secret.get_secret_value())
        reference = bytes.fromhex(keys.reference.get_secret_value())
        case = rules.case_reference(reference, row.case_id) if row.case_id is not None else None
        return Attempt(row, lease, rules.body(row.payload, case), tuple(secrets))

    def _note_failure(
        self, connection: Connection, subscription_id: UUID, reason: str, moment: datetime, *, given_up: bool
    ) -> None:
        """Counts a failed attempt; pauses the subscription when it fails for long, and notifies administrators."""
        after = store.note_failure(connection, subscription_id, moment, reason)
        if after is None or after.state != WebhookState.ACTIVE:
            return
        if reason != "gone" and not rules.is_failing(
            after.failures,
            after.failing_since,
            moment,
            given_up=given_up,
            most=self._settings.notify_webhook_failures,
            span=timedelta(hours=self._settings.notify_webhook_failing_hours),
        ):
            return
        values = {"state": WebhookState.FAILING, "version": after.version + 1}
        store.change_subscription(connection, subscription_id, values)
        log.warning("a webhook is paused", subscription_id=str(subscription_id), reason=reason)
        event = WebhookPaused(f"{subscription_id}:{moment.isoformat()}", moment, after.name)
        save_drafts(connection, self._composer.compose(event), moment)
