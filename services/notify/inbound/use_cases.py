"""What handsets and providers say to us: a text to the office's number, a word on a message we sent."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.messaging import outbox
from backbone.persian import jalali
from backbone.process import logs
from backbone.process.settings import secret, secrets
from contracts import identifiers, tracking_codes
from contracts.base import now
from contracts.gateway import Contact, InboundSms, ReceiveSms, ReportDelivery
from contracts.notify import CitizenReplied, Reply
from contracts.vocabulary import Language, Stage
from services.notify.delivery.rules import NotUnderstood, OptIn, OptOut, SentCode, read_inbound
from services.notify.delivery.use_cases import apply_status
from services.notify.notifications import store
from services.notify.notifications.use_cases import Clock, Draft, keep_drafts
from services.notify.providers.kavenegar import read_status
from services.notify.settings import Settings
from services.notify.wording.templates import Table, table

log = logs.get("inbound")

HELP_EVERY = timedelta(hours=1)
MOST_ANSWERS = 20  # an hour and handset: two machines must not talk to each other for ever
_TOLD_TOO_SOON = timedelta(minutes=1)


class Handset:
    """The use cases of `notify.inbound`, each within one transaction."""

    def __init__(self, settings: Settings, clock: Clock = now, words: Table | None = None) -> None:
        self._clock = clock
        self._table = words or table()
        self._private_keys = secrets(settings.notify_private_keys)
        self._public_key = sealing.public_key(self._private_keys[0])
        self._mac_keys = secrets(settings.code_mac_keys)
        self._index_keys = secrets(settings.code_index_keys)
        self._mobile_key = secret(settings.mobile_index_key)

    def report_delivery(self, connection: Connection, command: ReportDelivery) -> bool:
        """Follows a message to its handset. False when nothing is known of it yet, though it is fresh: the word may
        have been quicker than the note that it was sent."""
        status = read_status(command.provider, command.status)
        rows = store.at_provider(connection, command.provider, [command.provider_message_id])
        for row in rows:
            apply_status(connection, row, status, self._clock(), row.mobile_hash)
        return bool(rows) or self._clock() - command.reported_at > _TOLD_TOO_SOON

    def receive_sms(self, connection: Connection, command: ReceiveSms) -> None:
        """Reads a text and answers it; the same text told twice by the provider is one."""
        sms = sealing.unseal(command.sealed_message, InboundSms, self._private_keys)
        mobile = identifiers.mobile(sms.mobile)
        meaning = read_inbound(sms.text, tracking_codes.candidates(sms.text))
        mobile_hash = sealing.keyed_hash(mobile, self._mobile_key) if mobile else None
        noted = {
            "provider": command.provider,
            "provider_message_id": command.provider_message_id,
            "mobile_hash": mobile_hash,
            "meaning": meaning if isinstance(meaning, Reply) else type(meaning).__name__,
            "received_at": command.received_at,
        }
        if not store.first_time(connection, noted) or mobile is None or mobile_hash is None:
            return
        if store.answers_since(connection, mobile_hash, self._clock() - timedelta(hours=1)) >= MOST_ANSWERS:
            log.warning("a handset gets no more answers for now")
            return
        conversation = _Conversation(command, mobile, mobile_hash)
        if isinstance(meaning, SentCode):
            self._code_sent(connection, conversation, sms.text)
        elif isinstance(meaning, Reply):
            self._replied(connection, conversation, meaning)
        elif isinstance(meaning, OptOut):
            store.opt_out(connection, mobile_hash, self._clock(), "citizen")
        elif isinstance(meaning, OptIn):
            store.opt_in(connection, mobile_hash)
        elif isinstance(meaning, NotUnderstood):
            self._help(connection, conversation, "sms.not_understood")

    def _code_sent(self, connection: Connection, to: _Conversation, text: str) -> None:
        code = tracking_codes.parse(text, self._mac_keys)
        if code is None:
            self._help(connection, to, "sms.code_sent", "bad_code")
            return
        contact = store.contact_by_code(connection, tracking_codes.hashes(code, self._index_keys))
        if contact is None:
            self._answer(connection, to, "sms.code_sent", "registering", store.language_of(connection, to.mobile_hash))
            return
        case = store.cases_of(connection, [contact.case_id]).get(contact.case_id)
        if case is not None and case.outcome is not None and case.stage in (Stage.DECIDED, Stage.CLOSED):
            self._answer(connection, to, "sms.code_sent", "decided", contact.language, outcome=case.outcome)
            return
        params = {"stage": case.stage if case is not None else Stage.REGISTERED}
        if case is not None and case.expected_on is not None:
            params["date"] = case.expected_on.isoformat()
        self._answer(connection, to, "sms.code_sent", "known", contact.language, **params)

    def _replied(self, connection: Connection, to: _Conversation, reply: Reply) -> None:
        """1 or 2 answers the last question sent to this mobile; the same answer again changes nothing."""
        question = store.last_question(connection, to.mobile_hash)
        if question is None or question.case_id is None:
            self._help(connection, to, "sms.not_understood")
            return
        if question.reply == reply:
            return
        language = store.language_of(connection, to.mobile_hash)
        today = jalali.today(self._clock())
        if reply is Reply.OBJECT and question.reply_until is not None and today > question.reply_until:
            self._answer(connection, to, "sms.replied", "object_late", language)
            return
        store.answer_question(connection, question.id, reply)
        outbox.add(
            connection,
            CitizenReplied(id=uuid4(), occurred_at=self._clock(), case_id=question.case_id, reply=reply),
        )
        # An objection is confirmed when tracking has registered it.
        self._answer(connection, to, "sms.replied", reply, language)

    def _help(self, connection: Connection, to: _Conversation, event: str, when: str | None = None) -> None:
        """At most once an hour for a mobile (DOMAIN: Notification)."""
        if store.may_help(connection, to.mobile_hash, self._clock(), HELP_EVERY):
            self._answer(connection, to, event, when, store.language_of(connection, to.mobile_hash))

    def _answer(
        self,
        connection: Connection,
        to: _Conversation,
        event: str,
        when: str | None,
        language: str | None,
        **params: str,
    ) -> None:
        spoken = Language(language or Language.FA)
        box = sealing.seal(Contact(mobile=to.mobile, language=spoken), self._public_key)
        moment = self._clock()
        drafts = [
            Draft(
                route,
                f"{to.command.provider}:{to.command.provider_message_id}",
                event,
                to.command.received_at,
                params=params,
                more={"sealed": box, "mobile_hash": to.mobile_hash, "language": spoken},
            )
            for route in self._table.routes_for(event, when=frozenset({when} if when else ()))
        ]
        keep_drafts(connection, drafts, moment)


class _Conversation:
    """One text and who sent it."""

    def __init__(self, command: ReceiveSms, mobile: str, mobile_hash: str) -> None:
        self.command, self.mobile, self.mobile_hash = command, mobile, mobile_hash
