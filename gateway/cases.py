"""Answers to "where is my case?", kept until something happens to the case.

Keyed by the code's hash. An answer is forgotten when tracking, media or notify say that something changed, and after a
while anyway. While events may be missed nothing is kept. A code whose case does not exist yet is never kept.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from uuid import UUID

from contracts.media import UploadState
from contracts.tracking import PublicCase
from contracts.vocabulary import Language
from gateway.metrics import CACHE

_DROPS_KEPT = 20_000


@dataclass(slots=True)
class Kept:
    """`rendered`: the answer's bytes by language, made when first asked for."""

    case: PublicCase
    until: float
    rendered: dict[Language, bytes] = field(default_factory=dict)


class Cases:
    """At most `most` cases, each for at most `seconds`."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._codes: dict[UUID, set[str]] = {}
        self._media: dict[str, UUID] = {}
        # When a case last changed: an answer asked for before that is old already when it comes.
        self._dropped: OrderedDict[UUID, float] = OrderedDict()
        self._listening_since: float | None = None

    def subscription(self, subscribed: bool) -> None:
        """Whether events are heard; without them nothing is kept."""
        self._listening_since = time.monotonic() if subscribed else None
        self._kept.clear()
        self._codes.clear()
        self._media.clear()

    def get(self, code_hash: str) -> Kept | None:
        kept = self._kept.get(code_hash)
        if kept is None or kept.until < time.monotonic():
            CACHE.labels("miss").inc()
            return None
        CACHE.labels("hit").inc()
        return kept

    def put(self, code_hash: str, case: PublicCase, asked_at: float) -> Kept:
        """Keeps an answer that was asked for at `asked_at` (monotonic), unless it may be old or is about to change."""
        kept = Kept(case, time.monotonic() + self._seconds)
        since = self._listening_since
        if since is None or asked_at < since or self._most == 0 or asked_at <= self._dropped.get(case.case_id, -1.0):
            return kept
        # What media says about an attachment reaches us and tracking at once: tracking's answer may be the older.
        if any(one.state in (UploadState.OPEN, UploadState.PROCESSING) for one in case.attachments):
            return kept
        self._kept[code_hash] = kept
        self._kept.move_to_end(code_hash)
        self._codes.setdefault(case.case_id, set()).add(code_hash)
        for one in case.attachments:
            self._media[one.media_id] = case.case_id
        while len(self._kept) > self._most:
            oldest, gone = self._kept.popitem(last=False)
            self._forget(oldest, gone.case)
        return kept

    def drop(self, case_id: UUID) -> None:
        """Something happened to this case."""
        self._dropped[case_id] = time.monotonic()
        self._dropped.move_to_end(case_id)
        if len(self._dropped) > _DROPS_KEPT:
            self._dropped.popitem(last=False)
        for code_hash in list(self._codes.get(case_id, ())):
            gone = self._kept.pop(code_hash, None)
            if gone is not None:
                self._forget(code_hash, gone.case)

    def drop_media(self, media_id: str) -> None:
        """Something happened to this attachment."""
        case_id = self._media.get(media_id)
        if case_id is not None:
            self.drop(case_id)

    def __len__(self) -> int:
        return len(self._kept)

    def _forget(self, code_hash: str, case: PublicCase) -> None:
        codes = self._codes.get(case.case_id)
        if codes is not None:
            codes.discard(code_hash)
            if not codes:
                del self._codes[case.case_id]
                for one in case.attachments:
                    self._media.pop(one.media_id, None)
