"""The memory of limits in one process: what the `limits` library counts in when there is no shared storage."""

from __future__ import annotations

import math
import time

from cachetools import FIFOCache
from limits.aio.storage import Storage
from limits.aio.storage.base import SlidingWindowCounterSupport

_MAX_KEYS = 200_000


class BoundedMemoryStorage(Storage, SlidingWindowCounterSupport):
    """Two counters for each key, and at most `max_keys` keys: those not counted for the longest time are dropped.

    The library's own memory storage walks through all its keys at each hit, and grows without bound.
    """

    STORAGE_SCHEME = None

    def __init__(self, max_keys: int = _MAX_KEYS) -> None:
        super().__init__()
        # key → (number of its current window, hits in the window before, hits in this one)
        self._counters: FIFOCache[str, tuple[int, int, int]] = FIFOCache(max_keys)

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def _read(self, key: str, expiry: int) -> tuple[int, int, int, float]:
        position = time.time() / expiry
        window = int(position)
        last_window, before, now = self._counters.get(key, (window, 0, 0))
        if last_window == window - 1:
            before, now = now, 0
        elif last_window != window:
            before, now = 0, 0
        return window, before, now, position - window

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        window, before, now, elapsed = self._read(key, expiry)
        if math.floor(before * (1 - elapsed) + now) + amount > limit:
            return False
        self._counters[key] = (window, before, now + amount)
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        _, before, now, elapsed = self._read(key, expiry)
        return before, (1 - elapsed) * expiry if before else 0.0, now, (1 - elapsed) * expiry + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        self._counters.pop(key, None)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        await self.acquire_sliding_window_entry(key, 2**62, expiry, amount)
        return self._counters[key][2]

    async def get(self, key: str) -> int:
        return self._counters.get(key, (0, 0, 0))[2]

    async def get_expiry(self, key: str) -> float:
        return time.time()

    async def check(self) -> bool:
        return True

    async def reset(self) -> int | None:
        self._counters.clear()
        return None

    async def clear(self, key: str) -> None:
        self._counters.pop(key, None)
