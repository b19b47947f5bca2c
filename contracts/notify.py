"""What notify says and answers: messages to people, and what they answered by SMS."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Event, KeyedHash, Moment, Request
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
    SATISFIED = "satisfied"
    OBJECT = "object"


class NotificationDelivered(Event):
    """A message reached its handset (or, in the inbox, was put there)."""

    name: ClassVar[str] = "notification.delivered.v1"
    producer: ClassVar[str] = PRODUCER

    message_id: UUID
    case_id: UUID | None
    template: str
    channel: MessageChannel


class NotificationFailed(Event):
    """A message was given up, or skipped, with its reason (no_mobile, opted_out, blocked, undelivered, …)."""

    name: ClassVar[str] = "notification.failed.v1"
    producer: ClassVar[str] = PRODUCER

    message_id: UUID
    case_id: UUID | None
    template: str
    channel: MessageChannel
    reason: str


class CitizenReplied(Event):
    """A citizen answered the last question sent to their mobile: 1 satisfied, 2 object."""

    name: ClassVar[str] = "citizen.replied.v1"
    producer: ClassVar[str] = PRODUCER

    case_id: UUID
    reply: Reply


class ListMessages(Request):
    """RPC notify.list_messages → MessagePage. By code (`code_hashes`), or by `actor` (citizen or staff). Newest first.

    `after`: the cursor of the page before; `limit` 1–100.
    """

    actor: Actor | None = None
    code_hashes: list[KeyedHash] = []
    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


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
