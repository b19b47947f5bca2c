"""Sends what is due, from any number of processes at once.

A message is leased (FOR UPDATE SKIP LOCKED), sent outside any transaction, and settled by the process that still holds its
lease. When a process is killed its leases end, and the next one calls the provider again with the same client reference, under
which the provider sends nothing twice. Where a provider recognises no repeated call, a message whose answer was lost is not sent
again. One-time codes go by approved templates, for which there is no client reference: there a second copy of the same code is
better than none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from prometheus_client import Counter
from sqlalchemy import Connection

from backbone.process import logs
from backbone.storage.database import Database
from contracts.notify import MessageState
from services.notify.clock import Clock
from services.notify.delivery import store
from services.notify.delivery.preparation import MessagePreparation, PreparedMessage, end_message
from services.notify.delivery.receipts import apply_status
from services.notify.delivery.rules import GIVE_UP_AFTER, TOO_OLD, client_reference, poll_wait, retry_wait
from services.notify.notifications.rules import NotificationRegistry
from services.notify.providers.circuit import CircuitBreaker
from services.notify.providers.protocol import (
    FINAL,
    Accepted,
    GiveUp,
    NextProvider,
    ProviderError,
    Retry,
    SmsProvider,
)
from services.notify.settings import Settings
from services.notify.wording.templates import Templates

log = logs.get("delivery")

CALLS = Counter("peygir_sms_total", "Calls of SMS providers, by their answer", ["provider", "answer"])

_UNREACHABLE_PAUSE = 15.0

ParallelMap = Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]]


class MessageSender:
    """One per process. `providers` in the order in which they are tried."""

    def __init__(
        self,
        settings: Settings,
        providers: Sequence[SmsProvider],
        registry: NotificationRegistry,
        templates: Templates,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._providers = {provider.name: provider for provider in providers}
        self._clock = clock
        self._circuit = CircuitBreaker()
        self._preparation = MessagePreparation(settings, templates, registry.values, self._next_account, clock)

    def send_due(self, database: Database, parallel: ParallelMap = map, limit: int = 8) -> int:
        """Sends up to `limit` messages, side by side where `parallel` can; how many were claimed. None while no provider can
        send: what is not tried stays as it is, and goes as soon as one can again."""
        if self._providers and all(map(self._circuit.reason, self._providers)):
            return 0
        lease, moment = uuid4(), self._clock()
        with database.transaction() as connection:
            rows = store.claim_due(
                connection,
                now=moment,
                lease=lease,
                seconds=self._settings.notify_lease,
                hold=self._settings.notify_hold,
                limit=limit,
            )
            prepared = self._preparation.prepare(connection, rows, lease)
        for _ in parallel(lambda message: self._send(database, message, lease), prepared):
            pass
        return len(rows)

    def seconds_to_next(self, database: Database) -> float:
        """Until the next message becomes due, or a lease ends; infinite while there is none, negative for one that is held."""
        with database.read() as connection:
            moment = store.next_due(connection)
        return math.inf if moment is None else (moment - self._clock()).total_seconds()

    def _next_account(self) -> str | None:
        """The account that is called first now."""
        return next((name for name in self._providers if self._circuit.reason(name) is None), None)

    def _send(self, database: Database, message: PreparedMessage, lease: UUID) -> None:
        try:
            account, accepted = self._call_providers(database, message, lease)
        except ProviderError as error:
            with database.transaction() as connection:
                self._settle_refused(connection, message, lease, error)
            return
        # As a rule it is one statement, which needs no transaction around it.
        unit = database.transaction() if accepted.status in FINAL else database.read()
        with unit as connection:
            self._settle_accepted(connection, message, lease, account, accepted)

    def _call_providers(self, database: Database, message: PreparedMessage, lease: UUID) -> tuple[str, Accepted]:
        """The account that accepted it. Raises the error that decides what becomes of it."""
        # Once a provider may have accepted it, no other is called: only that one recognises its client reference.
        pinned = message.row.provider
        names = [pinned] if pinned in self._providers else list(self._providers)
        if pinned in self._providers and not self._may_repeat(message, pinned):
            raise GiveUp("answer_lost")
        refusal: ProviderError = Retry("no_provider")
        assigned, answered = message.provider, False
        for name in names:
            unavailable = self._circuit.reason(name)
            if unavailable is not None:
                refusal = _deciding(refusal, Retry(unavailable))
                continue
            if name != assigned:
                with database.transaction() as connection:
                    if not store.assign_provider(connection, message.row.id, lease, name):
                        raise Retry("lease_lost")
                assigned = name
            try:
                accepted = self._call(self._providers[name], message)
            except NextProvider as error:
                CALLS.labels(name, error.reason).inc()
                log.warning("a provider refused", provider=name, reason=error.reason, unavailable=error.unavailable)
                if error.unavailable:
                    self._circuit.open(name, self._settings.notify_provider_rest, error.reason)
                answered = True
                refusal = _deciding(refusal, Retry(error.reason) if error.unavailable else GiveUp(error.reason))
            except Retry as error:
                CALLS.labels(name, error.reason).inc()
                if error.ambiguous:
                    raise _Ambiguous(name, error) from None
                if error.reason == "not_reached":
                    self._circuit.open(name, _UNREACHABLE_PAUSE, error.reason)
                else:
                    answered = True
                refusal = _deciding(refusal, error)
            else:
                CALLS.labels(name, "accepted").inc()
                return name, accepted
        if names and not answered:
            raise _NotTried(refusal.reason, min(map(self._circuit.remaining, names)))
        raise refusal

    def _may_repeat(self, message: PreparedMessage, account: str) -> bool:
        """Whether a call whose answer was lost may be repeated."""
        return self._providers[account].capabilities.deduplicates or message.approved is not None

    def _call(self, provider: SmsProvider, message: PreparedMessage) -> Accepted:
        if message.approved is not None and provider.capabilities.templates:
            try:
                return provider.send_template(message.approved.name, message.tokens, message.mobile)
            except NextProvider as error:
                if error.reason not in ("template_unknown", "service_level"):
                    raise
                log.warning("an approved template is missing at the provider", template=message.approved.name)
        reference = client_reference(message.row.id, provider.name, message.row.resends)
        return provider.send(message.text, message.mobile, reference)

    def _settle_accepted(
        self, connection: Connection, message: PreparedMessage, lease: UUID, account: str, accepted: Accepted
    ) -> None:
        moment = self._clock()
        values = {
            "state": MessageState.SENT,
            "reason": None,
            "provider": account,
            "provider_message_id": accepted.message_id,
            "sent_at": moment,
            "next_status_poll_at": moment + poll_wait(0),
            "sealed": None,
        }
        if store.settle(connection, message.row.id, lease, values) and accepted.status in FINAL:
            apply_status(connection, message.row, accepted.status, moment, message.mobile_hash)

    def _settle_refused(
        self, connection: Connection, message: PreparedMessage, lease: UUID, error: ProviderError
    ) -> None:
        row, moment = message.row, self._clock()
        tried_first = row.tried_first_at or moment
        ambiguous = isinstance(error, _Ambiguous) or row.provider is not None
        too_late = (
            moment - tried_first > GIVE_UP_AFTER if ambiguous else moment - (row.resent_at or row.created_at) > TOO_OLD
        )
        final = isinstance(error, _Ambiguous) and not self._may_repeat(message, error.account)
        if isinstance(error, GiveUp) or too_late or final:
            end_message(connection, row, lease, MessageState.FAILED, error.reason, moment)
            return
        values = {
            "state": MessageState.DUE,
            "reason": error.reason,
            "next_attempt_at": moment + retry_wait(row.attempts),
            "provider": error.account if isinstance(error, _Ambiguous) else row.provider,
        }
        if isinstance(error, _NotTried):
            again = moment + timedelta(seconds=error.seconds)
            values |= {"attempts": row.attempts - 1, "next_attempt_at": again}
        store.settle(connection, row.id, lease, values)


class _Ambiguous(Retry):
    """`account` may have accepted the message, and no other may be called for it now."""

    def __init__(self, account: str, error: Retry) -> None:
        super().__init__(error.reason, ambiguous=True)
        self.account = account


class _NotTried(Retry):
    """No provider was called, or reached; one may be called again in `seconds`. It does not count as an attempt, after which the
    next would wait longer: a provider that was away for two minutes must not cost a message a quarter of an hour."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


def _deciding(first: ProviderError, second: ProviderError) -> ProviderError:
    """Which refusal decides: as long as one provider may accept it later, it is tried again."""
    if isinstance(first, GiveUp) and isinstance(second, Retry):
        return second
    if isinstance(second, GiveUp) and isinstance(first, Retry) and first.reason != "no_provider":
        return first
    return second
