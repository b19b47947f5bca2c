"""What a notification is, who may receive one, and what its text may name. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID, uuid5

from contracts.notify import MessageChannel
from contracts.vocabulary import Stage
from services.notify.wording.rules import Value

SMS, INBOX = (MessageChannel.SMS,), (MessageChannel.INBOX,)
SMS_AND_INBOX = (MessageChannel.SMS, MessageChannel.INBOX)

BRINGING_A_CODE = frozenset({"registered", "registered_new_code", "mobile_corrected", "code_replaced"})
"""Messages that are there to bring a code: of two that wait, the later one alone is sent. No push has the code, so they go by SMS
whatever the citizen prefers."""
OWED = BRINGING_A_CODE | {
    *("question_asked", "question_reminder", "closed_unanswered"),
    *("decided", "decided_final", "joined_decided", "refused", "joined_refused"),
    *("refusal_taken_back", "decision_taken_back", "closing_taken_back", "merge_undone", "reopened", "joined_reopened"),
    *("visit_called_off", "visit_on_holiday"),
}
"""SMS to the citizen that no preference stops (DOMAIN: what is owed, and on what a right depends): the code, a question without
whose answer the case is closed, the result and what changes it, a visit that does not take place."""

_MESSAGES = UUID("5b6d0f3c-6a0b-5e0f-9b0e-6f8f5f0c2a11")  # the namespace of message ids; never to be changed


class NamedEvent(Protocol):
    """An event of a contract, or one of notify's own (inbound/events.py)."""

    name: ClassVar[str]


AnyEvent = TypeVar("AnyEvent", bound=NamedEvent)


@dataclass(frozen=True)
class Address:
    """Where one message goes. A member of staff, everybody with a role, or the liaisons of a unit, in their inbox; a handset by
    its sealed number. All None: the citizen of the case. `key` tells apart several messages of one event to one audience."""

    staff_id: UUID | None = None
    role: str | None = None
    unit: str | None = None
    sealed: str | None = None
    mobile_hash: str | None = None
    language: str | None = None
    key: str = ""


@dataclass(frozen=True)
class Recipient:
    """`audience` is stored with each message, and part of its id. `addresses`: nobody when empty. `of_case`: the message
    belongs to the case; else neither the case nor its number goes with it."""

    audience: str
    addresses: Callable[[Any], Sequence[Address]]
    of_case: bool = True


def _always(event: Any) -> bool:
    return True


@dataclass(frozen=True)
class Notification(Generic[AnyEvent]):
    """One notification: when `event` arrives and `condition` holds, `recipient` gets the text `template` over `channels`.

    `values`: what the text may name. Of an SMS: `urgent` sends it in quiet hours too, as an answer to what the person does at
    this moment; `stages` skips it as superseded when the case is at another stage by then; `expires` is when it is worth
    nothing any more; `waits_for_case` holds it for a moment until the expected day is known; with `reply_until` the handset may
    answer 1 or 2, until that day if there is one.
    """

    event: type[AnyEvent]
    template: str
    recipient: Recipient
    channels: Sequence[MessageChannel]
    values: Sequence[Value] = ()
    condition: Callable[[AnyEvent], bool] = _always
    urgent: bool = False
    stages: frozenset[Stage] | None = None
    expires: Callable[[AnyEvent], datetime | None] | None = None
    waits_for_case: bool = False
    reply_until: Callable[[AnyEvent], date | None] | None = None


def message_id(key: str, audience: str, channel: str) -> UUID:
    """The id of a message: the same whenever it is made again of the same event."""
    return uuid5(_MESSAGES, f"{key}:{audience}:{channel}")


class NotificationRegistry:
    """All notifications, by event."""

    def __init__(self, notifications: Iterable[Notification[Any]]) -> None:
        self._by_event: dict[str, list[Notification[Any]]] = defaultdict(list)
        for notification in notifications:
            self._by_event[notification.event.name].append(notification)
        self.values: Mapping[str, Value] = {value.name: value for notification in self for value in notification.values}

    def __iter__(self) -> Iterator[Notification[Any]]:
        for notifications in self._by_event.values():
            yield from notifications

    def matching(self, event: NamedEvent) -> list[Notification[Any]]:
        """The notifications that this event causes."""
        return [notification for notification in self._by_event.get(event.name, ()) if notification.condition(event)]

    def offered(self, channel: str, template: str) -> frozenset[str]:
        """The values that every notification with this text brings; without the date where an event may lack it."""
        names, _ = self._offered(channel, template)
        return names

    def offered_if_dated(self, channel: str, template: str) -> frozenset[str]:
        """The same for a text that is sent when the date is there, since it has a twin without one."""
        names, dated = self._offered(channel, template)
        return names | dated

    def _offered(self, channel: str, template: str) -> tuple[frozenset[str], frozenset[str]]:
        using = [other for other in self if other.template == template and channel in other.channels]
        if not using:
            return frozenset(), frozenset()
        brought = [{value.name: value for value in other.values if channel in value.channels} for other in using]
        names = frozenset.intersection(*(frozenset(values) for values in brought))
        sometimes = {name for name in names if not all(values[name].always for values in brought)}
        return names - sometimes, frozenset(sometimes)
