"""Prepares claimed messages for sending: opens their sealed boxes, fills in their texts, skips or defers those not to be sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from backbone import sealing
from backbone.messaging import outbox
from backbone.process import logs
from backbone.process.settings import secret, secrets
from contracts.accounts import SealedOtp
from contracts.gateway import Contact
from contracts.notify import MessageState
from contracts.preferences import PreferredChannel
from contracts.vocabulary import Language
from services.notify.clock import Clock
from services.notify.delivery import store
from services.notify.delivery.outcome import outcome_event
from services.notify.delivery.rules import TOO_OLD, SkipReason
from services.notify.delivery.sealed_answers import HandsetAnswer
from services.notify.notifications import store as notifications
from services.notify.notifications.of_codes import CodeRequested
from services.notify.notifications.rules import BRINGING_A_CODE, OWED
from services.notify.preferences import store as preferences
from services.notify.preferences.store import AS_THE_OFFICE_SENDS, Choice
from services.notify.push import store as push
from services.notify.settings import Settings
from services.notify.wording.rules import Value
from services.notify.wording.store import with_changes
from services.notify.wording.templates import ApprovedTemplate, Templates

log = logs.get("delivery")

_CONTACT_WAIT = timedelta(seconds=10)
_PUSH_WAIT = timedelta(minutes=10)  # as it settles, the push wakes its SMS; this is for one that nobody settles
_ATTEMPT = ("params", "mobile_hash", "provider")


@dataclass(frozen=True)
class PreparedMessage:
    """A message with all that is needed to send it. `provider`: the account that is called first."""

    row: store.AnyRow
    params: dict[str, Any]
    mobile: str
    mobile_hash: str
    text: str
    approved: ApprovedTemplate | None
    tokens: dict[str, str]
    provider: str | None


@dataclass(frozen=True)
class _Addressed:
    """A message, the state of its case, and who receives it."""

    row: store.AnyRow
    case: store.AnyRow | None
    mobile: str
    mobile_hash: str
    code: str | None
    language: str
    otp: str | None
    codes: Sequence[str]
    choice: Choice


@dataclass(frozen=True)
class _Opened:
    """What a sealed box held."""

    mobile: str
    code: str | None
    language: str
    otp: str | None
    codes: Sequence[str] = ()


class MessagePreparation:
    """`next_account`: the account that would be called first now."""

    def __init__(
        self,
        settings: Settings,
        templates: Templates,
        values: Mapping[str, Value],
        next_account: Callable[[], str | None],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._templates = templates
        self._values = values
        self._next_account = next_account
        self._clock = clock
        self._private_keys = secrets(settings.notify_private_keys)
        self._mobile_key = secret(settings.mobile_index_key)

    def prepare(self, connection: Connection, rows: Sequence[store.AnyRow], lease: UUID) -> list[PreparedMessage]:
        """Those of these messages that are sent now, their attempt recorded; the others are settled: skipped, or deferred."""
        if not rows:
            return []
        ids = [row.case_id for row in rows if row.case_id]
        contacts, cases = notifications.contacts_of(connection, ids), notifications.cases_of(connection, ids)
        choices = preferences.of_cases(connection, contacts)
        addressed = [
            replace(message, choice=choices.get(row.case_id, message.choice)) if row.audience == "citizen" else message
            for row in rows
            if (message := self._address(connection, row, lease, contacts.get(row.case_id), cases.get(row.case_id)))
        ]
        opted_out = store.opted_out(connection, [message.mobile_hash for message in addressed])
        waiting = [message.row.id for message in addressed if message.choice.channel is PreferredChannel.PUSH]
        pushed = push.states_of_sms(connection, waiting)
        templates = with_changes(connection, self._templates)
        prepared = [
            self._write(message, templates)
            for message in addressed
            if self._is_wanted(connection, message, lease, opted_out, pushed)
            and self._is_sent_now(connection, message, lease)
        ]
        attempts = [
            {"id": message.row.id, **{name: getattr(message, name) for name in _ATTEMPT}} for message in prepared
        ]
        store.begin_attempts(connection, attempts, self._clock())
        return prepared

    def _address(
        self,
        connection: Connection,
        row: store.AnyRow,
        lease: UUID,
        contact: store.AnyRow | None,
        case: store.AnyRow | None,
    ) -> _Addressed | None:
        """Who receives the message, or None when it is settled."""
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
            self._defer(connection, row, lease, moment + _CONTACT_WAIT)
            return None
        try:
            opened = self._open(row, contact)
        except ValueError as error:  # CannotOpen, or not what the box should hold: no later attempt will do better
            log.error("a sealed box could not be opened", message_id=str(row.id), error=logs.describe(error))
            end_message(connection, row, lease, MessageState.FAILED, "sealed_to_another_key", self._clock())
            return None
        if opened is None:
            self._skip(connection, row, lease, SkipReason.NO_MOBILE)
            return None
        mobile_hash = sealing.keyed_hash(opened.mobile, self._mobile_key)
        return _Addressed(
            row,
            case,
            opened.mobile,
            mobile_hash,
            opened.code,
            opened.language,
            opened.otp,
            opened.codes,
            AS_THE_OFFICE_SENDS,
        )

    def _is_wanted(
        self,
        connection: Connection,
        message: _Addressed,
        lease: UUID,
        opted_out: Collection[str],
        pushed: Mapping[UUID, Collection[str]],
    ) -> bool:
        """Whether the citizen is told by SMS; else the message is settled, or waits for what becomes of its push."""
        row, channel = message.row, message.choice.channel
        # Whoever holds a code may name any mobile: its owner's wish counts, where they are answered nothing they sent themselves.
        if row.audience != "citizen" and row.event != CodeRequested.name:
            return True
        if message.mobile_hash in opted_out:
            self._skip(connection, row, lease, SkipReason.OPTED_OUT)
            return False
        if row.audience != "citizen" or row.tried_first_at is not None:  # asked for, or a provider may have it already
            return True
        if channel is PreferredChannel.NONE and row.template not in OWED:
            self._skip(connection, row, lease, SkipReason.NOT_WANTED)
            return False
        if channel is not PreferredChannel.PUSH or row.template in BRINGING_A_CODE:
            return True
        states = pushed.get(row.id, ())
        if MessageState.SENT in states:
            self._skip(connection, row, lease, SkipReason.PUSHED)
        elif any(state in states for state in push.OPEN):
            later = self._clock() + _PUSH_WAIT
            quiet = message.choice.quiet or self._settings.notify_quiet_hours
            self._defer(connection, row, lease, later if row.urgent else quiet.next_allowed(later))
        elif row.template not in OWED:
            self._skip(connection, row, lease, SkipReason.NOT_PUSHED)
        else:
            return True
        return False

    def _is_sent_now(self, connection: Connection, message: _Addressed, lease: UUID) -> bool:
        """Whether handsets may ring; else the message waits."""
        row, moment = message.row, self._clock()
        if not row.urgent and row.tried_first_at is None:
            quiet = message.choice.quiet or self._settings.notify_quiet_hours
            allowed = quiet.next_allowed(moment)
            if allowed > moment:
                self._defer(connection, row, lease, allowed)
                return False
        return True

    def _write(self, message: _Addressed, templates: Templates) -> PreparedMessage:
        row = message.row
        params = dict(row.params)
        if row.waits_for_case and message.case is not None and message.case.promised_on is not None:
            params["date"] = message.case.promised_on.isoformat()
        # For the text alone, never stored.
        secrets_ = {"code": message.code, "otp": message.otp, "codes": " ".join(message.codes) or None}
        filled_in = params | {name: value for name, value in secrets_.items() if value is not None}
        language = message.choice.language or message.language
        values = templates.write(filled_in, language, self._values)
        text = templates.render(row.channel, row.template, language, values)
        approved = templates.find(row.channel, row.template, language, values).approved
        tokens = {token: values[name] for token, name in approved.tokens.items()} if approved else {}
        account = row.provider or self._next_account()
        return PreparedMessage(row, params, message.mobile, message.mobile_hash, text, approved, tokens, account)

    def _open(self, row: store.AnyRow, contact: store.AnyRow | None) -> _Opened | None:
        """What the message's sealed box holds; None when there is no mobile."""
        if row.audience == "handset":
            if row.event == "otp.requested.v1":
                otp = sealing.unseal(row.sealed, SealedOtp, self._private_keys)
                return _Opened(otp.mobile, None, otp.language, otp.code)
            handset = sealing.unseal(row.sealed, HandsetAnswer, self._private_keys)
            language = row.language or Language.FA
            return _Opened(handset.mobile, handset.code, language, None, handset.codes) if handset.mobile else None
        if contact is None or contact.sealed_contact is None:
            return None
        citizen = sealing.unseal(contact.sealed_contact, Contact, self._private_keys)
        return _Opened(citizen.mobile, citizen.code, citizen.language, None) if citizen.mobile else None

    def _skip(self, connection: Connection, row: store.AnyRow, lease: UUID, reason: SkipReason) -> None:
        end_message(connection, row, lease, MessageState.SKIPPED, reason, self._clock())

    def _defer(self, connection: Connection, row: store.AnyRow, lease: UUID, until: datetime) -> None:
        later = {"state": MessageState.DUE, "next_attempt_at": until, "attempts": row.attempts - 1}
        store.settle(connection, row.id, lease, later)


def end_message(
    connection: Connection, row: store.AnyRow, lease: UUID, state: MessageState, reason: str, moment: datetime
) -> None:
    """Ends a leased message that is not sent, and publishes it."""
    if store.settle(connection, row.id, lease, {"state": state, "reason": reason, "sealed": None}):
        outbox.add(connection, outcome_event(row, state, reason, moment))
