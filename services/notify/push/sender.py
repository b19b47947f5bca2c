"""Sends the pushes that are due, from any number of processes at once.

A push is leased (FOR UPDATE SKIP LOCKED), sent outside any transaction, and settled by the process that still holds its lease.
When a process is killed its leases end and the next one sends again, under the same topic: a device that is off, or whose
service worker shows one notification per topic, shows it once.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from prometheus_client import Counter
from sqlalchemy import Connection

from backbone.process import logs
from backbone.storage.database import Database
from contracts.notify import MessageState
from contracts.vocabulary import Language
from services.notify.clock import Clock
from services.notify.delivery.rules import retry_wait
from services.notify.inbox import store as inbox
from services.notify.inbox.readers import staff_reader
from services.notify.notifications.store import contacts_of
from services.notify.preferences import store as preferences
from services.notify.preferences.store import AS_THE_OFFICE_SENDS, Choice, Holder, HolderKind
from services.notify.push import encryption, rules, store
from services.notify.push.devices import DeviceAddress, DeviceSeal
from services.notify.push.server_keys import ServerKeys
from services.notify.settings import Settings
from services.notify.webhooks.http_client import DeliveryFailed, Taken, WebhookClient
from texts.loading import area

log = logs.get("push")

ATTEMPTS = Counter("peygir_push_attempts_total", "Attempts to push to devices, by what came of them", ["result"])

_TEXTS = area("push")
_PRUNED = 1000
_UNDER_LEASE = 2
"""A lease lasts this many times the longest attempt."""


@dataclass(frozen=True)
class Attempt:
    """A leased push, ready to be sent."""

    row: store.AnyRow
    lease: UUID
    endpoint: str
    endpoint_hash: str
    headers: Mapping[str, str]
    content: bytes


Result = Taken | DeliveryFailed


class PushSender:
    """One per process. `offices`: the units of the inspection itself."""

    def __init__(
        self, settings: Settings, client: WebhookClient, keys: ServerKeys, seal: DeviceSeal, clock: Clock
    ) -> None:
        self._settings, self._client, self._keys, self._seal = settings, client, keys, seal
        self._clock = clock
        self._offices: Sequence[str] = (settings.inspection_unit, settings.mayor_unit)

    @property
    def longest_attempt(self) -> float:
        """Seconds after which an attempt has failed, whatever it waits for."""
        return self._settings.notify_push_timeout * 3

    def claim(self, database: Database, limit: int, kept_free: int = 0) -> list[Attempt]:
        """Leases up to `limit` due pushes; those that are not to be sent are settled."""
        lease, moment = uuid4(), self._clock()
        with database.transaction() as connection:
            seconds = self.longest_attempt * _UNDER_LEASE
            rows = store.claim_due(connection, now=moment, lease=lease, seconds=seconds, limit=limit)
            return [attempt for row in rows if (attempt := self._prepare(connection, row, lease, moment))]

    def attempt(self, attempt: Attempt) -> Result:
        """Sends one push."""
        try:
            return self._client.post(attempt.endpoint, attempt.headers, attempt.content)
        except DeliveryFailed as failure:
            return failure

    def settle(self, database: Database, attempt: Attempt, result: Result) -> None:
        """Records what came of an attempt, unless another process has taken it over."""
        moment, row = self._clock(), attempt.row
        with database.transaction() as connection:
            if isinstance(result, Taken):
                ATTEMPTS.labels("taken").inc()
                values: dict[str, Any] = {"state": MessageState.SENT, "reason": None, "sent_at": moment}
                values["response_code"] = result.response_code
                if store.settle(connection, row, attempt.lease, values, moment):
                    store.note_sent(connection, row.subscription_id, moment)
                return
            reason = "gone" if result.response_code in rules.GONE else result.reason
            ATTEMPTS.labels(reason).inc()
            failed: dict[str, Any] = {
                "state": MessageState.FAILED,
                "reason": reason,
                "response_code": result.response_code,
            }
            if result.response_code in rules.GONE:
                store.settle(connection, row, attempt.lease, failed, moment)
                store.remove_endpoint(connection, attempt.endpoint_hash, moment)
                return
            longest = rules.SMS_AFTER if row.sms_id is not None else rules.GIVE_UP_AFTER
            again = moment + rules.retry_after(result.retry_after, retry_wait(row.attempts))
            is_final = result.response_code in rules.FOR_GOOD or result.reason == "address_refused"
            if not is_final and again <= row.tried_first_at + longest:
                failed |= {"state": MessageState.DUE, "next_attempt_at": again}
            store.settle(connection, row, attempt.lease, failed, moment)

    def send_due(self, database: Database, limit: int = 16) -> int:
        """One after another; how many. A service sends them side by side instead."""
        attempts = self.claim(database, limit)
        for attempt in attempts:
            self.settle(database, attempt, self.attempt(attempt))
        return len(attempts)

    def seconds_to_next(self, database: Database) -> float:
        """Until the next push becomes due, or a lease ends; infinite while there is none."""
        with database.read() as connection:
            moment = store.next_due(connection)
        return math.inf if moment is None else (moment - self._clock()).total_seconds()

    def prune(self, database: Database) -> int:
        """Forgets old pushes; how many."""
        with database.transaction() as connection:
            return store.prune(connection, self._clock() - rules.KEPT, _PRUNED)

    # --- one push ---

    def _prepare(self, connection: Connection, row: store.AnyRow, lease: UUID, moment: datetime) -> Attempt | None:
        """What is sent now; None when the push is settled: ended, or put off."""
        device = store.subscription(connection, row.subscription_id)
        if device is None or (device.expires_at is not None and device.expires_at <= moment):
            self._end(connection, row, lease, "gone", moment)
            if device is not None:
                store.remove_subscriptions(connection, [device.id], moment)
            return None
        if not self._may_read(connection, row):
            self._end(connection, row, lease, "not_theirs", moment, MessageState.SKIPPED)
            return None
        choice = self._choice(connection, row)
        quiet = choice.quiet or self._settings.notify_quiet_hours
        # An attempt that failed goes on: what was pushed in time is not held back for the night.
        allowed = moment if row.urgent or row.attempts > 1 else quiet.next_allowed(moment)
        if allowed > moment:
            later = {"state": MessageState.DUE, "next_attempt_at": allowed, "attempts": 0, "tried_first_at": None}
            store.settle(connection, row, lease, later, moment)
            return None
        try:
            address = self._seal.open(device.sealed)
        except ValueError:  # CannotOpen: no later attempt will do better
            log.error("a device's address could not be opened", subscription_id=str(device.id))
            self._end(connection, row, lease, "sealed_to_another_key", moment)
            return None
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(address.endpoint))
        authorization = self._keys.authorization(device.server_key, origin, moment)
        if authorization is None:
            self._end(connection, row, lease, "key_replaced", moment)
            store.remove_subscriptions(connection, [device.id], moment)
            return None
        return self._attempt(row, lease, device.endpoint_hash, address, authorization, choice)

    def _attempt(
        self,
        row: store.AnyRow,
        lease: UUID,
        endpoint_hash: str,
        address: DeviceAddress,
        authorization: str,
        choice: Choice,
    ) -> Attempt:
        language = choice.language or Language.FA
        headers = {
            "authorization": authorization,
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(int(rules.TTL / timedelta(seconds=1))),
            "urgency": "high" if row.urgent else "normal",
            "topic": _topic(row),
        }
        content = encryption.encrypt(
            payload(row.inbox_id, row.holder_kind == HolderKind.STAFF, language),
            encryption.from_unpadded(address.p256dh),
            encryption.from_unpadded(address.auth),
            rules.MOST_SEALED_BYTES,
        )
        return Attempt(row, lease, address.endpoint, endpoint_hash, headers, content)

    def _end(
        self,
        connection: Connection,
        row: store.AnyRow,
        lease: UUID,
        reason: str,
        moment: datetime,
        state: MessageState = MessageState.FAILED,
    ) -> None:
        ATTEMPTS.labels(reason).inc()
        store.settle(connection, row, lease, {"state": state, "reason": reason}, moment)

    def _may_read(self, connection: Connection, row: store.AnyRow) -> bool:
        """Whether the message is still in the inbox of the device's owner: of a case that is no longer theirs, or about a unit in
        which they have come to have a conflict of interest, they are not told that there is news."""
        if row.holder_kind == HolderKind.STAFF:
            reader = staff_reader(connection, row.holder_id, self._offices)
            return reader is not None and bool(inbox.of_ids(connection, reader, [row.inbox_id]))
        if row.holder_kind == HolderKind.CITIZEN:
            return bool(inbox.of_ids(connection, inbox.Reader.citizen(row.holder_id), [row.inbox_id]))
        return True  # the device is gone when the case has another code

    def _choice(self, connection: Connection, row: store.AnyRow) -> Choice:
        if row.holder_kind == HolderKind.STAFF:
            holder = Holder(HolderKind.STAFF, row.holder_id)
            return preferences.of_holder(connection, holder) or AS_THE_OFFICE_SENDS
        contacts = contacts_of(connection, [row.case_id])
        chosen = preferences.of_cases(connection, contacts).get(row.case_id, AS_THE_OFFICE_SENDS)
        filed_in = contacts[row.case_id].language if row.case_id in contacts else None
        return Choice(chosen.channel, chosen.language or filed_in, chosen.quiet)


def payload(message_id: UUID, to_staff: bool, language: str) -> bytes:
    """What the service worker reads: that there is news, and by which id of a message to open it. A locked screen shows it to
    whoever is near, so it says nothing of what the case is."""
    title = _TEXTS.text(language, "title_staff" if to_staff else "title_citizen")
    body = {"title": title, "lang": str(language), "dir": "rtl" if language == Language.FA else "ltr"}
    return json.dumps({**body, "message_id": str(message_id)}, ensure_ascii=False).encode()


def _topic(row: store.AnyRow) -> str:
    """Of several pushes of one case that wait for a device which is off, the last one alone is kept (RFC 8030, 5.4). Each device
    has its own, so that a push service cannot tell whose cases are one."""
    about: Any = row.case_id or row.template
    return encryption.unpadded(hashlib.sha256(f"{row.subscription_id}:{about}".encode()).digest()[:24])
