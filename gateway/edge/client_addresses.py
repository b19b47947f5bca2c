"""IP addresses of clients: which of them count as one client, and which networks they lie in."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_within(networks: Sequence[IPv4Network | IPv6Network], address: str) -> bool:
    """Whether an address lies in one of these networks; what is no address lies in none."""
    if not is_address(address):
        return False
    parsed = ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in networks)


def client_network(address: str) -> str:
    """What one client has: an IPv4 address, or the /64 of an IPv6 address."""
    return _networks(address)[0]


def site_network(address: str) -> str | None:
    """The /48 of an IPv6 address, of which one customer may have many /64; None for IPv4."""
    return _networks(address)[1]


def coarse_network(address: str) -> str | None:
    """A network of many clients in which an address lies, for people to recognise a place by: the /24 of an IPv4 address, the
    /48 of an IPv6 address. None for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    parsed = mapped or parsed
    return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def _networks(address: str) -> tuple[str, str | None]:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address, None
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped), None
        return str(IPv6Network((parsed, 64), strict=False)), str(IPv6Network((parsed, 48), strict=False))
    return address, None
