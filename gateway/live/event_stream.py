"""Changes, sent to the open streams of those who may know of them (DESIGN: Live).

    bearer of a code   their case, where what they are shown of it has changed
    citizen            their own cases (`citizen_id` of the snapshot), likewise
    screener, head     every case but those of a unit they belong to, or that stands above theirs (conflict of interest)
    inspector          the cases they handle, alone or beside another, or are asked for advice on, with the same exception
    substitute         the cases about the inspection itself, with the same exception
    liaison            questions to their unit or one below; never the case
    staff              of these cases also who looks at them (presence.py), and that the citizen or a unit wrote
    deputy             also what whoever is away has as inspector or liaison; their own conflict of interest holds
    staff              how far their own bulk commands are

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

from contracts.presence import PresentStaff
from contracts.tracking import CaseCodeReplaced
from contracts.vocabulary import ActorKind, Role
from gateway.auth.browser_sessions import OpenSession
from gateway.auth.deputies import Deputies
from gateway.auth.staff_names import StaffNames
from gateway.auth.tokens import Caller
from gateway.edge.metrics import STREAMS
from gateway.live.event_authors import author_for_citizen, author_for_staff, writer_of
from gateway.settings import Settings
from gateway.submissions.catalogue_cache import CatalogueCache


@dataclass(eq=False)
class Subscriber:
    """One open stream. `case_ids`: the cases that it has received changes of. `queue` ends with None. `session`: of the browser
    that opened it by its cookie."""

    address_key: str
    caller: Caller | None
    code_hashes: frozenset[str]
    queue: asyncio.Queue[bytes | None]
    dropped: bool = False
    case_ids: set[str] = field(default_factory=set)
    session: OpenSession | None = None

    @property
    def session_id(self) -> str | None:
        """Of the session that it ends with."""
        if self.session is not None:
            return self.session.id
        return self.caller.session if self.caller is not None else None

    @property
    def valid_until(self) -> float:
        """Until when, in epoch seconds, what is known of the session holds."""
        if self.session is not None:
            return self.session.valid_until
        return self.caller.expires_at if self.caller is not None else float("inf")

    @property
    def owner(self) -> str:
        """Whose streams are counted together: those of an account, or of the bearers of a code."""
        return str(self.caller.id) if self.caller is not None else "".join(sorted(self.code_hashes))

    @property
    def counted_by(self) -> tuple[str, ...]:
        """Who is signed in is known, and counted alone: a carrier or an office puts many of them behind one address."""
        return (self.owner,) if self.caller is not None else (self.owner, self.address_key)


class EventStream:
    """Receives events and forwards each to the subscribers it is for."""

    def __init__(
        self, settings: Settings, catalogue_cache: CatalogueCache, deputies: Deputies, staff_names: StaffNames
    ) -> None:
        self._staff_names = staff_names
        self._offices = (settings.inspection_unit, settings.mayor_unit)
        self._settings, self._catalogue_cache, self._deputies = settings, catalogue_cache, deputies
        self._subscribers: set[Subscriber] = set()
        # Open streams by owner, and by address, which may be that of a whole office.
        self._open: Counter[str] = Counter()
        self._case_listeners: list[Callable[[UUID], None]] = []
        self._code_listeners: list[Callable[[str], None]] = []
        self._media_listeners: list[Callable[[str], None]] = []
        self._state_listeners: list[Callable[[UUID, dict[str, Any]], None]] = []

    def add_case_listener(self, listener: Callable[[UUID], None]) -> None:
        """`listener(case_id)` is called for each case that changes."""
        self._case_listeners.append(listener)

    def add_code_listener(self, listener: Callable[[str], None]) -> None:
        """`listener(code_hash)` is called for each event of the case of a code."""
        self._code_listeners.append(listener)

    def add_media_listener(self, listener: Callable[[str], None]) -> None:
        """`listener(media_id)` is called for each attachment that changes."""
        self._media_listeners.append(listener)

    def add_state_listener(self, listener: Callable[[UUID, dict[str, Any]], None]) -> None:
        """`listener(case_id, state)` is called for each event of a case, with the snapshot that came with it."""
        self._state_listeners.append(listener)

    def is_crowded(self, address_key: str) -> bool:
        """Whether an address has as many streams of holders of codes as it may have without more."""
        return self._open[address_key] >= self._settings.limit_streams_by_address

    def subscribe(
        self,
        address_key: str,
        caller: Caller | None,
        code_hashes: frozenset[str],
        session: OpenSession | None = None,
    ) -> Subscriber | None:
        """A new subscriber, or None when there are too many: in all, or of this owner. Whether there are too many of an address
        is asked before (`is_crowded`)."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(self._settings.stream_queue)
        subscriber = Subscriber(address_key, caller, code_hashes, queue, session=session)
        if len(self._subscribers) >= self._settings.max_streams:
            return None
        if self._open[subscriber.owner] >= self._settings.limit_streams:
            return None
        self._subscribers.add(subscriber)
        self._open.update(subscriber.counted_by)
        STREAMS.set(len(self._subscribers))
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        if subscriber in self._subscribers:
            self._subscribers.discard(subscriber)
            for key in subscriber.counted_by:
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
            if subscriber.session_id == session:
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
            for state_listener in self._state_listeners:
                state_listener(UUID(event["case_id"]), event["state"])
            if self._subscribers:
                self._send_case(name, event)
        elif kind == "media":
            event = json.loads(body)
            for media_id in event.get("media") or [event["media_id"]]:  # an erased case's attachments come in one event
                for media_listener in self._media_listeners:
                    media_listener(str(media_id))
        elif kind == "bulk" and self._subscribers:
            self._send_bulk(json.loads(body))
        elif kind == "notification" and self._subscribers:
            event = json.loads(body)
            if event.get("case_id") and event.get("channel") == "inbox" and event.get("to_citizen", True):
                self._send_message(event)

    def send_presence(self, case_id: str, audience: dict[str, Any], present: list[PresentStaff]) -> None:
        """Who of the staff has a case before them now, to the staff who may know of it."""
        people = [person.model_dump(mode="json") for person in present]
        frame = _frame("presence.changed", {"event": "presence.changed", "case_id": case_id, "present": people})
        for subscriber in list(self._subscribers):
            if not _is_citizen(subscriber) and self._may_know(subscriber, case_id, audience):
                self._put(subscriber, frame)

    def _end_streams_of_holders(self, case_id: str) -> None:
        """Ends the streams of who holds the code that a case had before; and of the account that it was among the cases of."""
        for subscriber in list(self._subscribers):
            if _is_citizen(subscriber) and case_id in subscriber.case_ids:
                self._drop(subscriber)

    def _send_case(self, name: str, event: dict[str, Any]) -> None:
        state = event["state"]
        noticed = event.get("noticed", True)
        for_staff = _changed(event, event["sequence"], author_for_staff(name, event, self._staff_names.of))
        # Citizens have a count of their own: with the staff's, entries that they do not see would be gaps in it.
        version = event.get("public_version") or event["sequence"]
        for_citizen = _changed(event, version, author_for_citizen(name, event))
        writer = writer_of(name, event)
        wrote = {"event": "message.arrived", "case_id": event["case_id"], "from": writer}
        arrived = _frame("message.arrived", wrote) if writer is not None else None
        question = None
        if name.startswith(("case.unit_asked.", "case.unit_answered.")):
            question = _frame(
                "unit_question.changed", {"event": "unit_question.changed", "question_id": event["question_id"]}
            )
        for subscriber in list(self._subscribers):
            if self._may_know(subscriber, event["case_id"], state):
                if not _is_citizen(subscriber):
                    self._put(subscriber, for_staff)
                    if arrived is not None:
                        self._put(subscriber, arrived)
                elif noticed:
                    self._put(subscriber, for_citizen)
            elif question is not None and self._may_answer(subscriber, event["unit_asked"]):
                self._put(subscriber, question)

    def _send_bulk(self, event: dict[str, Any]) -> None:
        told = ("bulk_id", "state", "total", "done", "succeeded", "refused")
        frame = _frame("bulk.progressed", {"event": "bulk.progressed", **{name: event[name] for name in told}})
        for subscriber in list(self._subscribers):
            caller = subscriber.caller
            if caller is not None and caller.kind is ActorKind.STAFF and str(caller.id) == event["owner"]:
                self._put(subscriber, frame)

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


def _changed(event: dict[str, Any], version: int, by: dict[str, str | None] | None) -> bytes:
    change = {"case_id": event["case_id"], "version": version, "stage": event["state"]["stage"]}
    return _frame("case.changed", {"event": "case.changed", **change, **({"by": by} if by is not None else {})})


def _frame(event: str, data: dict[str, Any]) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
