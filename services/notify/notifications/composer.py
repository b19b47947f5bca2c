"""Composes the messages that an event causes, as the registry says, and says how they are stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from backbone.messaging import outbox
from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.notify import MessageChannel, MessageState
from services.notify.delivery.outcome import outcome_event
from services.notify.delivery.rules import SkipReason
from services.notify.delivery.store import mark_due
from services.notify.notifications import store
from services.notify.notifications.recipients import CITIZEN
from services.notify.notifications.rules import (
    Address,
    Notification,
    NotificationRegistry,
    message_id,
)
from services.notify.push import store as push_store


@dataclass(frozen=True)
class Draft:
    """A message as it was composed. `key`: of the event, and of the address where there are several; part of the id."""

    event: str
    key: str
    audience: str
    channel: MessageChannel
    template: str
    at: datetime
    case_id: UUID | None
    address: Address
    params: Mapping[str, str]
    details: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def id(self) -> UUID:
        return message_id(self.key, self.audience, self.channel)

    def row(self, moment: datetime, without_mobile: Collection[UUID] = ()) -> dict[str, Any]:
        """As it is stored: due, in the inbox at once, or skipped. `without_mobile`: cases whose citizen is known to have none;
        where it is not known yet, the sender waits for it."""
        in_inbox = self.channel == MessageChannel.INBOX
        skipped = {"state": MessageState.SKIPPED, "reason": SkipReason.NO_MOBILE}
        is_skipped = not in_inbox and self.audience == CITIZEN.audience and self.case_id in without_mobile
        return {
            "id": self.id,
            "event": self.event,
            "case_id": self.case_id,
            "channel": self.channel,
            "audience": self.audience,
            "template": self.template,
            "params": dict(self.params),
            "state": MessageState.DELIVERED if in_inbox else MessageState.DUE,
            "reason": None,
            "urgent": False,
            "waits_for_case": False,
            "stages": None,
            "asks_reply": False,
            "at": self.at,
            "created_at": moment,
            "next_attempt_at": moment,
            "delivered_at": moment if in_inbox else None,
            "language": self.address.language,
            "staff_id": self.address.staff_id,
            "role": self.address.role,
            "unit": self.address.unit,
            "sealed": self.address.sealed,
            "mobile_hash": self.address.mobile_hash,
            "reply_until": None,
            "expires_at": None,
            **self.details,
            **(skipped if is_skipped else {}),
        }


class MessageComposer:
    """Reads nothing but the event and the registry."""

    def __init__(self, registry: NotificationRegistry) -> None:
        self._registry = registry

    def compose(self, event: Any, **params: str) -> list[Draft]:
        """The messages of an event. `params`: stored parameters that are not in the event."""
        return [
            self._draft(event, notification, channel, address, params)
            for notification in self._registry.matching(event)
            for channel in notification.channels
            for address in notification.recipient.addresses(event)
        ]

    def _draft(
        self,
        event: Any,
        notification: Notification[Any],
        channel: MessageChannel,
        address: Address,
        params: Mapping[str, str],
    ) -> Draft:
        recipient = notification.recipient
        stored: dict[str, str] = {}
        for value in notification.values:
            stored |= value.extract(event)
        return Draft(
            event=event.name,
            key=f"{event.id}:{address.key}" if address.key else str(event.id),
            audience=recipient.audience,
            channel=channel,
            template=notification.template,
            at=event.occurred_at,
            case_id=getattr(event, "case_id", None) if recipient.of_case else None,
            address=address,
            params={**stored, **params},
            details=self._sms_details(event, notification) if channel == MessageChannel.SMS else {},
        )

    @staticmethod
    def _sms_details(event: Any, notification: Notification[Any]) -> dict[str, Any]:
        """The columns that only an SMS has."""
        details: dict[str, Any] = {
            "urgent": notification.urgent,
            "waits_for_case": notification.waits_for_case,
            "stages": sorted(notification.stages) if notification.stages else None,
            "asks_reply": notification.reply_until is not None,
        }
        if notification.reply_until is not None:
            details["reply_until"] = notification.reply_until(event)
        if notification.expires is not None:
            details["expires_at"] = notification.expires(event)
        return details


def save_drafts(
    connection: Connection, drafts: Iterable[Draft], moment: datetime, without_mobile: Collection[UUID] = ()
) -> None:
    """Stores those of these messages that are not stored yet, in the caller's transaction, and publishes as `writing` does."""
    by_id = {draft.id: draft for draft in drafts}
    stored = store.stored_messages(connection, list(by_id))
    rows = [draft.row(moment, without_mobile) for draft in by_id.values() if draft.id not in stored]
    writes.execute_all(connection, writing(connection, rows, moment))


def writing(
    connection: Connection,
    rows: Collection[Mapping[str, Any]],
    moment: datetime,
    quiet_cases: Collection[UUID] = (),
    accounts: Mapping[UUID, UUID] = MappingProxyType({}),
) -> list[Write]:
    """Stores messages, as parts of a statement on this connection, which is marked when some are due, and publishes the outcome
    of those that have ended already, in the inbox or skipped. IntegrityError when one of them is stored already.

    `quiet_cases`: filed anonymously; that their citizen could not be reached is not reported. `accounts`: citizens by case, of
    contacts that are written in the same statement.
    """
    if any(row["state"] == MessageState.DUE for row in rows):
        mark_due(connection)
    ended = [
        outcome_event(row, row["state"], row["reason"], moment)
        for row in rows
        if row["state"] in (MessageState.DELIVERED, MessageState.SKIPPED)
        and not (row["state"] == MessageState.SKIPPED and row["case_id"] in quiet_cases)
    ]
    return [*store.adding_messages(list(rows)), *_pushing(rows, accounts), *outbox.write(ended)]


def _pushing(rows: Collection[Mapping[str, Any]], accounts: Mapping[UUID, UUID]) -> list[Write]:
    """A push beside each message of an inbox, to whoever has a device; and which SMS of the same notification may wait for it."""
    sms = {_notification_of(row): row for row in rows if row["channel"] == MessageChannel.SMS}
    in_inbox = [row for row in rows if row["channel"] == MessageChannel.INBOX]
    if not in_inbox:
        return []
    pushed = []
    for row in in_inbox:
        beside = sms.get(_notification_of(row), {})
        about = {name: row[name] for name in _PUSHED}
        urgent = bool(beside.get("urgent"))
        account = accounts.get(row["case_id"])
        pushed.append({**about, "sms_id": beside.get("id"), "urgent": urgent, "citizen_id": account})
    return push_store.adding_pushes(pushed)


_PUSHED = ("id", "event", "case_id", "audience", "template", "at", "created_at", "staff_id", "role")


def _notification_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the messages of one notification have in common."""
    return row["event"], row["case_id"], row["audience"], row["template"], row["at"]
