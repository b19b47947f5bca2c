"""What the office was told of and when, for the office: the log of messages, and sending one again."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Moment, PageRequest, Request
from contracts.gateway import Actor
from contracts.notify import MessageState, TextName
from contracts.vocabulary import Role

MOST_RESENDS = 3
"""Of one message, by whomever."""


class LogChannel(StrEnum):
    SMS = "sms"
    INBOX = "inbox"
    PUSH = "push"


class ListNotifications(PageRequest):
    """RPC notify.list_notifications → Notifications. For heads and administrators; newest first. Of cases about units in which
    the reader has a conflict of interest nothing.

    `template`: one kind of message; `since`, `until`: days in Tehran, both included; `case_id`, `number`: of one case, for heads
    alone. NotAllowed; InvalidField for a cursor of another list.
    """

    actor: Actor
    channel: LogChannel | None = None
    state: MessageState | None = None
    template: TextName | None = None
    since: date | None = None
    until: date | None = None
    case_id: UUID | None = None
    number: Annotated[str, Field(max_length=20)] | None = None


class LoggedNotification(Answer):
    """One message. `audience`: to whom, such as citizen, handset (who signs in, or texted) or inspector; in an inbox or on a
    device of staff `staff_id`, `role` and `unit` say who. Of a citizen nothing else is known here: no part of a mobile, since
    two digits and a case would confirm a guess of who complained. `case_id`, `case_number`: for heads alone. `reason`: why it
    was not sent, or what the last attempt met; `resends`: how often the office had it sent again; `resendable`: whether it may
    be now."""

    notification_id: UUID
    channel: LogChannel
    template: str
    event: str
    state: MessageState
    reason: str | None
    audience: str
    staff_id: UUID | None = None
    role: Role | None = None
    unit: str | None = None
    case_id: UUID | None = None
    case_number: str | None = None
    created_at: Moment
    attempts: int
    provider: str | None = None
    next_attempt_at: Moment | None = None
    sent_at: Moment | None = None
    delivered_at: Moment | None = None
    resends: int
    resendable: bool


class Notifications(Answer):
    items: list[LoggedNotification]
    next: str | None = None


class ResendNotification(Request):
    """RPC notify.resend_notification → LoggedNotification. For heads and administrators: a message that was given up is sent once
    more. NotFound for one that the actor's log does not have; NotResendable; repeated under its key it has its effect once."""

    actor: Actor
    idempotency_key: Annotated[str, Field(max_length=100)]
    notification_id: UUID
