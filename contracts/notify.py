"""What notify says and answers: messages to people, and what they answered by SMS."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Event, HistoryRequest, KeyedHash, Moment, PageRequest, Request, Sealed
from contracts.gateway import Actor

PRODUCER = "notify"


class MessageChannel(StrEnum):
    SMS = "sms"
    INBOX = "inbox"


class MessageState(StrEnum):
    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    SKIPPED = "skipped"


class Reply(StrEnum):
    """What a citizen answers to a decision, or (resume) to their case being closed without their answer."""

    SATISFIED = "satisfied"
    OBJECT = "object"
    RESUME = "resume"


class NotifyEvent(Event):
    producer: ClassVar[str] = PRODUCER


class NotificationDelivered(NotifyEvent):
    """A message reached its handset (or, in the inbox, was put there). `to_citizen`: of the case, not to somebody of the office
    about it."""

    name: ClassVar[str] = "notification.delivered.v1"

    message_id: UUID
    case_id: UUID | None
    template: str
    channel: MessageChannel
    to_citizen: bool = True


class NotificationFailed(NotifyEvent):
    """A message was given up, or skipped, with its reason (no_mobile, opted_out, blocked, undelivered, …)."""

    name: ClassVar[str] = "notification.failed.v1"

    message_id: UUID
    case_id: UUID | None
    template: str
    channel: MessageChannel
    reason: str


class CitizenReplied(NotifyEvent):
    """A citizen answered by SMS: 1 satisfied, 2 object, or that their case shall go on. Tracking says what became of it in an
    event with this one's id as `reply_id`."""

    name: ClassVar[str] = "citizen.replied.v1"

    case_id: UUID
    reply: Reply


class ListMessages(PageRequest):
    """RPC notify.list_messages → MessagePage. By code (`code_hashes`), or by `actor` (citizen or staff). Newest first.

    `after`: the cursor of the page before; `limit` 1–100.
    """

    actor: Actor | None = None
    code_hashes: list[KeyedHash] = []


class Message(Answer):
    """`text`: as the person reads it, in their language; the tracking code is never in it when read in the inbox."""

    id: UUID
    case_id: UUID | None
    case_number: str | None = None
    template: str
    text: str
    at: Moment
    read: bool


class MessagePage(Answer):
    items: list[Message]
    next: str | None = None


class MarkRead(Request):
    """RPC notify.mark_read → MessagePage of the messages marked. Unknown or foreign ids are passed over."""

    actor: Actor | None = None
    code_hashes: list[KeyedHash] = []
    ids: Annotated[list[UUID], Field(max_length=100)]


class SendCode(Request):
    """RPC notify.send_code → CodeSent. For who holds a tracking code: it is sent to a mobile once. `sealed_contact`: a
    `Contact` of the mobile and the code, opened by notify alone as the SMS is sent, and emptied then. Of which case it is nobody
    is told, and nothing is stored that would say so."""

    actor: Actor
    sealed_contact: Sealed


class CodeSent(Answer):
    """The SMS is on its way."""

    accepted: bool = True


# --- the administrator's commands ---

TextName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
TextTyped = Annotated[str, Field(max_length=1000)]


class ListNotificationTexts(Request):
    """RPC notify.list_notification_texts → NotificationTexts. For the administrator."""

    actor: Actor


class NotificationText(Answer):
    """One message in both languages, as it is sent. `values`: what may stand in it in braces, such as {code};
    `shipped_fa`, `shipped_en`: the words Peygir brings, when these are `changed`. `approved`: the SMS provider has approved
    it and sends its own copy, so it cannot be changed here. `fixed`: nobody changes it, since by it people hear of what
    administrators do. `version` grows with each change; 0: never changed."""

    channel: MessageChannel
    name: TextName
    text_fa: str
    text_en: str
    values: list[str]
    changed: bool
    shipped_fa: str
    shipped_en: str
    approved: bool
    fixed: bool = False
    version: int


class NotificationTexts(Answer):
    items: list[NotificationText]


class ChangeNotificationText(Request):
    """RPC notify.change_notification_text → NotificationText. For the administrator. Both texts None: as shipped again.

    StaleVersion; InvalidField for a value the event does not offer, an SMS with a link, without its code on a line of
    its own, or of more than two parts. Repeated under its key it has its effect once.
    """

    actor: Actor
    idempotency_key: Annotated[str, Field(max_length=100)]
    channel: MessageChannel
    name: TextName
    expected_version: int
    text_fa: TextTyped | None = None
    text_en: TextTyped | None = None


class PreviewNotificationText(Request):
    """RPC notify.preview_notification_text → NotificationTextPreview. For the administrator. A text as its reader would have it.
    Texts None: those that are sent now. `values`: instead of the samples. NotFound; InvalidField as for a change, but for what is
    only too long, and for a value that the text cannot name."""

    actor: Actor
    channel: MessageChannel
    name: TextName
    text_fa: TextTyped | None = None
    text_en: TextTyped | None = None
    values: dict[Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")], Annotated[str, Field(max_length=200)]] = {}


class PreviewedText(Answer):
    """`characters`: as the operator counts them; `encoding`, `parts`, `longest_parts` (with the longest values that there can
    be): of an SMS."""

    text: str
    characters: int
    encoding: Literal["gsm", "ucs2"] | None = None
    parts: int | None = None
    longest_parts: int | None = None


class NotificationTextPreview(Answer):
    """`values`: those that were filled in, in Persian and English; `most_parts`: an SMS may take so many with its longest
    values."""

    fa: PreviewedText
    en: PreviewedText
    values_fa: dict[str, str]
    values_en: dict[str, str]
    most_parts: int


class ListNotificationTextHistory(HistoryRequest):
    """RPC notify.list_notification_text_history → NotificationTextHistory. For the administrator; the newest first.

    `after`: the cursor of the page before."""

    actor: Actor


class NotificationTextChange(Answer):
    """One change. `by`: the id of the administrator. Texts None: as shipped."""

    id: int
    at: Moment
    by: str
    channel: MessageChannel
    name: TextName
    before_fa: str | None
    before_en: str | None
    after_fa: str | None
    after_en: str | None


class NotificationTextHistory(Answer):
    items: list[NotificationTextChange]
    next: str | None = None
