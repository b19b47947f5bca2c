"""Sends what is due, any number of senders at once, and follows each message to its handset.

A message is leased (FOR UPDATE SKIP LOCKED), sent outside any transaction, and settled by whoever still holds its
lease; a sender that was killed leaves a lease that ends, and the next one asks the provider again with the same
localid, which sends nothing twice. One-time codes go by the provider's approved texts, for which it has no localid:
there a second copy of the same code is better than none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from prometheus_client import Counter
from sqlalchemy import Connection

from backbone import sealing
from backbone.messaging import outbox
from backbone.process import logs
from backbone.process.settings import secret, secrets
from backbone.storage.database import Database
from contracts.accounts import SealedOtp
from contracts.base import now
from contracts.gateway import Contact
from contracts.notify import MessageState
from contracts.vocabulary import Language
from services.notify.delivery.rules import GIVE_UP_AFTER, POLL_WINDOW, SkipReason, local_id, poll_wait, retry_wait
from services.notify.notifications import store
from services.notify.notifications.use_cases import Clock, ended
from services.notify.providers.kavenegar import (
    FINAL,
    Accepted,
    Circuit,
    DeliveryStatus,
    GiveUp,
    NextProvider,
    Provider,
    ProviderError,
    Retry,
)
from services.notify.settings import Settings
from services.notify.wording import use_cases, values
from services.notify.wording.templates import Lookup, Table, table

log = logs.get("sending")

ASKED = Counter("peygir_sms_total", "What providers said to what we sent", ["provider", "answer"])

TOO_OLD = timedelta(days=3)  # a stage of three days ago is no news
CONTACT_WAIT = timedelta(seconds=10)
_NOT_REACHED_REST = 15.0

_BEGUN = ("params", "mobile_hash", "provider")
Spread = Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]]


@dataclass(frozen=True)
class Ready:
    """A message with all that is needed to send it."""

    row: store.AnyRow
    params: dict[str, Any]
    mobile: str
    mobile_hash: str
    text: str
    lookup: Lookup | None
    tokens: dict[str, str]
    provider: str | None


@dataclass(frozen=True)
class Reached:
    """A message, what is known of its case, and who it is for."""

    row: store.AnyRow
    case: store.AnyRow | None
    mobile: str
    mobile_hash: str
    code: str | None
    language: str
    otp: str | None


class Sender:
    """One per process. `providers` in the order in which they are tried."""

    def __init__(
        self,
        settings: Settings,
        providers: Sequence[Provider],
        clock: Clock = now,
        words: Table | None = None,
    ) -> None:
        self._settings = settings
        self._providers = {provider.name: provider for provider in providers}
        self._clock = clock
        self._table = words or table()
        self._private_keys = secrets(settings.notify_private_keys)
        self._mobile_key = secret(settings.mobile_index_key)
        self._circuit = Circuit()

    def send_due(self, database: Database, spread: Spread = map, limit: int = 8) -> int:
        """Sends up to `limit` messages, side by side where `spread` can; how many were taken. None while all providers rest:
        what is not tried stays as it is, and goes as soon as one is well again."""
        if self._providers and all(map(self._circuit.resting, self._providers)):
            return 0
        lease, moment = uuid4(), self._clock()
        with database.transaction() as connection:
            rows = store.claim(
                connection,
                now=moment,
                lease=lease,
                seconds=self._settings.notify_lease,
                hold=self._settings.notify_hold,
                limit=limit,
            )
            ready = self._prepare(connection, rows, lease)
        for _ in spread(lambda one: self._send(database, one, lease), ready):
            pass
        return len(rows)

    # --- before sending ---

    def _prepare(self, connection: Connection, rows: Sequence[store.AnyRow], lease: UUID) -> list[Ready]:
        """Those of these messages that are ready to go, noted as begun; the others are settled: skipped, or put off."""
        if not rows:
            return []
        ids = [row.case_id for row in rows if row.case_id]
        contacts, cases = store.contacts_of(connection, ids), store.cases_of(connection, ids)
        reached = [
            one
            for row in rows
            if (one := self._reach(connection, row, lease, contacts.get(row.case_id), cases.get(row.case_id)))
        ]
        unwilling = store.is_opted_out(connection, [one.mobile_hash for one in reached])
        words = use_cases.current(connection, self._table)
        ready = [self._worded(one, words) for one in reached if self._may_go(connection, one, lease, unwilling)]
        begun = [{"id": one.row.id, **{name: getattr(one, name) for name in _BEGUN}} for one in ready]
        store.begin_attempts(connection, begun, self._clock())
        return ready

    def _reach(
        self,
        connection: Connection,
        row: store.AnyRow,
        lease: UUID,
        contact: store.AnyRow | None,
        case: store.AnyRow | None,
    ) -> Reached | None:
        """Who is to be told, or None when the message is settled."""
        moment = self._clock()
        if row.expires_at is not None and row.expires_at <= moment:
            self._skip(connection, row, lease, SkipReason.EXPIRED)
            return None
        if row.stages and case is not None and case.stage not in row.stages:
            self._skip(connection, row, lease, SkipReason.SUPERSEDED)
            return None
        if row.audience == "citizen" and contact is None:
            if row.created_at <= moment - TOO_OLD:
                self._skip(connection, row, lease, SkipReason.NO_MOBILE)
                return None
            self._put_off(connection, row, lease, moment + CONTACT_WAIT)
            return None
        try:
            opened = self._open(row, contact)
        except ValueError as error:  # CannotOpen, or not what the box should hold: no try will be better
            log.error("a sealed box could not be opened", message_id=str(row.id), error=logs.describe(error))
            self._end(connection, row, lease, MessageState.FAILED, "sealed_to_another_key")
            return None
        if opened is None:
            self._skip(connection, row, lease, SkipReason.NO_MOBILE)
            return None
        mobile, code, language, otp = opened
        return Reached(row, case, mobile, sealing.keyed_hash(mobile, self._mobile_key), code, language, otp)

    def _may_go(self, connection: Connection, one: Reached, lease: UUID, unwilling: Collection[str]) -> bool:
        """Whether the message may be sent now; else it is settled."""
        row, moment = one.row, self._clock()
        if row.audience == "citizen" and one.mobile_hash in unwilling:
            self._skip(connection, row, lease, SkipReason.OPTED_OUT)
            return False
        if not row.urgent and row.tried_first_at is None:
            allowed = self._settings.notify_quiet_hours.next_allowed(moment)
            if allowed > moment:
                self._put_off(connection, row, lease, allowed)
                return False
        return True

    def _worded(self, one: Reached, words: Table) -> Ready:
        row = one.row
        params = dict(row.params)
        if row.waits_for_case and one.case is not None and one.case.promised_on is not None:
            params["date"] = one.case.promised_on.isoformat()
        filled = values.values(params, one.language, words, code=one.code)
        if one.otp is not None:
            filled["otp"] = one.otp
        text = words.render(row.channel, row.template, one.language, filled)
        lookup = values.lookup_of(words, row.channel, row.template, one.language, filled)
        tokens = {token: filled[name] for token, name in lookup.tokens.items()} if lookup else {}
        awake = (name for name in self._providers if self._circuit.resting(name) is None)
        first = row.provider or next(awake, None)
        return Ready(row, params, one.mobile, one.mobile_hash, text, lookup, tokens, first)

    def _open(self, row: store.AnyRow, contact: store.AnyRow | None) -> tuple[str, str | None, str, str | None] | None:
        """(mobile, tracking code, language, one-time code); None when there is no mobile."""
        if row.audience == "handset":
            if row.event == "otp.requested.v1":
                otp = sealing.unseal(row.sealed, SealedOtp, self._private_keys)
                return otp.mobile, None, otp.language, otp.code
            texted = sealing.unseal(row.sealed, Contact, self._private_keys)
            return (texted.mobile, None, row.language or Language.FA, None) if texted.mobile else None
        if contact is None or contact.sealed_contact is None:
            return None
        opened = sealing.unseal(contact.sealed_contact, Contact, self._private_keys)
        return (opened.mobile, opened.code, opened.language, None) if opened.mobile else None

    def _skip(self, connection: Connection, row: store.AnyRow, lease: UUID, reason: SkipReason) -> None:
        self._end(connection, row, lease, MessageState.SKIPPED, reason)

    def _put_off(self, connection: Connection, row: store.AnyRow, lease: UUID, until: datetime) -> None:
        later = {"state": MessageState.DUE, "next_attempt_at": until, "attempts": row.attempts - 1}
        store.settle(connection, row.id, lease, later)

    # --- sending ---

    def _send(self, database: Database, one: Ready, lease: UUID) -> None:
        try:
            name, accepted = self._ask_providers(database, one, lease)
        except ProviderError as error:
            with database.transaction() as connection:
                self._refused(connection, one, lease, error)
            return
        # As a rule it is one statement, which needs no transaction around it.
        whole = database.transaction() if accepted.status in FINAL else database.read()
        with whole as connection:
            self._accepted(connection, one, lease, name, accepted)

    def _ask_providers(self, database: Database, one: Ready, lease: UUID) -> tuple[str, Accepted]:
        """The provider that took it. Raises the error that decides what becomes of it."""
        # Once a provider may have it, no other is asked: only that one knows its localid.
        pinned = one.row.provider
        names = [pinned] if pinned in self._providers else list(self._providers)
        refusal: ProviderError = Retry("no_provider")
        noted, heard = one.provider, False
        for name in names:
            resting = self._circuit.resting(name)
            if resting is not None:
                refusal = _sooner(refusal, Retry(resting))
                continue
            if name != noted:
                with database.transaction() as connection:
                    if not store.hand_over(connection, one.row.id, lease, name):
                        raise Retry("lease_lost")
                noted = name
            try:
                accepted = self._ask(self._providers[name], one)
            except NextProvider as error:
                ASKED.labels(name, error.reason).inc()
                log.warning("a provider refused", provider=name, reason=error.reason, rest=error.rest)
                self._circuit.rest(name, error.rest, error.reason)
                heard = True
                refusal = _sooner(refusal, Retry(error.reason) if error.rest else GiveUp(error.reason))
            except Retry as error:
                ASKED.labels(name, error.reason).inc()
                if error.ambiguous:
                    raise _Ambiguous(name, error) from None
                if error.reason == "not_reached":
                    self._circuit.rest(name, _NOT_REACHED_REST, error.reason)
                else:
                    heard = True
                refusal = _sooner(refusal, error)
            else:
                ASKED.labels(name, "accepted").inc()
                return name, accepted
        if names and not heard:
            raise _Untried(refusal.reason, min(map(self._circuit.left, names)))
        raise refusal

    def _ask(self, provider: Provider, one: Ready) -> Accepted:
        if one.lookup is not None:
            try:
                return provider.lookup(one.lookup.template, one.tokens, one.mobile)
            except NextProvider as error:
                if error.reason not in ("template_unknown", "service_level"):
                    raise
                log.warning("an approved text is missing at the provider", template=one.lookup.template)
        return provider.send(one.text, one.mobile, local_id(one.row.id, provider.name))

    # --- after sending ---

    def _accepted(self, connection: Connection, one: Ready, lease: UUID, provider: str, accepted: Accepted) -> None:
        moment = self._clock()
        values = {
            "state": MessageState.SENT,
            "reason": None,
            "provider": provider,
            "provider_message_id": accepted.message_id,
            "sent_at": moment,
            "next_look_at": moment + poll_wait(0),
            "sealed": None,
        }
        if store.settle(connection, one.row.id, lease, values) and accepted.status in FINAL:
            apply_status(connection, one.row, accepted.status, moment, one.mobile_hash)

    def _refused(self, connection: Connection, one: Ready, lease: UUID, error: ProviderError) -> None:
        moment = self._clock()
        tried_first = one.row.tried_first_at or moment
        ambiguous = isinstance(error, _Ambiguous) or one.row.provider is not None
        too_late = moment - tried_first > GIVE_UP_AFTER if ambiguous else moment - one.row.created_at > TOO_OLD
        if isinstance(error, GiveUp) or too_late:
            self._end(connection, one.row, lease, MessageState.FAILED, error.reason)
            return
        values = {
            "state": MessageState.DUE,
            "reason": error.reason,
            "next_attempt_at": moment + retry_wait(one.row.attempts),
            "provider": error.provider if isinstance(error, _Ambiguous) else one.row.provider,
        }
        if isinstance(error, _Untried):
            again = moment + timedelta(seconds=error.seconds)
            values |= {"attempts": one.row.attempts - 1, "next_attempt_at": again}
        store.settle(connection, one.row.id, lease, values)

    def _end(self, connection: Connection, row: store.AnyRow, lease: UUID, state: MessageState, reason: str) -> None:
        if store.settle(connection, row.id, lease, {"state": state, "reason": reason, "sealed": None}):
            outbox.add(connection, ended(row, state, reason, self._clock()))

    # --- following ---

    def look_after_sent(self, database: Database, limit: int = 500) -> int:
        """Asks providers what became of messages whose callback has not come; how many were asked for."""
        moment = self._clock()
        with database.transaction() as connection:
            rows = store.claim_looks(connection, now=moment, limit=limit)
            store.set_next_look(connection, [(row.id, _next_look(row, moment)) for row in rows])
        for name, provider in self._providers.items():
            ids = [row.provider_message_id for row in rows if row.provider == name]
            for start in range(0, len(ids), provider.status_batch):
                self._look(database, provider, ids[start : start + provider.status_batch])
        return len(rows)

    def _look(self, database: Database, provider: Provider, ids: Sequence[str]) -> None:
        try:
            statuses = provider.statuses(ids)
        except ProviderError as error:
            log.warning("statuses could not be asked", provider=provider.name, reason=error.reason)
            return
        final = [message_id for message_id, status in statuses.items() if status in FINAL]
        with database.transaction() as connection:
            for row in store.at_provider(connection, provider.name, final):
                apply_status(connection, row, statuses[row.provider_message_id], self._clock(), row.mobile_hash)


class _Ambiguous(Retry):
    """`provider` may have taken the message, and nobody else may be asked for it now."""

    def __init__(self, provider: str, error: Retry) -> None:
        super().__init__(error.reason, ambiguous=True)
        self.provider = provider


class _Untried(Retry):
    """No provider heard of it: they rest, or were not reached. One rests for `seconds` more. That is no attempt, after which
    the next would wait longer: a provider that was away for two minutes must not cost a message a quarter of an hour."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


def _sooner(one: ProviderError, other: ProviderError) -> ProviderError:
    """Which refusal decides: as long as one provider may take it later, it is tried again."""
    if isinstance(one, GiveUp) and isinstance(other, Retry):
        return other
    if isinstance(other, GiveUp) and isinstance(one, Retry) and one.reason != "no_provider":
        return one
    return other


def _next_look(row: store.AnyRow, moment: datetime) -> datetime | None:
    later = moment + poll_wait(row.looks + 1)
    return later if later < row.sent_at + POLL_WINDOW else None


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
    """What the provider last said of a sent message. The first final word stands; a step on the way changes nothing."""
    if status not in FINAL or row.state not in (MessageState.SENT, MessageState.SENDING):
        return
    state = _STATES[status]
    reason = None if state == MessageState.DELIVERED else str(status)
    values: dict[str, Any] = {"state": state, "reason": reason, "next_look_at": None}
    if state == MessageState.DELIVERED:
        values["delivered_at"] = moment
    store.set_delivery(connection, row.id, values)
    outbox.add(connection, ended(row, state, reason, moment))
    if status is DeliveryStatus.BLOCKED and mobile_hash is not None:
        store.opt_out(connection, mobile_hash, moment, "provider")
