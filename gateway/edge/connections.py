"""How many connections there may be, in all and of one address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from contracts.errors import PeygirError


class TooManyConnections(PeygirError):
    code = "too_many_connections"
    status = 503


class ConnectionCounter:
    """The open connections of this process. `key_of`: the key that a peer's address is counted under; `is_proxy`: a trusted
    proxy connects for many clients, so it counts against the total alone."""

    def __init__(
        self, limit: int, limit_of_address: int, key_of: Callable[[str], str], is_proxy: Callable[[str], bool]
    ) -> None:
        self._limit, self._limit_of_address = limit, limit_of_address
        self._key_of, self._is_proxy = key_of, is_proxy
        self._open: Counter[str] = Counter()
        self._total = 0

    def __len__(self) -> int:
        return self._total

    def enter(self, peer: str) -> bool:
        """Counts a connection, for which `leave` has to be called; whether it is one too many."""
        key = self._key_of(peer)
        self._total += 1
        self._open[key] += 1
        return self._total > self._limit or (self._open[key] > self._limit_of_address and not self._is_proxy(peer))

    def leave(self, peer: str) -> None:
        key = self._key_of(peer)
        self._total -= 1
        self._open[key] -= 1
        if self._open[key] <= 0:
            del self._open[key]
