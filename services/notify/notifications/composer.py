"""Composes the messages that an event causes, as the registry says, and stores them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from backbone.messaging import outbox
from contracts.notify import MessageChannel, MessageState
from services.notify.delivery.outcome import outcome_event
from services.notify.delivery.rules import SkipReason
from services.notify.notifications import store
from services.notify.notifications.recipients import CITIZEN
from services.notify.notifications.rules import (
    Address,
    Notification,
    NotificationRegistry,
    message_id,
)

UNKNOWN_CONTACT = ""
"""In place of a sealed contact: how the citizen is reached is not known yet; the sender waits for it."""


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

    def row(self, moment: datetime) -> dict[str, Any]:
        """As it is stored: due, or in the inbox at once."""
        in_inbox = self.channel == MessageChannel.INBOX
        return {
            "id": message_id(self.key, self.audience, self.channel),
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
        }


class MessageComposer:
    """Reads nothing but the event and the registry."""

    def __init__(self, registry: NotificationRegistry) -> None:
        self._registry = registry

    def notifies(self, event: Any) -> bool:
        """Whether the event causes any message."""
        return bool(self._registry.matching(event))

    def compose(self, event: Any, sealed_contact: str | None = UNKNOWN_CONTACT, **params: str) -> list[Draft]:
        """The messages of an event. `sealed_contact`: how the citizen of its case is reached, None without a mobile;
        `params`: stored parameters that are not in the event."""
        return [
            self._draft(event, notification, channel, address, sealed_contact, params)
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
        sealed_contact: str | None,
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
            details=self._sms_details(event, notification, sealed_contact) if channel == MessageChannel.SMS else {},
        )

    @staticmethod
    def _sms_details(event: Any, notification: Notification[Any], sealed_contact: str | None) -> dict[str, Any]:
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
        if notification.recipient is CITIZEN and sealed_contact is None:
            details |= {"state": MessageState.SKIPPED, "reason": SkipReason.NO_MOBILE}
        return details


def save_drafts(
    connection: Connection, drafts: Iterable[Draft], moment: datetime, *, quiet_cases: Sequence[UUID] = ()
) -> None:
    """Stores messages, and publishes the outcome of those that have ended already, in the inbox or skipped.

    `quiet_cases`: filed anonymously; that their citizen could not be reached is not reported.
    """
    rows = [draft.row(moment) for draft in drafts]
    new = store.add_messages(connection, rows)
    quiet = set(quiet_cases)
    outbox.add(
        connection,
        *(
            outcome_event(row, row["state"], row["reason"], moment)
            for row in rows
            if row["id"] in new
            and row["state"] in (MessageState.DELIVERED, MessageState.SKIPPED)
            and not (row["state"] == MessageState.SKIPPED and row["case_id"] in quiet)
        ),
    )
