"""Answers inbound texts: a tracking code with the stage, 1 and 2 after a decision, opting out and in, help."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.messaging import outbox
from backbone.persian import jalali
from backbone.process import logs
from backbone.process.settings import secret, secrets
from contracts import identifiers, tracking_codes
from contracts.gateway import Contact
from contracts.notify import CitizenReplied, Reply
from contracts.vocabulary import Language, Outcome, Stage
from services.notify.clock import Clock
from services.notify.delivery import store as delivery
from services.notify.inbound import store
from services.notify.inbound.events import CodeReceived, InboundEvent, ReplyReceived, TextNotUnderstood
from services.notify.inbound.rules import (
    NotUnderstood,
    OptIn,
    OptOut,
    TrackingCodeSent,
    meaning_of,
    substitute_id,
)
from services.notify.notifications import store as notifications
from services.notify.notifications.composer import MessageComposer, save_drafts
from services.notify.providers.protocol import InboundText
from services.notify.settings import Settings

log = logs.get("inbound")

HELP_INTERVAL = timedelta(hours=1)
MAX_ANSWERS = 20  # an hour and handset: two machines must not answer each other for ever
MAX_TEXT = 4_000
MAX_PROVIDER_ID = 100


@dataclass(frozen=True)
class _Exchange:
    """One inbound text and the handset that is answered. `id`: the provider and its id of the text."""

    id: str
    mobile: str
    mobile_hash: str
    received_at: datetime


class InboundTexts:
    def __init__(self, settings: Settings, composer: MessageComposer, clock: Clock) -> None:
        self._composer = composer
        self._clock = clock
        self._public_key = sealing.public_key(secrets(settings.notify_private_keys)[0])
        self._mac_keys = secrets(settings.code_mac_keys)
        self._index_keys = secrets(settings.code_index_keys)
        self._mobile_key = secret(settings.mobile_index_key)

    def receive(self, connection: Connection, provider: str, inbound: InboundText, received_at: datetime) -> None:
        """Answers a text; one that the provider pushes twice counts once."""
        mobile, text = identifiers.mobile(inbound.sender), inbound.text[:MAX_TEXT]
        if mobile is None:
            return  # a short code, a name, or a foreign number: it cannot be answered
        meaning = meaning_of(text, tracking_codes.candidates(text))
        mobile_hash = sealing.keyed_hash(mobile, self._mobile_key)
        provider_id = (inbound.message_id or substitute_id(mobile, text, received_at))[:MAX_PROVIDER_ID]
        record = {
            "provider": provider,
            "provider_message_id": provider_id,
            "mobile_hash": mobile_hash,
            "meaning": meaning if isinstance(meaning, Reply) else type(meaning).__name__,
            "received_at": received_at,
        }
        if not store.add_inbound_text(connection, record):
            return
        if store.count_answers(connection, mobile_hash, self._clock() - timedelta(hours=1)) >= MAX_ANSWERS:
            log.warning("a handset gets no more answers for now")
            return
        exchange = _Exchange(f"{provider}:{provider_id}", mobile, mobile_hash, received_at)
        if isinstance(meaning, TrackingCodeSent):
            self._answer_code(connection, exchange, text)
        elif isinstance(meaning, Reply):
            self._answer_reply(connection, exchange, meaning)
        elif isinstance(meaning, OptOut):
            delivery.opt_out(connection, mobile_hash, self._clock(), "citizen")
        elif isinstance(meaning, OptIn):
            delivery.opt_in(connection, mobile_hash)
        elif isinstance(meaning, NotUnderstood):
            self._answer_not_understood(connection, exchange)

    def _answer_code(self, connection: Connection, exchange: _Exchange, text: str) -> None:
        code = tracking_codes.parse(text, self._mac_keys)
        if code is None:
            if self._may_send_help(connection, exchange):
                language = store.language_of(connection, exchange.mobile_hash)
                self._send(connection, self._code_received(exchange, language, "bad_code"))
            return
        contact = store.contact_by_code(connection, tracking_codes.hashes(code, self._index_keys))
        if contact is None:
            language = store.language_of(connection, exchange.mobile_hash)
            self._send(connection, self._code_received(exchange, language, "registering"))
            return
        case = notifications.cases_of(connection, [contact.case_id]).get(contact.case_id)
        if case is not None and case.outcome is not None and case.stage in (Stage.DECIDED, Stage.CLOSED):
            event = self._code_received(exchange, contact.language, "decided", outcome=Outcome(case.outcome))
        else:
            stage = Stage(case.stage) if case is not None else Stage.REGISTERED
            expected_on = case.expected_on if case is not None else None
            event = self._code_received(exchange, contact.language, "known", stage=stage, expected_on=expected_on)
        self._send(connection, event)

    def _answer_reply(self, connection: Connection, exchange: _Exchange, reply: Reply) -> None:
        """1 or 2 answers the last question sent to this mobile; the same answer again changes nothing."""
        question = store.last_question(connection, exchange.mobile_hash)
        if question is None or question.case_id is None:
            self._answer_not_understood(connection, exchange)
            return
        if question.reply == reply:
            return
        today = jalali.today(self._clock())
        late = reply is Reply.OBJECT and question.reply_until is not None and today > question.reply_until
        if not late:
            store.set_reply(connection, question.id, reply)
            outbox.add(
                connection,
                CitizenReplied(id=uuid4(), occurred_at=self._clock(), case_id=question.case_id, reply=reply),
            )
        result: Literal["satisfied", "object", "object_late"] = "satisfied"
        if reply is Reply.OBJECT:
            result = "object_late" if late else "object"
        language = store.language_of(connection, exchange.mobile_hash)
        contact, chosen = self._contact(exchange, language)
        self._send(
            connection,
            ReplyReceived(exchange.id, exchange.received_at, contact, exchange.mobile_hash, chosen, result),
        )

    def _answer_not_understood(self, connection: Connection, exchange: _Exchange) -> None:
        if self._may_send_help(connection, exchange):
            contact, language = self._contact(exchange, store.language_of(connection, exchange.mobile_hash))
            self._send(
                connection,
                TextNotUnderstood(exchange.id, exchange.received_at, contact, exchange.mobile_hash, language),
            )

    def _may_send_help(self, connection: Connection, exchange: _Exchange) -> bool:
        """At most once an hour for a mobile (DOMAIN: Notification)."""
        return store.may_send_help(connection, exchange.mobile_hash, self._clock(), HELP_INTERVAL)

    def _code_received(
        self,
        exchange: _Exchange,
        language: str | None,
        result: Literal["known", "decided", "registering", "bad_code"],
        *,
        stage: Stage | None = None,
        outcome: Outcome | None = None,
        expected_on: date | None = None,
    ) -> CodeReceived:
        contact, chosen = self._contact(exchange, language)
        return CodeReceived(
            exchange.id,
            exchange.received_at,
            contact,
            exchange.mobile_hash,
            chosen,
            result,
            stage,
            outcome,
            expected_on,
        )

    def _contact(self, exchange: _Exchange, language: str | None) -> tuple[str, Language]:
        """The handset, sealed, and the language in which it is answered."""
        chosen = Language(language or Language.FA)
        return sealing.seal(Contact(mobile=exchange.mobile, language=chosen), self._public_key), chosen

    def _send(self, connection: Connection, event: InboundEvent) -> None:
        save_drafts(connection, self._composer.compose(event), self._clock())
