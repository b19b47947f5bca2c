"""What the gateway knows about cases by their codes: answers, cached until something happens to the case, and which codes were
issued here and have no case yet.

Keyed by the code's hash and the language. An answer is dropped when tracking, media or notify publish that something
changed, and after a while in any case. While events may be missed nothing is cached. A code whose case does not exist yet is
never cached.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from cachetools import FIFOCache

from contracts.media import UploadState
from contracts.tracking import PublicCase
from contracts.vocabulary import Language
from gateway.edge.metrics import CASE_CACHE

_MAX_CODES = 20_000
_MAX_CHANGES = 20_000

Key = tuple[str, Language]
"""A code's hash and the language of the answer."""


class RecentCodes:
    """The last codes, by hash, that were issued by this gateway or of whose case an event was received, at most `max_codes`.
    A code that was issued and of whose case no event was received is being registered: that is known without asking a service.
    """

    def __init__(self, max_codes: int = _MAX_CODES) -> None:
        self._has_case: FIFOCache[str, bool] = FIFOCache(max_codes)
        self._subscribed = False

    def set_subscribed(self, subscribed: bool) -> None:
        """Whether events are received; when some may be missed, everything is forgotten."""
        self._subscribed = subscribed
        self._has_case.clear()

    def add(self, code_hash: str) -> None:
        """This code was promised to a citizen, for the first time or again."""
        self._set(code_hash, self._has_case.get(code_hash, False))

    def mark_registered(self, code_hash: str) -> None:
        """This code has a case."""
        self._set(code_hash, True)

    def is_registering(self, code_hashes: list[str]) -> bool:
        """Whether one of these was issued here and has no case yet."""
        return any(self._has_case.get(code_hash) is False for code_hash in code_hashes)

    def _set(self, code_hash: str, has_case: bool) -> None:
        if self._subscribed:
            self._has_case[code_hash] = has_case


@dataclass(frozen=True, slots=True)
class _CachedAnswer:
    """`body`: JSON, as it is sent. Bytes, since the objects it is rendered from take five times as much memory."""

    case_id: UUID
    media_ids: tuple[str, ...]
    body: bytes
    expires_at: float

    def size(self) -> int:
        return len(self.body)


class _Answers(FIFOCache[Key, _CachedAnswer]):
    """Calls `on_removal` for whatever leaves it, evicted or deleted."""

    def __init__(self, max_bytes: int, on_removal: Callable[[Key, _CachedAnswer], None]) -> None:
        super().__init__(max_bytes, getsizeof=_CachedAnswer.size)
        self._on_removal = on_removal

    def __delitem__(self, key: Key) -> None:
        answer = self[key]
        super().__delitem__(key)
        self._on_removal(key, answer)


class CaseCache:
    """At most `max_entries` answers of `max_bytes` together, each for at most `seconds`."""

    def __init__(self, max_entries: int, max_bytes: int, seconds: float) -> None:
        self._max_entries, self._max_bytes, self._seconds = max_entries, max_bytes, seconds
        self._answers = _Answers(max_bytes, self._unindex)
        self._keys_by_case: dict[UUID, set[Key]] = {}
        self._case_by_media: dict[str, UUID] = {}
        # When a case last changed: an answer requested before that is outdated already when it arrives.
        self._changed_at: FIFOCache[UUID, float] = FIFOCache(_MAX_CHANGES)
        self._subscribed_since: float | None = None

    def __len__(self) -> int:
        return len(self._answers)

    def set_subscribed(self, subscribed: bool) -> None:
        """Whether events are received; without them nothing is cached."""
        self._subscribed_since = time.monotonic() if subscribed else None
        self._answers.clear()
        self._keys_by_case.clear()
        self._case_by_media.clear()

    def get(self, key: Key) -> bytes | None:
        answer = self._answers.get(key)
        if answer is None or answer.expires_at < time.monotonic():
            CASE_CACHE.labels("miss").inc()
            return None
        CASE_CACHE.labels("hit").inc()
        return answer.body

    def put(self, key: Key, case: PublicCase, body: bytes, requested_at: float) -> None:
        """Caches an answer that was requested at `requested_at` (monotonic), unless it may be outdated or will soon be."""
        since = self._subscribed_since
        if since is None or requested_at < since or requested_at <= self._changed_at.get(case.case_id, -1.0):
            return
        # Media's event about an attachment reaches the gateway and tracking at once: tracking's answer may be the older one.
        if any(attachment.state in (UploadState.OPEN, UploadState.PROCESSING) for attachment in case.attachments):
            return
        self._answers.pop(key, None)
        if len(body) > self._max_bytes:
            return
        media_ids = tuple(attachment.media_id for attachment in case.attachments)
        self._answers[key] = _CachedAnswer(case.case_id, media_ids, body, time.monotonic() + self._seconds)
        self._keys_by_case.setdefault(case.case_id, set()).add(key)
        for media_id in media_ids:
            self._case_by_media[media_id] = case.case_id
        while len(self._answers) > self._max_entries:
            self._answers.popitem()

    def invalidate(self, case_id: UUID) -> None:
        """This case changed."""
        self._changed_at[case_id] = time.monotonic()
        for key in list(self._keys_by_case.get(case_id, ())):
            del self._answers[key]

    def invalidate_media(self, media_id: str) -> None:
        """This attachment changed."""
        case_id = self._case_by_media.get(media_id)
        if case_id is not None:
            self.invalidate(case_id)

    def _unindex(self, key: Key, answer: _CachedAnswer) -> None:
        keys = self._keys_by_case[answer.case_id]
        keys.discard(key)
        if not keys:
            del self._keys_by_case[answer.case_id]
            for media_id in answer.media_ids:
                self._case_by_media.pop(media_id, None)
