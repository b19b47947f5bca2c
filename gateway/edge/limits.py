"""Budgets at the door, by the `limits` library: in this process's memory, or in Valkey once several gateways run.

Addresses are stored nowhere: what is counted is an HMAC of the address under a salt that changes daily. The salt is derived
from a key that all gateways share, so that they count together, and so that accounts, which is sent the HMAC and keeps a
keyed hash of it, counts one address alike whichever gateway it came by.

Which budget is spent when is said in one place: gateway/edge/admission.py.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Protocol

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerSecond, parse_many
from limits.aio.storage import Storage
from limits.aio.storage.base import SlidingWindowCounterSupport
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.storage import storage_from_string

from backbone.process import logs
from contracts.errors import TooMany
from gateway.edge.metrics import LIMITED
from gateway.settings import Settings

log = logs.get("limits")

_DAY = 86_400
_KEPT = 200_000
_KEYS_AT_HAND = 1_000

_ANY_NUMBER = 2**31
"""More than is ever counted: for counters that refuse nothing."""
_OF_NETWORK = "-"
REST = 5.0
"""Seconds without asking a shared storage that did not answer."""
_PATIENCE = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
"""Seconds for a shared storage to answer; its client would wait for ever."""


class _Question(Protocol):
    """The limiter's `hit` or `test`."""

    def __call__(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> Awaitable[bool]: ...


class Memory(Storage, SlidingWindowCounterSupport):
    """Two counters a key, and never more than so many keys: the ones untouched longest go first.

    The library's own memory storage looks through all its keys at each hit, and grows without bound.
    """

    STORAGE_SCHEME = None

    def __init__(self, most: int = _KEPT) -> None:
        super().__init__()
        self._most = most
        # key → (number of its present window, hits in the one before, hits in this one)
        self._counted: OrderedDict[str, tuple[int, int, int]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def _now(self, key: str, expiry: int) -> tuple[int, int, int, float]:
        moment = time.time() / expiry
        window = int(moment)
        at, before, now = self._counted.get(key, (window, 0, 0))
        if at == window - 1:
            before, now = now, 0
        elif at != window:
            before, now = 0, 0
        return window, before, now, moment - window

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        window, before, now, gone = self._now(key, expiry)
        if math.floor(before * (1 - gone) + now) + amount > limit:
            return False
        self._counted[key] = (window, before, now + amount)
        self._counted.move_to_end(key)
        if len(self._counted) > self._most:
            self._counted.popitem(last=False)
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        _, before, now, gone = self._now(key, expiry)
        return before, (1 - gone) * expiry if before else 0.0, now, (1 - gone) * expiry + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        self._counted.pop(key, None)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        await self.acquire_sliding_window_entry(key, 2**62, expiry, amount)
        return self._counted[key][2]

    async def get(self, key: str) -> int:
        return self._counted.get(key, (0, 0, 0))[2]

    async def get_expiry(self, key: str) -> float:
        return time.time()

    async def check(self) -> bool:
        return True

    async def reset(self) -> int | None:
        self._counted.clear()
        return None

    async def clear(self, key: str) -> None:
        self._counted.pop(key, None)


class Limits:
    """Budgets by name, such as "submissions"; their rates are settings (`limit_<budget>`)."""

    def __init__(self, settings: Settings) -> None:
        shared = settings.limits_url
        self._shared_key = settings.code_derive_key.get_secret_value()
        storage: Storage = (
            Memory() if shared is None else storage_from_string(f"async+{shared.get_secret_value()}", **_PATIENCE)  # type: ignore[assignment]  # async+ gives an aio storage; its options go to the client
        )
        self._resting_until = 0.0
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._budgets: Mapping[str, list[RateLimitItem]] = {
            name.removeprefix("limit_"): [] if rate == "off" else parse_many(rate)
            for name, rate in settings
            if name.startswith("limit_") and isinstance(rate, str)
        }
        self._proxies = settings.trusted_proxies
        self._salt: tuple[int, bytes] = (-1, b"")
        # Of those who are here now, so that an HMAC is not made for each request.
        self._keys: OrderedDict[str, str] = OrderedDict()

    async def spend(self, budget: str, who: str, amount: int = 1) -> None:
        """Takes `amount` from `who`'s budget; TooMany with the seconds to wait when so much is not left, and nothing taken."""
        items = self._budgets[budget]
        for position, item in enumerate(items):
            if not await self._asked(self._limiter.hit, item, budget, who, amount):
                LIMITED.labels(budget).inc()
                for taken in items[:position]:
                    await self._asked(self._limiter.hit, taken, budget, who, -amount)
                raise TooMany(retry_after=await self._wait(item, budget, who))

    async def give_back(self, budget: str, who: str, amount: int = 1) -> None:
        """Returns what was taken for something that turned out to cost nothing."""
        for item in self._budgets[budget]:
            await self._asked(self._limiter.hit, item, budget, who, -amount)

    async def left(self, budget: str, who: str) -> None:
        """TooMany when the budget is used up; takes nothing."""
        for item in self._budgets[budget]:
            if not await self._asked(self._limiter.test, item, budget, who):
                LIMITED.labels(budget).inc()
                raise TooMany(retry_after=await self._wait(item, budget, who))

    async def used(self, budget: str, who: str) -> int:
        """How much of the budget's first rate is used; 0 where there is no limit."""
        items = self._budgets[budget]
        return await self._used(items[0], budget, who) if items else 0

    async def count(self, what: str, who: str) -> None:
        """One more within the hour, of something that has no limit of its own."""
        await self._asked(self._limiter.hit, RateLimitItemPerHour(_ANY_NUMBER), what, who)

    async def counted(self, what: str, who: str) -> int:
        """How many of them came within the hour."""
        return await self._used(RateLimitItemPerHour(_ANY_NUMBER), what, who)

    async def first(self, what: str, who: str, seconds: int) -> bool:
        """True the first time within `seconds`, and False from then on: for what may be used once."""
        # All of a large budget at once: what of the window before still counts is then enough to refuse.
        item = RateLimitItemPerSecond(_ANY_NUMBER, seconds)
        return await self._asked(self._limiter.hit, item, what, who, _ANY_NUMBER)

    def limited(self, budget: str) -> bool:
        return bool(self._budgets[budget])

    def address_key(self, address: str) -> str:
        """What stands for an address today. All of an IPv6 /64 is one household; its key says of which /48."""
        salt = self._todays_salt()
        key = self._keys.get(address)
        if key is None:
            own, network = _addresses_of(address)
            key = _keyed(salt, own)[:32]
            if network is not None:
                key = f"{_keyed(salt, network)[:16]}{_OF_NETWORK}{key[:16]}"
            self._keys[address] = key
            if len(self._keys) > _KEYS_AT_HAND:
                self._keys.popitem(last=False)
        return key

    def address(self, client: tuple[str, int] | None, forwarded_for: str | None) -> str:
        """The caller's address: X-Forwarded-For, read from its end, as far as trusted proxies wrote it."""
        peer = client[0] if client else "unknown"
        if not forwarded_for or not self._proxies or not self._trusted(peer):
            return peer
        for hop in reversed([part.strip() for part in forwarded_for.split(",")][-20:]):
            if not _is_address(hop):
                return peer
            peer = hop
            if not self._trusted(hop):
                break
        return peer

    async def _used(self, item: RateLimitItem, what: str, who: str) -> int:
        try:
            stats = await self._limiter.get_window_stats(item, what, who)
        except Exception:  # noqa: BLE001  # whatever the client raises; `_asked` tells of it
            return 0
        return item.amount - stats.remaining

    async def _asked(self, question: _Question, item: RateLimitItem, what: str, who: str, cost: int = 1) -> bool:
        """Without its storage the gateway stays open rather than shut, and for a while does not wait for it again."""
        if time.monotonic() < self._resting_until:
            return True
        try:
            return await question(item, what, who, cost=cost)
        except Exception as error:  # noqa: BLE001  # whatever the client raises
            self._resting_until = time.monotonic() + REST
            log.warning("the limits' storage cannot be reached", error=type(error).__name__)
            return True

    async def _wait(self, item: RateLimitItem, budget: str, who: str) -> int:
        try:
            stats = await self._limiter.get_window_stats(item, budget, who)
        except Exception:  # noqa: BLE001  # the same
            return item.get_expiry()
        return max(1, min(item.get_expiry(), math.ceil(stats.reset_time - time.time())))

    def _trusted(self, address: str) -> bool:
        if not _is_address(address):
            return False
        return is_within(self._proxies, address)

    def _todays_salt(self) -> bytes:
        day = int(time.time() // _DAY)
        if self._salt[0] != day:
            fresh = hmac.new(self._shared_key, b"limits\0" + str(day).encode(), hashlib.sha256).digest()
            self._salt = (day, fresh)
            self._keys.clear()
        return self._salt[1]


def _contains(network: IPv4Network | IPv6Network, address: object) -> bool:
    return getattr(address, "version", 0) == network.version and address in network


def is_within(networks: Sequence[IPv4Network | IPv6Network], address: str) -> bool:
    """Whether an address lies in one of these networks; what is no address lies in none."""
    if not _is_address(address):
        return False
    parsed = ip_address(address)
    return any(_contains(network, parsed) for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def network_of(address_key: str) -> str | None:
    """What stands for the IPv6 /48 of an address; None for IPv4. One customer may have all 65,536 /64 of a /48."""
    network, mark, _ = address_key.partition(_OF_NETWORK)
    return network if mark else None


def household(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: what one caller has."""
    return _addresses_of(address)[0]


def _keyed(salt: bytes, text: str) -> str:
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()


def _addresses_of(address: str) -> tuple[str, str | None]:
    """What counts as one address, and the network above it, where one customer may have many."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address, None
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped), None
        return str(IPv6Network((parsed, 64), strict=False)), str(IPv6Network((parsed, 48), strict=False))
    return address, None
