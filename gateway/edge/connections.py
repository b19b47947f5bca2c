"""How many connections there may be, in all and of one address, and which Host a request may name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from contracts.errors import PeygirError


class TooManyConnections(PeygirError):
    code = "too_many_connections"
    status = 503


class Connections:
    """The open connections of this process. `key_of`: what stands for a peer's address; `is_proxy`: behind this one stand
    many, so only the whole is bounded."""

    def __init__(
        self, most: int, most_of_address: int, key_of: Callable[[str], str], is_proxy: Callable[[str], bool]
    ) -> None:
        self._most, self._most_of_address = most, most_of_address
        self._key_of, self._is_proxy = key_of, is_proxy
        self._open: Counter[str] = Counter()
        self._all = 0

    def __len__(self) -> int:
        return self._all

    def enter(self, peer: str) -> bool:
        """Counts a connection, which has to `leave` again; whether it is one too many."""
        key = self._key_of(peer)
        self._all += 1
        self._open[key] += 1
        return self._all > self._most or (self._open[key] > self._most_of_address and not self._is_proxy(peer))

    def leave(self, peer: str) -> None:
        key = self._key_of(peer)
        self._all -= 1
        self._open[key] -= 1
        if self._open[key] <= 0:
            del self._open[key]


_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~!$&'()*+,;=%-]{1,255})(?::(\d{0,5}))?")
_DEFAULT_PORTS = {b"http": b"80", b"https": b"443"}


def is_host(value: bytes) -> bool:
    """Whether this may stand in a Host header: a name or an address, and maybe a port (RFC 9110, 7.2)."""
    found = _HOST.fullmatch(value)
    return found is not None and (not found.group(1) or 0 < int(found.group(1)) < 65_536)


def names_one_host(http_version: str, hosts: Sequence[bytes], target: bytes) -> bool:
    """Whether a request says once, and rightly, whom it is for. HTTP/1.1 wants one Host (RFC 9112, 3.2); an absolute target
    that names another one is what request smuggling looks like."""
    if len(hosts) > 1 or (not hosts and http_version not in ("0.9", "1.0")):
        return False
    if hosts and not is_host(hosts[0]):
        return False
    scheme, mark, rest = target.partition(b"://")
    if target.startswith(b"/") or not mark:
        return True
    authority = re.split(rb"[/?#]", rest, maxsplit=1)[0]
    if scheme.lower() not in _DEFAULT_PORTS or not is_host(authority):
        return False
    port = _DEFAULT_PORTS[scheme.lower()]
    return not hosts or _with_port(authority, port) == _with_port(hosts[0], port)


def _with_port(authority: bytes, default: bytes) -> bytes:
    name, mark, port = authority.lower().rpartition(b":")
    if not mark or authority.endswith(b"]"):
        return authority.lower() + b":" + default
    return name + b":" + (port or default)
