"""What changes, told to those who may know (DESIGN: Live).

    bearer of a code   their case, where what they are shown of it has changed
    citizen            their own cases (`citizen_id` of the snapshot), likewise
    screener, head     every case but those of a unit they belong to, or that stands above theirs (conflict of interest)
    inspector          the cases they handle, with the same exception
    liaison            questions to their unit or one below; never the case

A reader that does not read is dropped: it opens the stream again and reads the state.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.vocabulary import ActorKind, Role
from gateway.auth.tokens import Caller
from gateway.edge.metrics import STREAMS
from gateway.settings import Settings
from gateway.submissions.catalogue_cache import CatalogueCache


@dataclass(eq=False)
class Reader:
    """One open stream. `case_id`: the case of a code's bearer. `queue` ends with None."""

    address_key: str
    caller: Caller | None
    code_hashes: frozenset[str]
    queue: asyncio.Queue[bytes | None]
    dropped: bool = False
    case_ids: set[str] = field(default_factory=set)

    @property
    def owner(self) -> str:
        """Whose stream it is: an account's, or that of whoever holds a code."""
        return str(self.caller.id) if self.caller is not None else "".join(sorted(self.code_hashes))


class EventStream:
    """Hears events and hands them to the readers they are for."""

    def __init__(self, settings: Settings, catalogue_cache: CatalogueCache) -> None:
        self._settings, self._shelf = settings, catalogue_cache
        self._readers: set[Reader] = set()
        # Open streams by owner, and by address, which may be that of a whole office.
        self._open: Counter[str] = Counter()
        self._on_case: list[Callable[[UUID], None]] = []
        self._on_code: list[Callable[[str], None]] = []
        self._on_media: list[Callable[[str], None]] = []

    def on_case(self, listener: Callable[[UUID], None]) -> None:
        """`listener(case_id)` whenever a case changed."""
        self._on_case.append(listener)

    def on_code(self, listener: Callable[[str], None]) -> None:
        """`listener(code_hash)` whenever something is heard of the case of this code."""
        self._on_code.append(listener)

    def on_media(self, listener: Callable[[str], None]) -> None:
        """`listener(media_id)` whenever an attachment changed."""
        self._on_media.append(listener)

    def open(self, address_key: str, caller: Caller | None, code_hashes: frozenset[str]) -> Reader | None:
        """A new reader, or None when there are too many (of this owner, or this address)."""
        reader = Reader(address_key, caller, code_hashes, asyncio.Queue(self._settings.stream_queue))
        if len(self._readers) >= self._settings.max_streams:
            return None
        if self._open[reader.owner] >= self._settings.limit_streams:
            return None
        if self._open[address_key] >= self._settings.limit_streams_by_address:
            return None
        self._readers.add(reader)
        self._open.update((reader.owner, address_key))
        STREAMS.set(len(self._readers))
        return reader

    def close(self, reader: Reader) -> None:
        if reader in self._readers:
            self._readers.discard(reader)
            for counted in (reader.owner, reader.address_key):
                self._open[counted] -= 1
                if self._open[counted] <= 0:
                    del self._open[counted]
            STREAMS.set(len(self._readers))

    def end_of(self, staff_id: UUID) -> None:
        """Their account was changed: they open the stream again, as who they are now."""
        for reader in list(self._readers):
            if reader.caller is not None and reader.caller.id == staff_id:
                self._drop(reader)

    def end_session(self, session: str) -> None:
        """The session has ended, and its streams with it."""
        for reader in list(self._readers):
            if reader.caller is not None and reader.caller.session == session:
                self._drop(reader)

    def end_all(self) -> None:
        """The process stops: every stream ends."""
        for reader in list(self._readers):
            self._drop(reader)

    def heard(self, name: str, body: bytes) -> None:
        """One event from the bus."""
        kind = name.split(".", 1)[0]
        if kind in ("case", "visit"):
            event = json.loads(body)
            if event.get("noticed", True):  # else what is kept for who holds the code is as true as before
                for on_case in self._on_case:
                    on_case(UUID(event["case_id"]))
            if code_hash := event["state"].get("code_hash"):
                for on_code in self._on_code:
                    on_code(code_hash)
            if self._readers:
                self._tell_case(name, event)
        elif kind == "media":
            event = json.loads(body)
            for media_id in event.get("media") or [event["media_id"]]:  # those of a case that were erased come together
                for on_media in self._on_media:
                    on_media(str(media_id))
        elif kind == "notification" and self._readers:
            event = json.loads(body)
            if event.get("case_id") and event.get("channel") == "inbox" and event.get("to_citizen", True):
                self._tell_message(event)

    def _tell_case(self, name: str, event: dict[str, Any]) -> None:
        state = event["state"]
        noticed = event.get("noticed", True)
        of_office = _changed(event, event["sequence"])
        # The citizen's count is their own: one of the office's entries between two of theirs would be a gap in it.
        of_citizen = _changed(event, event.get("public_version") or event["sequence"])
        question = None
        if name.startswith(("case.unit_asked.", "case.unit_answered.")):
            question = _frame(
                "unit_question.changed", {"event": "unit_question.changed", "question_id": event["question_id"]}
            )
        for reader in list(self._readers):
            if self._may_know(reader, event["case_id"], state):
                if not _is_citizen(reader):
                    self._put(reader, of_office)
                elif noticed:
                    self._put(reader, of_citizen)
            elif question is not None and self._is_asked(reader, event["unit_asked"]):
                self._put(reader, question)

    def _tell_message(self, event: dict[str, Any]) -> None:
        told = _frame("message.arrived", {"event": "message.arrived", "case_id": event["case_id"]})
        for reader in list(self._readers):
            if event["case_id"] in reader.case_ids:
                self._put(reader, told)

    def _may_know(self, reader: Reader, case_id: str, state: dict[str, Any]) -> bool:
        caller = reader.caller
        if caller is None:
            mine = case_id in reader.case_ids or state.get("code_hash") in reader.code_hashes
            if mine:
                reader.case_ids.add(case_id)
            return mine
        if caller.kind is ActorKind.CITIZEN:
            mine = state.get("citizen_id") == str(caller.id)
            if mine:
                reader.case_ids.add(case_id)
            return mine
        handles = Role.INSPECTOR in caller.roles and state.get("handler") == str(caller.id)
        if not handles and not caller.roles & {Role.SCREENER, Role.HEAD}:
            return False
        return not self._conflict(caller, state.get("unit"))

    def _conflict(self, caller: Caller, unit: str | None) -> bool:
        """A member of the unit complained about, or of one below it. Not known: withheld."""
        if caller.unit is None or unit is None:
            return False
        above = self._shelf.ancestors(caller.unit)
        return above is None or unit in above

    def _is_asked(self, reader: Reader, unit: str) -> bool:
        caller = reader.caller
        if caller is None or Role.LIAISON not in caller.roles or caller.unit is None:
            return False
        above = self._shelf.ancestors(unit)
        return caller.unit == unit if above is None else caller.unit in above

    def _put(self, reader: Reader, frame: bytes) -> None:
        try:
            reader.queue.put_nowait(frame)
        except asyncio.QueueFull:
            self._drop(reader)

    def _drop(self, reader: Reader) -> None:
        self.close(reader)
        reader.dropped = True
        while not reader.queue.empty():
            reader.queue.get_nowait()
        reader.queue.put_nowait(None)


def _is_citizen(reader: Reader) -> bool:
    return reader.caller is None or reader.caller.kind is ActorKind.CITIZEN


def _changed(event: dict[str, Any], version: int) -> bytes:
    told = {"case_id": event["case_id"], "version": version, "stage": event["state"]["stage"]}
    return _frame("case.changed", {"event": "case.changed", **told})


def _frame(event: str, data: dict[str, Any]) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
