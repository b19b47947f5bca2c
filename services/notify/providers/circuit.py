"""Which providers are not called for a while, since they can send nothing."""

from __future__ import annotations

import time
from collections.abc import Callable


class CircuitBreaker:
    """One per process: a pause is short, and what it costs another process to find out is one call."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open_until: dict[str, tuple[float, str]] = {}

    def open(self, provider: str, seconds: float, reason: str) -> None:
        if seconds > 0:
            self._open_until[provider] = (self._clock() + seconds, reason)

    def reason(self, provider: str) -> str | None:
        """Why the provider is not called now; None when it may be."""
        until, reason = self._open_until.get(provider, (0.0, ""))
        return reason if self._clock() < until else None

    def remaining(self, provider: str) -> float:
        """Seconds until it may be called again."""
        until, _ = self._open_until.get(provider, (0.0, ""))
        return max(0.0, until - self._clock())
