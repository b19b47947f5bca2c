"""Confirms an answer by SMS once tracking has said that it took effect, or says why it did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from backbone.storage.writes import Write
from contracts.notify import Reply
from contracts.tracking import CaseObjected, CaseRated, CaseResumed, ReplyRefused, TrackedEvent
from services.notify.delivery import store as delivery
from services.notify.inbound import store
from services.notify.inbound.events import ReplyReceived, ReplyResult
from services.notify.notifications import store as notifications
from services.notify.notifications.composer import Draft, MessageComposer

_REFUSED: dict[tuple[str, str], ReplyResult] = {
    (Reply.SATISFIED, "late"): "rating_late",
    (Reply.OBJECT, "late"): "object_late",
    (Reply.OBJECT, "known"): "object_known",
    (Reply.OBJECT, "final"): "object_final",
}


@dataclass(frozen=True)
class Settled:
    """The answers to handsets, and what is written with them."""

    drafts: Sequence[Draft]
    writes: Sequence[Write]


class SettledReplies:
    def __init__(self, composer: MessageComposer) -> None:
        self._composer = composer

    def settle(self, connection: Connection, events: Sequence[TrackedEvent]) -> Settled:
        """The answers to the handsets whose answers these events settle; each once, as long as `writes` go with them."""
        by_reply = {reply_id: event for event in events if (reply_id := getattr(event, "reply_id", None)) is not None}
        rows = store.open_replies_of(connection, list(by_reply)) if by_reply else []
        drafts: list[Draft] = []
        refused = []
        for row in rows:
            event = by_reply[row.reply_id]
            if isinstance(event, ReplyRefused):
                refused.append(row)
            if isinstance(event, CaseObjected) and self._hears_of_objections(
                connection, event.case_id, row.mobile_hash
            ):
                continue
            about = (row.event_id, row.received_at, row.sealed, row.mobile_hash, row.language)
            drafts += self._composer.compose(ReplyReceived(*about, _result(event)))
        return Settled(drafts, [*store.settling(rows), *store.forgetting_replies(refused)])

    @staticmethod
    def _hears_of_objections(connection: Connection, case_id: UUID, mobile_hash: str) -> bool:
        """Whether the objection is confirmed to this handset anyway, as to the citizen of the case."""
        contact = notifications.contacts_of(connection, [case_id]).get(case_id)
        own = contact is not None and contact.mobile_hash == mobile_hash
        return own and not delivery.opted_out(connection, [mobile_hash])


def _result(event: TrackedEvent) -> ReplyResult:
    match event:
        case CaseRated():
            return "satisfied"
        case CaseObjected():
            return "object"
        case CaseResumed():
            return "resume"
        case ReplyRefused():
            return _REFUSED.get((event.reply, event.reason), "no_effect")
    raise AssertionError(f"{event.name} settles no reply")
