"""Budgets of requests, by the `limits` library: in this process's memory, or in Valkey once several gateways run.

Addresses are stored nowhere: what is counted is an HMAC of the address under a salt that changes daily. The salt is derived
from a key that all gateways share, so that they count together, and so that accounts, which is sent the HMAC and keeps a
keyed hash of it, counts one address alike whichever gateway it came by.

Which budget is spent when is decided in one place: gateway/edge/admission.py.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Mapping

from cachetools import LRUCache
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerSecond, parse_many
from limits.aio.storage import Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.storage import storage_from_string

from backbone.process import logs
from contracts.errors import TooMany
from gateway.edge.client_addresses import client_network, is_address, is_within, site_network
from gateway.edge.limit_storage import BoundedMemoryStorage
from gateway.edge.metrics import LIMITED
from gateway.settings import Settings

log = logs.get("limits")

_DAY = 86_400
_CACHED_KEYS = 1_000
_MAX_HOPS = 20

_ANY_NUMBER = 2**31
"""More than is ever counted: the limit of counters that refuse nothing."""
_NETWORK_MARK = "-"
STORAGE_PAUSE = 5.0
"""Seconds in which a shared storage that did not answer is not asked again."""
_STORAGE_TIMEOUTS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
"""In seconds; without them the client of a shared storage waits for ever."""


class Limits:
    """Budgets by name, such as "submissions"; their rates are settings (`limit_<budget>`)."""

    def __init__(self, settings: Settings) -> None:
        shared = settings.limits_url
        self._shared_key = settings.code_derive_key.get_secret_value()
        storage: Storage = (
            BoundedMemoryStorage()
            if shared is None
            else storage_from_string(f"async+{shared.get_secret_value()}", **_STORAGE_TIMEOUTS)  # type: ignore[assignment]  # async+ gives an aio storage; its options go to the client
        )
        self._storage_paused_until = 0.0
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._budgets: Mapping[str, list[RateLimitItem]] = {
            name.removeprefix("limit_"): [] if rate == "off" else parse_many(rate)
            for name, rate in settings
            if name.startswith("limit_") and isinstance(rate, str)
        }
        self._proxies = settings.trusted_proxies
        self._salt: tuple[int, bytes] = (-1, b"")
        # Address → key, so that an HMAC is not computed for each request.
        self._keys: LRUCache[str, str] = LRUCache(_CACHED_KEYS)

    async def spend(self, budget: str, key: str, amount: int = 1) -> None:
        """Takes `amount` from the budget that `key` has; TooMany, with the seconds to wait, when that is not left, and then
        nothing is taken."""
        items = self._budgets[budget]
        for position, item in enumerate(items):
            if not await self._hit(item, budget, key, amount):
                LIMITED.labels(budget).inc()
                for spent in items[:position]:
                    await self._hit(spent, budget, key, -amount)
                raise TooMany(retry_after=await self._wait(item, budget, key))

    async def give_back(self, budget: str, key: str, amount: int = 1) -> None:
        """Returns what was taken for something that costs nothing after all."""
        for item in self._budgets[budget]:
            await self._hit(item, budget, key, -amount)

    async def used(self, budget: str, key: str) -> int:
        """How much of the budget's first rate is used; 0 where there is no limit."""
        items = self._budgets[budget]
        return await self._used(items[0], budget, key) if items else 0

    async def count(self, counter: str, key: str) -> None:
        """Counts one within the hour, of something that has no limit of its own."""
        await self._hit(RateLimitItemPerHour(_ANY_NUMBER), counter, key)

    async def recent_count(self, counter: str, key: str) -> int:
        """How many were counted within the hour."""
        return await self._used(RateLimitItemPerHour(_ANY_NUMBER), counter, key)

    async def use_once(self, counter: str, key: str, seconds: int) -> bool:
        """True the first time within `seconds`, and False from then on."""
        # The whole of a large budget at once: the part of it that still counts in the next window is then enough to refuse.
        item = RateLimitItemPerSecond(_ANY_NUMBER, seconds)
        return await self._hit(item, counter, key, _ANY_NUMBER)

    def is_limited(self, budget: str) -> bool:
        """Whether this budget has a limit at all."""
        return bool(self._budgets[budget])

    def address_key(self, address: str) -> str:
        """The key of an address today. All of an IPv6 /64 has one key, which also names its /48."""
        salt = self._todays_salt()
        key = self._keys.get(address)
        if key is None:
            key = _keyed(salt, client_network(address))[:32]
            site = site_network(address)
            if site is not None:
                key = f"{_keyed(salt, site)[:16]}{_NETWORK_MARK}{key[:16]}"
            self._keys[address] = key
        return key

    def secret_key(self, text: str) -> str:
        """What stands for something that is stored nowhere, such as a mobile, today."""
        return _keyed(self._todays_salt(), text)[:32]

    def client_address(self, client: tuple[str, int] | None, forwarded_for: str | None) -> str:
        """The client's address: X-Forwarded-For, read from its end, as far as trusted proxies wrote it."""
        peer = client[0] if client else "unknown"
        if not forwarded_for or not self._proxies or not is_within(self._proxies, peer):
            return peer
        for hop in reversed([part.strip() for part in forwarded_for.split(",")][-_MAX_HOPS:]):
            if not is_address(hop):
                return peer
            peer = hop
            if not is_within(self._proxies, hop):
                break
        return peer

    async def _used(self, item: RateLimitItem, counter: str, key: str) -> int:
        try:
            stats = await self._limiter.get_window_stats(item, counter, key)
        except Exception:  # noqa: BLE001  # whatever the client raises; `_hit` logs it
            return 0
        return item.amount - stats.remaining

    async def _hit(self, item: RateLimitItem, counter: str, key: str, cost: int = 1) -> bool:
        """Counts `cost`; whether it is within the limit. While the storage fails, everything is allowed, and it is
        not asked again for a while."""
        if time.monotonic() < self._storage_paused_until:
            return True
        try:
            return await self._limiter.hit(item, counter, key, cost=cost)
        except Exception as error:  # noqa: BLE001  # whatever the client raises
            self._storage_paused_until = time.monotonic() + STORAGE_PAUSE
            log.warning("the limits' storage cannot be reached", error=type(error).__name__)
            return True

    async def _wait(self, item: RateLimitItem, budget: str, key: str) -> int:
        try:
            stats = await self._limiter.get_window_stats(item, budget, key)
        except Exception:  # noqa: BLE001  # the same
            return item.get_expiry()
        return max(1, min(item.get_expiry(), math.ceil(stats.reset_time - time.time())))

    def _todays_salt(self) -> bytes:
        day = int(time.time() // _DAY)
        if self._salt[0] != day:
            salt = hmac.new(self._shared_key, b"limits\0" + str(day).encode(), hashlib.sha256).digest()
            self._salt = (day, salt)
            self._keys.clear()
        return self._salt[1]


def network_of(address_key: str) -> str | None:
    """The part of an address's key that stands for its IPv6 /48; None for IPv4. One customer may have all 65,536 /64 of it."""
    network, mark, _ = address_key.partition(_NETWORK_MARK)
    return network if mark else None


def _keyed(salt: bytes, text: str) -> str:
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()
