"""Answers inbound texts: a tracking code with the stage, answers to a decision, opting out and in, help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.messaging import outbox
from backbone.persian import jalali
from backbone.process import logs
from backbone.process.settings import secret, secrets
from contracts import identifiers, tracking_codes
from contracts.notify import CitizenReplied, Reply
from contracts.vocabulary import Language, Outcome, Stage
from services.notify.clock import Clock
from services.notify.delivery import store as delivery
from services.notify.delivery.contact_codes import code_of
from services.notify.delivery.sealed_answers import HandsetAnswer
from services.notify.inbound import store
from services.notify.inbound.decisions import Decision, choose, waiting
from services.notify.inbound.events import CodeReceived, InboundEvent, ReplyReceived, ReplyResult, TextNotUnderstood
from services.notify.inbound.meanings import (
    Meaning,
    NotUnderstood,
    OptIn,
    OptOut,
    ReplySent,
    TrackingCodeSent,
    UnclearReply,
    meanings_of,
    substitute_id,
)
from services.notify.notifications import store as notifications
from services.notify.notifications.composer import MessageComposer, save_drafts
from services.notify.providers.protocol import InboundText
from services.notify.settings import Settings
from services.notify.wording.values import MOST_ENDINGS

log = logs.get("inbound")

HELP_INTERVAL = timedelta(hours=1)
MAX_ANSWERS = 20  # an hour and handset: two machines must not answer each other for ever
MAX_TEXT = 4_000
MAX_PROVIDER_ID = 100
_LATE: dict[Reply, ReplyResult] = {
    Reply.SATISFIED: "rating_late",
    Reply.OBJECT: "object_late",
    Reply.RESUME: "no_effect",
}


@dataclass(frozen=True)
class _Exchange:
    """What one inbound text asks for, and the handset that is answered. `id`: the provider and its id of the text, with the place
    of what is answered where the text asks for several things."""

    id: str
    mobile: str
    mobile_hash: str
    received_at: datetime
    language: str | None


class InboundTexts:
    def __init__(self, settings: Settings, composer: MessageComposer, clock: Clock) -> None:
        self._composer = composer
        self._clock = clock
        self._private_keys = secrets(settings.notify_private_keys)
        self._public_key = sealing.public_key(self._private_keys[0])
        self._mac_keys = secrets(settings.code_mac_keys)
        self._index_keys = secrets(settings.code_index_keys)
        self._mobile_key = secret(settings.mobile_index_key)

    def receive(self, connection: Connection, provider: str, inbound: InboundText, received_at: datetime) -> None:
        """Answers a text; one that the provider pushes twice counts once."""
        mobile, text = identifiers.mobile(inbound.sender), inbound.text[:MAX_TEXT]
        if mobile is None:
            return  # a short code, a name, or a foreign number: it cannot be answered
        candidates = tracking_codes.candidates(text)
        codes = [code for code in candidates if tracking_codes.is_ours(code, self._mac_keys)]
        meanings = meanings_of(text, candidates, codes)
        mobile_hash = sealing.keyed_hash(mobile, self._mobile_key)
        provider_id = (inbound.message_id or substitute_id(mobile, text, received_at))[:MAX_PROVIDER_ID]
        record = {
            "provider": provider,
            "provider_message_id": provider_id,
            "mobile_hash": mobile_hash,
            "meaning": _name(meanings[0]),
            "received_at": received_at,
        }
        if not store.add_inbound_text(connection, record):
            return
        if store.count_answers(connection, mobile_hash, self._clock() - timedelta(hours=1)) >= MAX_ANSWERS:
            log.warning("a handset gets no more answers for now")
            return
        language = store.language_of(connection, mobile_hash)
        for place, meaning in enumerate(meanings):
            key = f"{provider}:{provider_id}" + (f":{place}" if place else "")
            exchange = _Exchange(key, mobile, mobile_hash, received_at, language)
            self._answer(connection, exchange, meaning)

    def _answer(self, connection: Connection, exchange: _Exchange, meaning: Meaning) -> None:
        if isinstance(meaning, TrackingCodeSent):
            self._answer_codes(connection, exchange, meaning.codes)
        elif isinstance(meaning, ReplySent):
            self._answer_reply(connection, exchange, meaning)
        elif isinstance(meaning, UnclearReply):
            self._ask_what_is_meant(connection, exchange)
        elif isinstance(meaning, OptOut):
            delivery.opt_out(connection, exchange.mobile_hash, self._clock(), "citizen")
        elif isinstance(meaning, OptIn):
            delivery.opt_in(connection, exchange.mobile_hash)
        elif isinstance(meaning, NotUnderstood):
            self._answer_not_understood(connection, exchange)

    # --- tracking codes ---

    def _answer_codes(self, connection: Connection, exchange: _Exchange, codes: Sequence[str]) -> None:
        """The stage of each case; of a code that is none, that it is not right."""
        if not codes and self._may_send_help(connection, exchange):
            self._send(connection, self._code_received(exchange, "bad_code", None, None))
        for place, code in enumerate(codes):
            of_code = replace(exchange, id=f"{exchange.id}:{place}") if place else exchange
            self._answer_code(connection, of_code, code)

    def _answer_code(self, connection: Connection, exchange: _Exchange, code: str) -> None:
        contact = store.contact_by_code(connection, tracking_codes.hashes(code, self._index_keys))
        if contact is None:
            self._send(connection, self._code_received(exchange, "registering", code, None))
            return
        case = notifications.cases_of(connection, [contact.case_id]).get(contact.case_id)
        if case is not None and case.outcome is not None and case.stage in (Stage.DECIDED, Stage.CLOSED):
            outcome = Outcome(case.outcome)
            event = self._code_received(exchange, "decided", code, contact.language, outcome=outcome)
        else:
            stage = Stage(case.stage) if case is not None else Stage.REGISTERED
            expected_on = case.expected_on if case is not None else None
            event = self._code_received(exchange, "known", code, contact.language, stage=stage, expected_on=expected_on)
        self._send(connection, event)

    def _code_received(
        self,
        exchange: _Exchange,
        result: Literal["known", "decided", "registering", "bad_code"],
        code: str | None,
        language: str | None,
        *,
        stage: Stage | None = None,
        outcome: Outcome | None = None,
        expected_on: date | None = None,
    ) -> CodeReceived:
        sealed, chosen = self._sealed(exchange, code, language=language)
        about = (exchange.id, exchange.received_at, sealed, exchange.mobile_hash, chosen)
        return CodeReceived(*about, result, stage, outcome, expected_on)

    # --- answers to decisions ---

    def _answer_reply(self, connection: Connection, exchange: _Exchange, answer: ReplySent) -> None:
        """An answer goes to tracking, which says whether it takes effect; only then it is confirmed (settled_replies.py)."""
        today = jalali.today(self._clock())
        decisions = self._decisions(connection, exchange)
        if answer.code is not None:
            decision = self._decision_of_code(connection, answer.code, decisions)
            if decision is None:
                self._send(connection, self._code_received(exchange, "registering", answer.code, None))
                return
        elif not decisions:
            if answer.ending is not None and not answer.in_sentence:
                self._send_result(connection, exchange, "no_decision")
            else:
                self._answer_not_understood(connection, exchange)
            return
        else:
            choice = choose(answer, decisions, today)
            if choice.decision is None:
                self._send_result(connection, exchange, choice.result or "which", choice.among)
                return
            decision = choice.decision
        if decision.reply == answer.reply:
            self._send_result(connection, exchange, "known", [decision])
        elif decision.is_late(answer.reply, today):
            self._send_result(connection, exchange, _LATE[answer.reply], [decision])
        else:
            self._hand_on(connection, exchange, decision, answer.reply)

    def _hand_on(self, connection: Connection, exchange: _Exchange, decision: Decision, reply: Reply) -> None:
        reply_id = uuid4()
        sealed, language = self._sealed(exchange, decision.code)
        store.add_open_reply(
            connection,
            {
                "reply_id": reply_id,
                "event_id": exchange.id,
                "case_id": decision.case_id,
                "mobile_hash": exchange.mobile_hash,
                "sealed": sealed,
                "language": language,
                "received_at": exchange.received_at,
            },
        )
        if decision.message_id is not None:
            store.set_reply(connection, decision.message_id, reply)
        event = CitizenReplied(id=reply_id, occurred_at=self._clock(), case_id=decision.case_id, reply=reply)
        outbox.add(connection, event)

    def _ask_what_is_meant(self, connection: Connection, exchange: _Exchange) -> None:
        decisions = self._decisions(connection, exchange)
        open_ones = waiting(decisions, None, jalali.today(self._clock()))
        if not open_ones:
            self._answer_not_understood(connection, exchange)
        else:
            self._send_result(connection, exchange, "which" if len(open_ones) > 1 else "unclear", open_ones)

    def _decisions(self, connection: Connection, exchange: _Exchange) -> list[Decision]:
        """What this handset was asked about, the last one first."""
        questions = store.questions(connection, exchange.mobile_hash)
        ids = [question.case_id for question in questions]
        contacts, cases = notifications.contacts_of(connection, ids), notifications.cases_of(connection, ids)
        decisions = []
        for question in questions:
            code = code_of(contacts.get(question.case_id), self._private_keys)
            if code is not None:
                case = cases.get(question.case_id)
                about = (question.case_id, code, question.id, question.reply)
                decisions.append(_decision(*about, case, until=question.reply_until))
        return decisions

    def _decision_of_code(self, connection: Connection, code: str, of_handset: Sequence[Decision]) -> Decision | None:
        """The decision on the case of a whole code, be it of another handset; None when there is no such case yet."""
        contact = store.contact_by_code(connection, tracking_codes.hashes(code, self._index_keys))
        if contact is None:
            return None
        of_case = next((decision for decision in of_handset if decision.case_id == contact.case_id), None)
        case = notifications.cases_of(connection, [contact.case_id]).get(contact.case_id)
        return of_case or _decision(contact.case_id, code, None, None, case, until=None)

    def _send_result(
        self, connection: Connection, exchange: _Exchange, result: ReplyResult, among: Sequence[Decision] = ()
    ) -> None:
        codes = [decision.code for decision in among[:MOST_ENDINGS]]
        sealed, language = self._sealed(exchange, codes[0] if codes else None, codes)
        about = (exchange.id, exchange.received_at, sealed, exchange.mobile_hash, language)
        self._send(connection, ReplyReceived(*about, result))

    # --- anything else ---

    def _answer_not_understood(self, connection: Connection, exchange: _Exchange) -> None:
        if self._may_send_help(connection, exchange):
            sealed, language = self._sealed(exchange, None)
            about = (exchange.id, exchange.received_at, sealed, exchange.mobile_hash, language)
            self._send(connection, TextNotUnderstood(*about))

    def _may_send_help(self, connection: Connection, exchange: _Exchange) -> bool:
        """At most once an hour for a mobile (DOMAIN: Notification)."""
        return store.may_send_help(connection, exchange.mobile_hash, self._clock(), HELP_INTERVAL)

    def _sealed(
        self, exchange: _Exchange, code: str | None, codes: Sequence[str] = (), language: str | None = None
    ) -> tuple[str, Language]:
        """The handset and the codes of its answer, sealed; and the language in which it is answered."""
        chosen = Language(language or exchange.language or Language.FA)
        box = HandsetAnswer(mobile=exchange.mobile, code=code, language=chosen, codes=list(codes))
        return sealing.seal(box, self._public_key), chosen

    def _send(self, connection: Connection, event: InboundEvent) -> None:
        save_drafts(connection, self._composer.compose(event), self._clock())


def _decision(
    case_id: UUID,
    code: str,
    message_id: UUID | None,
    reply: str | None,
    case: store.AnyRow | None,
    *,
    until: date | None,
) -> Decision:
    """`until`: the last day to object as the message said; what is known of the case goes before it."""
    if case is None:
        return Decision(case_id, code, message_id, reply, object_until=until)
    stage = Stage(case.stage)
    return Decision(
        case_id,
        code,
        message_id,
        reply,
        stage,
        case.object_until or until,
        case.rate_until,
        resumable=stage is Stage.CLOSED and case.outcome is None and case.object_until is not None,
    )


def _name(meaning: Meaning) -> str:
    return meaning.reply if isinstance(meaning, ReplySent) else type(meaning).__name__
