"""Which Host headers a request may have."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~!$&'()*+,;=%-]{1,255})(?::(\d{0,5}))?")
_DEFAULT_PORTS = {b"http": b"80", b"https": b"443"}


def is_host(value: bytes) -> bool:
    """Whether this is valid in a Host header: a name or an address, with or without a port (RFC 9110, 7.2)."""
    match = _HOST.fullmatch(value)
    return match is not None and (not match.group(1) or 0 < int(match.group(1)) < 65_536)


def is_unambiguous_host(http_version: str, hosts: Sequence[bytes], target: bytes) -> bool:
    """Whether a request names its host exactly once, and validly. HTTP/1.1 requires one Host header (RFC 9112, 3.2); an
    absolute target that names another host is a sign of request smuggling."""
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
