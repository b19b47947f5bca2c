"""Changes, sent to the open streams of those who may know of them (DESIGN: Live).

    bearer of a code   their case, where what they are shown of it has changed
    citizen            their own cases (`citizen_id` of the snapshot), likewise
    screener, head     every case but those of a unit they belong to, or that stands above theirs (conflict of interest)
    inspector          the cases they handle, alone or beside another, or are asked for advice on, with the same exception
    substitute         the cases about the inspection itself, with the same exception
    liaison            questions to their unit or one below; never the case
    deputy             also what whoever is away has as inspector or liaison; their own conflict of interest holds

A subscriber that does not read is dropped: its client opens the stream again and reads the state.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.tracking import CaseCodeReplaced
from contracts.vocabulary import ActorKind, Role
from gateway.auth.deputies import Deputies
from gateway.auth.tokens import Caller
from gateway.edge.metrics import STREAMS
from gateway.settings import Settings
from gateway.submissions.catalogue_cache import CatalogueCache


@dataclass(eq=False)
class Subscriber:
    """One open stream. `case_ids`: the cases that it has received changes of. `queue` ends with None."""

    address_key: str
    caller: Caller | None
    code_hashes: frozenset[str]
    queue: asyncio.Queue[bytes | None]
    dropped: bool = False
    case_ids: set[str] = field(default_factory=set)

    @property
    def owner(self) -> str:
        """Whose streams are counted together: those of an account, or of the bearers of a code."""
        return str(self.caller.id) if self.caller is not None else "".join(sorted(self.code_hashes))


class EventStream:
    """Receives events and forwards each to the subscribers it is for."""

    def __init__(self, settings: Settings, catalogue_cache: CatalogueCache, deputies: Deputies) -> None:
        self._offices = (settings.inspection_unit, settings.mayor_unit)
        self._settings, self._catalogue_cache, self._deputies = settings, catalogue_cache, deputies
        self._subscribers: set[Subscriber] = set()
        # Open streams by owner, and by address, which may be that of a whole office.
        self._open: Counter[str] = Counter()
        self._case_listeners: list[Callable[[UUID], None]] = []
        self._code_listeners: list[Callable[[str], None]] = []
        self._media_listeners: list[Callable[[str], None]] = []

    def add_case_listener(self, listener: Callable[[UUID], None]) -> None:
        """`listener(case_id)` is called for each case that changes."""
        self._case_listeners.append(listener)

    def add_code_listener(self, listener: Callable[[str], None]) -> None:
        """`listener(code_hash)` is called for each event of the case of a code."""
        self._code_listeners.append(listener)

    def add_media_listener(self, listener: Callable[[str], None]) -> None:
        """`listener(media_id)` is called for each attachment that changes."""
        self._media_listeners.append(listener)

    def subscribe(self, address_key: str, caller: Caller | None, code_hashes: frozenset[str]) -> Subscriber | None:
        """A new subscriber, or None when there are too many: in all, of this owner, or of this address."""
        subscriber = Subscriber(address_key, caller, code_hashes, asyncio.Queue(self._settings.stream_queue))
        if len(self._subscribers) >= self._settings.max_streams:
            return None
        if self._open[subscriber.owner] >= self._settings.limit_streams:
            return None
        if self._open[address_key] >= self._settings.limit_streams_by_address:
            return None
        self._subscribers.add(subscriber)
        self._open.update((subscriber.owner, address_key))
        STREAMS.set(len(self._subscribers))
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        if subscriber in self._subscribers:
            self._subscribers.discard(subscriber)
            for key in (subscriber.owner, subscriber.address_key):
                self._open[key] -= 1
                if self._open[key] <= 0:
                    del self._open[key]
            STREAMS.set(len(self._subscribers))

    def end_streams_of(self, staff_id: UUID) -> None:
        """Ends the streams of an account that was changed; its client opens them again with its new rights."""
        for subscriber in list(self._subscribers):
            if subscriber.caller is not None and subscriber.caller.id == staff_id:
                self._drop(subscriber)

    def end_session(self, session: str) -> None:
        """Ends the streams of a session that has ended."""
        for subscriber in list(self._subscribers):
            if subscriber.caller is not None and subscriber.caller.session == session:
                self._drop(subscriber)

    def end_all(self) -> None:
        """Ends all streams, since the process stops."""
        for subscriber in list(self._subscribers):
            self._drop(subscriber)

    def handle_event(self, name: str, body: bytes) -> None:
        """One event from the broker."""
        kind = name.split(".", 1)[0]
        if kind in ("case", "visit"):
            event = json.loads(body)
            if name == CaseCodeReplaced.name:
                self._end_streams_of_holders(event["case_id"])
            # Else what the bearer of the code is shown has not changed.
            if event.get("noticed", True) or name == CaseCodeReplaced.name:
                for listener in self._case_listeners:
                    listener(UUID(event["case_id"]))
            if code_hash := event["state"].get("code_hash"):
                for code_listener in self._code_listeners:
                    code_listener(code_hash)
            if self._subscribers:
                self._send_case(name, event)
        elif kind == "media":
            event = json.loads(body)
            for media_id in event.get("media") or [event["media_id"]]:  # an erased case's attachments come in one event
                for media_listener in self._media_listeners:
                    media_listener(str(media_id))
        elif kind == "notification" and self._subscribers:
            event = json.loads(body)
            if event.get("case_id") and event.get("channel") == "inbox" and event.get("to_citizen", True):
                self._send_message(event)

    def _end_streams_of_holders(self, case_id: str) -> None:
        """Ends the streams of who holds the code that a case had before; and of the account that it was among the cases of."""
        for subscriber in list(self._subscribers):
            if _is_citizen(subscriber) and case_id in subscriber.case_ids:
                self._drop(subscriber)

    def _send_case(self, name: str, event: dict[str, Any]) -> None:
        state = event["state"]
        noticed = event.get("noticed", True)
        for_staff = _changed(event, event["sequence"])
        # Citizens have a count of their own: with the staff's, entries that they do not see would be gaps in it.
        for_citizen = _changed(event, event.get("public_version") or event["sequence"])
        question = None
        if name.startswith(("case.unit_asked.", "case.unit_answered.")):
            question = _frame(
                "unit_question.changed", {"event": "unit_question.changed", "question_id": event["question_id"]}
            )
        for subscriber in list(self._subscribers):
            if self._may_know(subscriber, event["case_id"], state):
                if not _is_citizen(subscriber):
                    self._put(subscriber, for_staff)
                elif noticed:
                    self._put(subscriber, for_citizen)
            elif question is not None and self._may_answer(subscriber, event["unit_asked"]):
                self._put(subscriber, question)

    def _send_message(self, event: dict[str, Any]) -> None:
        frame = _frame("message.arrived", {"event": "message.arrived", "case_id": event["case_id"]})
        for subscriber in list(self._subscribers):
            if event["case_id"] in subscriber.case_ids:
                self._put(subscriber, frame)

    def _may_know(self, subscriber: Subscriber, case_id: str, state: dict[str, Any]) -> bool:
        caller = subscriber.caller
        if caller is None:
            is_own = case_id in subscriber.case_ids or state.get("code_hash") in subscriber.code_hashes
            if is_own:
                subscriber.case_ids.add(case_id)
            return is_own
        if caller.kind is ActorKind.CITIZEN:
            is_own = state.get("citizen_id") == str(caller.id)
            if is_own:
                subscriber.case_ids.add(case_id)
            return is_own
        sees = caller.roles & {Role.SCREENER, Role.HEAD} or self._handles(caller, state)
        return bool(sees) and not self._has_conflict(caller, state.get("unit"))

    def _handles(self, caller: Caller, state: dict[str, Any]) -> bool:
        """Whether the case is this person's as inspector, deputy of one, or substitute."""
        if Role.SUBSTITUTE in caller.roles:
            about_inspection = self._catalogue_cache.unit_tree.about_inspection(*self._offices)
            if state.get("unit") in about_inspection:
                return True
        if Role.INSPECTOR not in caller.roles:
            return False
        inspectors = {state.get("handler"), *state.get("co_handlers", ()), *state.get("consulted", ())}
        away = (str(absence.staff_id) for absence in self._deputies.stands_in_for(caller.id))
        return not inspectors.isdisjoint((str(caller.id), *away))

    def _has_conflict(self, caller: Caller, unit: str | None) -> bool:
        """Whether this is a member of the unit complained about, or of one below it. True where the tree is not known."""
        if caller.unit is None or unit is None:
            return False
        tree = self._catalogue_cache.unit_tree
        return caller.unit not in tree or tree.has_conflict_of_interest(caller.unit, unit)

    def _may_answer(self, subscriber: Subscriber, unit: str) -> bool:
        caller = subscriber.caller
        if caller is None or Role.LIAISON not in caller.roles or caller.unit is None:
            return False
        away = self._deputies.stands_in_for(caller.id)
        own = {caller.unit, *(absence.unit for absence in away if Role.LIAISON in absence.roles)}
        return not own.isdisjoint(self._catalogue_cache.unit_tree.above(unit))

    def _put(self, subscriber: Subscriber, frame: bytes) -> None:
        try:
            subscriber.queue.put_nowait(frame)
        except asyncio.QueueFull:
            self._drop(subscriber)

    def _drop(self, subscriber: Subscriber) -> None:
        self.unsubscribe(subscriber)
        subscriber.dropped = True
        while not subscriber.queue.empty():
            subscriber.queue.get_nowait()
        subscriber.queue.put_nowait(None)


def _is_citizen(subscriber: Subscriber) -> bool:
    return subscriber.caller is None or subscriber.caller.kind is ActorKind.CITIZEN


def _changed(event: dict[str, Any], version: int) -> bytes:
    change = {"case_id": event["case_id"], "version": version, "stage": event["state"]["stage"]}
    return _frame("case.changed", {"event": "case.changed", **change})


def _frame(event: str, data: dict[str, Any]) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
