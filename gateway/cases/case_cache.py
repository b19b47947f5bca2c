"""What is known here of "where is my case?": answers, kept until something happens to the case, and which codes were given
here and have no case yet.

Keyed by the code's hash and the language. An answer is forgotten when tracking, media or notify say that something
changed, and after a while anyway. While events may be missed nothing is kept. A code whose case does not exist yet is
never kept.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from contracts.media import UploadState
from contracts.tracking import PublicCase
from contracts.vocabulary import Language
from gateway.edge.metrics import CACHE

_DROPS_KEPT = 20_000


Key = tuple[str, Language]
"""A code's hash and the language of the answer."""


@dataclass(frozen=True, slots=True)
class Kept:
    """`answer`: JSON, as it is sent. Bytes, since the objects it was made of take five times as much."""

    case_id: UUID
    media: tuple[str, ...]
    answer: bytes
    until: float


class RecentCodes:
    """The last `most` codes, by hash, that were given here or of whose case something was heard: while a code's case has
    neither been seen nor heard of, it is being registered, and that can be said without asking anyone."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._has_case: OrderedDict[str, bool] = OrderedDict()
        self._listening = False

    def subscription(self, subscribed: bool) -> None:
        """Whether events are heard; when some may be missed, nothing is known any more."""
        self._listening = subscribed
        self._has_case.clear()

    def given(self, code_hash: str) -> None:
        """This code was promised to a citizen, for the first time or again."""
        self._note(code_hash, self._has_case.get(code_hash, False))

    def has_case(self, code_hash: str) -> None:
        self._note(code_hash, True)

    def registering(self, code_hashes: list[str]) -> bool:
        """Whether one of these was given here and has no case yet."""
        return any(self._has_case.get(code_hash) is False for code_hash in code_hashes)

    def _note(self, code_hash: str, has_case: bool) -> None:
        if not self._listening:
            return
        self._has_case[code_hash] = has_case
        self._has_case.move_to_end(code_hash)
        if len(self._has_case) > self._most:
            self._has_case.popitem(last=False)


class CaseCache:
    """At most `most` answers of `size` bytes together, each for at most `seconds`."""

    def __init__(self, most: int, size: int, seconds: float) -> None:
        self._most, self._size, self._seconds = most, size, seconds
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._held = 0
        self._keys: dict[UUID, set[Key]] = {}
        self._media: dict[str, UUID] = {}
        # When a case last changed: an answer asked for before that is old already when it comes.
        self._dropped: OrderedDict[UUID, float] = OrderedDict()
        self._listening_since: float | None = None

    def subscription(self, subscribed: bool) -> None:
        """Whether events are heard; without them nothing is kept."""
        self._listening_since = time.monotonic() if subscribed else None
        self._kept.clear()
        self._keys.clear()
        self._media.clear()
        self._held = 0

    def get(self, key: Key) -> bytes | None:
        kept = self._kept.get(key)
        if kept is None or kept.until < time.monotonic():
            CACHE.labels("miss").inc()
            return None
        CACHE.labels("hit").inc()
        return kept.answer

    def put(self, key: Key, case: PublicCase, answer: bytes, asked_at: float) -> None:
        """Keeps an answer that was asked for at `asked_at` (monotonic), unless it may be old or is about to change."""
        since = self._listening_since
        if since is None or asked_at < since or asked_at <= self._dropped.get(case.case_id, -1.0):
            return
        # What media says about an attachment reaches us and tracking at once: tracking's answer may be the older.
        if any(one.state in (UploadState.OPEN, UploadState.PROCESSING) for one in case.attachments):
            return
        if key in self._kept:
            self._forget(key)
        media = tuple(one.media_id for one in case.attachments)
        self._kept[key] = Kept(case.case_id, media, answer, time.monotonic() + self._seconds)
        self._held += len(answer)
        self._keys.setdefault(case.case_id, set()).add(key)
        for media_id in media:
            self._media[media_id] = case.case_id
        while len(self._kept) > self._most or self._held > self._size:
            self._forget(next(iter(self._kept)))

    def drop(self, case_id: UUID) -> None:
        """Something happened to this case."""
        self._dropped[case_id] = time.monotonic()
        self._dropped.move_to_end(case_id)
        if len(self._dropped) > _DROPS_KEPT:
            self._dropped.popitem(last=False)
        for key in list(self._keys.get(case_id, ())):
            self._forget(key)

    def drop_media(self, media_id: str) -> None:
        """Something happened to this attachment."""
        case_id = self._media.get(media_id)
        if case_id is not None:
            self.drop(case_id)

    def __len__(self) -> int:
        return len(self._kept)

    def _forget(self, key: Key) -> None:
        gone = self._kept.pop(key)
        self._held -= len(gone.answer)
        keys = self._keys[gone.case_id]
        keys.discard(key)
        if not keys:
            del self._keys[gone.case_id]
            for media_id in gone.media:
                self._media.pop(media_id, None)
