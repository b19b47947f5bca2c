"""All rows that the product would have written for a case history, in each service's database, by the services' own functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from backbone.messaging import inbox
from benchmarks.city.case_histories import CaseHistory
from contracts.notify import MessageState
from contracts.tracking import CaseDecided, VisitEvent
from contracts.vocabulary import ActorKind
from services.insight import models as insight_models
from services.insight.ingest import facts as insight
from services.intake import models as intake_models
from services.intake.submissions import use_cases as intake
from services.intake.submissions.rules import target_of
from services.media import models as media_models
from services.media.claims.rules import Claimant
from services.notify import models as notify_models
from services.notify.delivery.outcome import outcome_event
from services.notify.notifications.composer import Draft, MessageComposer
from services.notify.notifications.registry import shipped_registry
from services.notify.notifications.use_cases import latest_states
from services.tracking import models as tracking_models
from services.tracking.case import registration
from services.tracking.search.document import LINE, later_words

Row = dict[str, Any]
Key = tuple[str, str]
"""A service and one of its tables."""

TABLES: dict[Key, Table] = {
    (service, table.name): table
    for service, tables in {
        "tracking": [
            tracking_models.cases,
            tracking_models.timeline,
            tracking_models.questions,
            tracking_models.recommendations,
            tracking_models.attachments,
            tracking_models.media_states,
            tracking_models.commands,
            tracking_models.visits,
            inbox.TABLE,
        ],
        "intake": [intake_models.submissions, intake_models.identities],
        "notify": [
            notify_models.contacts,
            notify_models.cases,
            notify_models.messages,
            notify_models.readings,
            inbox.TABLE,
        ],
        "insight": [
            insight_models.facts,
            insight_models.transitions,
            insight_models.visits,
            insight_models.notifications,
        ],
        "media": [media_models.uploads, media_models.claims, media_models.files],
    }.items()
    for table in tables
}
FRESH = timedelta(hours=48)
"""How long a provider is asked for the state of a message."""


@dataclass(frozen=True)
class Sent:
    """A message with what its id is made of, and the id of the event of its end (None: there was none)."""

    row: Row
    draft: Draft
    end_event: UUID | None


@cache
def _composer() -> MessageComposer:
    return MessageComposer(shipped_registry())


class Rows:
    """The rows of one history, with placeholders for what differs from case to case."""

    def __init__(self, history: CaseHistory, rng: Random) -> None:
        self.history, self._rng = history, rng
        self.search = f"search {history.case.case_id.hex}"
        self.later = later_words(entry for entry, _, _ in history.entries).replace(LINE, r"\n")  # for COPY
        self.wrapped, self.nonce, self.ciphertext = (
            f"{name} {history.case.case_id.hex}" for name in ("key", "nonce", "box")
        )
        self.command_keys: list[str] = []
        self.at_provider: list[str] = []
        self.upload_owners: dict[str, str] = {}
        self.sent: list[Sent] = []
        self.of: dict[Key, list[Row]] = defaultdict(list)
        self._tracking()
        self._intake()
        self._notify()
        self._insight()
        self._media()

    def moments(self) -> Iterator[datetime]:
        for rows in self.of.values():
            for row in rows:
                yield from (value for value in row.values() if isinstance(value, datetime))

    def _recent(self, at: datetime) -> bool:
        return at > self.history.city_context.until - inbox.KEPT

    # --- each service ---

    def _tracking(self) -> None:
        history, add = self.history, self._adder("tracking")
        opened = registration.row_of(history.first, history.event, history.opened_at)
        erased: Row = dict.fromkeys(("identity_erased_at", "evidence_erased_at", "texts_erased_at"))
        add("cases", {**opened, **vars(history.case), "ended_at": history.ended_at, "search": self.search, **erased})
        for entry, previous, own in history.entries:
            add("timeline", {**vars(entry), "previous_hash": previous, "hash": own})
            if self._recent(entry.at) and entry.actor_kind != ActorKind.SYSTEM and entry.entry != "opened":
                key = f"command {entry.case_id.hex}{entry.sequence:04d}"
                self.command_keys.append(key)
                by = f"{entry.actor_kind}:{entry.actor_id}"
                add("commands", {"actor": by, "key": key, "command_hash": own, "done_at": entry.at})
        for row in history.questions.values():
            add("questions", {"liaison_missing": False, **row})
        for row in history.recommended.values():
            add("recommendations", row)
        for row in history.attachments:
            add("attachments", row)
        if history.visit is not None:
            visit = {name: value for name, value in vars(history.visit).items() if name != "slot"}
            add("visits", {**visit, "slot_id": history.visit.slot.slot_id if history.visit.slot else None})

    def _intake(self) -> None:
        history, add = self.history, self._adder("intake")
        command = history.command
        filed = intake.row_of(command, target_of(command.unit, history.city_context.catalogue))
        add("submissions", {**filed, "registered_at": history.opened_at})
        if command.sealed_identity is not None:
            about = {
                "submission_id": command.submission_id,
                "mobile_hash": command.mobile_hash,
                "master_key": "master key",
            }
            sealed = {"wrapped_key": self.wrapped, "nonce": self.nonce, "ciphertext": self.ciphertext}
            add("identities", {**about, **sealed})

    def _notify(self) -> None:
        history, add, event = self.history, self._adder("notify"), self.history.event
        reached = {
            "mobile_hash": event.mobile_hash,
            "sealed_contact": event.sealed_contact,
            "recoded": False,
            "code_attempt": 0,
        }
        names = ("case_id", "code_hash", "kind", "language", "citizen_id")
        about = {name: getattr(event, name) for name in names}
        add("contacts", {**about, **reached, "registered_at": event.occurred_at})
        for row in latest_states(history.events).values():
            add("cases", row)
        if self._recent(history.opened_at):
            self._handled("notify", "contacts", event.id, history.opened_at)
        messages = [(event.occurred_at, _composer().compose(event))]
        for case_event in history.events:
            messages.append((case_event.occurred_at, _composer().compose(case_event)))
            if self._recent(case_event.occurred_at):
                self._handled("notify", "cases", case_event.id, case_event.occurred_at)
        for at, drafts in messages:
            for draft in drafts:
                self._send(draft, at)

    def _send(self, draft: Draft, at: datetime) -> None:
        without_mobile = [self.history.case.case_id] if self.history.event.sealed_contact is None else []
        add, row = self._adder("notify"), draft.row(at, without_mobile)
        row |= {"attempts": 0, "status_polls": 0, "resends": 0}
        if row["state"] == MessageState.DUE:
            row |= self._became(row, at)
        add("messages", row)
        nobody = row["state"] == MessageState.SKIPPED and self.history.event.anonymous
        over = None
        if not nobody and row["state"] != MessageState.SENT:
            over = outcome_event(row, row["state"], row["reason"], row["delivered_at"] or at)
            self._adder("insight")("notifications", insight.notification_of(over))
        self.sent.append(Sent(row, draft, over.id if over else None))
        reader = "citizen" if row["audience"] == "citizen" else row["staff_id"] and str(row["staff_id"])
        if row["channel"] == "inbox" and reader and self._rng.random() < (0.3 if reader == "citizen" else 0.8):
            add("readings", {"message_id": row["id"], "reader": reader, "read_at": at + timedelta(minutes=50)})

    def _became(self, row: Row, at: datetime) -> Row:
        """Of a text message: mostly delivered; nothing is left to be sent when the services start."""
        tried = {"attempts": 1, "provider": "kavenegar", "tried_first_at": at + timedelta(seconds=1)}
        tried |= {"mobile_hash": self.history.event.mobile_hash}
        chance = self._rng.random()
        if chance < 0.02:
            return {"state": MessageState.SKIPPED, "reason": "opted_out"}
        if chance < 0.03:
            return {**tried, "state": MessageState.FAILED, "reason": "bad_number"}
        self.at_provider.append(own := f"at provider {row['id'].hex}")
        sent = {**tried, "provider_message_id": own, "sent_at": at + timedelta(seconds=2)}
        if at > self.history.city_context.until - FRESH and chance < 0.2:
            return {
                **sent,
                "state": MessageState.SENT,
                "status_polls": 4,
                "next_status_poll_at": self.history.city_context.until + timedelta(hours=5),
            }
        if chance < 0.07:
            return {**sent, "state": MessageState.UNDELIVERED, "reason": "undelivered", "status_polls": 2}
        return {**sent, "state": MessageState.DELIVERED, "delivered_at": at + timedelta(seconds=9), "status_polls": 1}

    def _insight(self) -> None:
        history, add = self.history, self._adder("insight")
        decided = [event for event in history.events if isinstance(event, CaseDecided)]
        rated = [event for event in history.events if isinstance(event, insight.Rating)]
        last_rating = rated[-1] if rated else None
        add("facts", insight.fact_of(history.events[-1], decided[-1] if decided else None, last_rating))
        for event in history.events:
            add("transitions", insight.transition_of(event))
        for row in insight.visits_of([event for event in history.events if isinstance(event, VisitEvent)]):
            add("visits", row)

    def _media(self) -> None:
        """What the store would hold of the evidence is not there: a download of it finds nothing."""
        add, about = self._adder("media"), {"content_type": "image/jpeg", "size": 184_320, "sha256": "5" * 64}
        for upload_id, at in self.history.uploads:
            states = {
                "state": "accepted",
                "media_type": "image/jpeg",
                "size": 184_320,
                "variants": ["evidence", "preview"],
            }
            self._adder("tracking")("media_states", {"media_id": upload_id, **states, "reported_at": at})
            moments = {"created_at": at, "expires_at": at + timedelta(days=1), "settled_at": at, "swept_at": at}
            checked = {**about, "kind": "image", "scanned": False, "removed_parts": ["exif"], "received": 184_320}
            own = {
                "upload_id": upload_id,
                "case_id": self.history.case.case_id,
                "state": "accepted",
                "file_name": "photo.jpg",
            }
            add("uploads", {**own, **checked, **moments, "declared_type": "image/jpeg"})
            add("claims", self._claim(upload_id, at))
            for variant in ("evidence", "preview"):
                key = f"evidence/{upload_id}/city/{variant}.jpg"
                add(
                    "files",
                    {"upload_id": upload_id, "variant": variant, "key": key, **about, "width": 1280, "height": 960},
                )

    def _claim(self, upload_id: str, at: datetime) -> Row:
        """The case's claim on an upload; its owner's hash is a placeholder."""
        claimant = Claimant(self.history.case.case_id, self.history.event.citizen_id)
        owner = None
        if claimant.owner(upload_id) is not None:
            owner = self.upload_owners[upload_id] = f"owner {UUID(upload_id)}"
        claim = {"upload_id": upload_id, "case_id": claimant.case_id, "from_office": claimant.from_office}
        return {**claim, "owner": owner, "named": True, "claimed_at": at}

    # --- parts ---

    def _adder(self, service: str) -> Any:
        def add(table: str, row: Mapping[str, Any]) -> None:
            self.of[service, table].append(dict(row))

        return add

    def _handled(self, service: str, consumer: str, event_id: UUID, at: datetime) -> None:
        self.of[service, "inbox"].append({"consumer": consumer, "event_id": event_id, "handled_at": at})
