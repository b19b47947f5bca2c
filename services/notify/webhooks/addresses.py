"""Which addresses a webhook may be sent to: nobody makes notify call what only this machine or its network can reach.

An address is judged twice: as it is typed, and as its name resolves at each attempt; the connection is then made to the very
address that was judged (`sender.py`), so a name that resolves to something else a moment later gains nothing. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

AnyAddress = IPv4Address | IPv6Address
AnyNetwork = IPv4Network | IPv6Network

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LABEL = re.compile(r"^(?!-)[a-z0-9-]{1,63}(?<!-)$")
_NUMERIC_LABEL = re.compile(r"^(?:[0-9]+|0x[0-9a-f]*)$")
_PRINTABLE = re.compile(r"^[\x21-\x7e]+$")
# What `is_global` of this Python leaves open, or judges as something other than where a packet would go.
_REFUSED = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_TRANSLATED = ip_network("64:ff9b::/96")
_RELAYED = ip_network("2002::/16")


class UrlRefused(ValueError):
    """`reason`: of texts/fields.toml."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Target:
    """Where a webhook goes. `path`: with the query. `address`: of a host that is one."""

    scheme: str
    host: str
    port: int
    path: str
    address: AnyAddress | None

    @property
    def authority(self) -> str:
        """The header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, address: AnyAddress) -> str:
        """The same with the address in place of the name."""
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def parse_target(url: str, ports: Collection[int], networks: Iterable[AnyNetwork]) -> Target:
    """The parts of an address as an administrator typed it; UrlRefused when it is never called.

    `ports`: those that may be called. `networks`: allowed though they are not public; plain http is for hosts in them alone, by
    their address."""
    if not _PRINTABLE.match(url) or "\\" in url:
        raise UrlRefused("webhook_url")
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").rstrip(".")
    except ValueError:
        raise UrlRefused("webhook_url") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise UrlRefused("webhook_scheme")
    if "@" in parts.netloc or "#" in url or not host:
        raise UrlRefused("webhook_url")
    address = _literal(host)
    allowed = list(networks)
    if address is not None and not may_call(address, allowed):
        raise UrlRefused("webhook_address")
    is_allowed_network = address is not None and _within(address, allowed)
    if parts.scheme == "http" and not is_allowed_network:
        raise UrlRefused("webhook_scheme")
    number = _DEFAULT_PORTS[parts.scheme] if port is None else port
    if number not in ports and not is_allowed_network:
        raise UrlRefused("webhook_port")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, number, path, address)


def may_call(address: AnyAddress, networks: Iterable[AnyNetwork]) -> bool:
    """Whether an address is public, or in one of these networks. One that stands for an IPv4 address (mapped, translated,
    relayed) is judged as that."""
    if isinstance(address, IPv6Address) and address.scope_id:
        return False
    meant = _meant(address)
    if _within(meant, networks):
        return True
    if any(meant in refused for refused in _REFUSED if refused.version == meant.version):
        return False
    return meant.is_global and not meant.is_multicast and not meant.is_reserved


def allowed_addresses(resolved: Sequence[str], networks: Iterable[AnyNetwork]) -> list[AnyAddress]:
    """The addresses of a name, IPv4 first; UrlRefused when there is none, or when any of them may not be called: a name that
    has an inner and an outer address is not a partner's."""
    allowed = list(networks)
    try:
        addresses = list(dict.fromkeys(ip_address(text) for text in resolved))
    except ValueError:
        raise UrlRefused("webhook_address") from None
    if not addresses or not all(may_call(address, allowed) for address in addresses):
        raise UrlRefused("webhook_address")
    return sorted(addresses, key=lambda address: address.version)


def _literal(host: str) -> AnyAddress | None:
    """The address of a host that is one; None for a name. UrlRefused for anything that a resolver might take for an address in
    another notation (127.1, 2130706433, 0x7f.0.0.1), or that is no name."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    labels = host.lower().split(".")
    if len(host) > 253 or not all(map(_LABEL.match, labels)) or _NUMERIC_LABEL.match(labels[-1]):
        raise UrlRefused("webhook_url")
    return None


def _meant(address: AnyAddress) -> AnyAddress:
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _RELAYED:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return address


def _within(address: AnyAddress, networks: Iterable[AnyNetwork]) -> bool:
    meant = _meant(address)
    return any(meant in network for network in networks if network.version == meant.version)
