"""Filters of the log of messages."""

from __future__ import annotations

from uuid import UUID

from contracts.notification_log import LogChannel
from contracts.notify import MessageState, TextName
from gateway.api.dependencies import Cursor, PageSize
from gateway.api.digits import TypedDay, WholeCaseNumber
from gateway.api.fields import Body


class NotificationQuery(Body):
    """`template`: one kind of message; `since`, `until`: days in Tehran, Jalali or Gregorian, both included; `case_id`,
    `number`: of one case. `after`: `next` of the page before."""

    channel: LogChannel | None = None
    state: MessageState | None = None
    template: TextName | None = None
    since: TypedDay | None = None
    until: TypedDay | None = None
    case_id: UUID | None = None
    number: WholeCaseNumber | None = None
    after: Cursor = None
    limit: PageSize = 50
