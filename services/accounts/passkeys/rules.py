"""The rules of passkeys (W3C WebAuthn Level 3)."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

MOST_PASSKEYS = 10
"""Of one account."""
CHALLENGE_VALID = timedelta(minutes=5)
RP_NAME = "Peygir"
_DOMAIN = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.IGNORECASE
)


def rp_id_of(origin: str) -> str | None:
    """The relying party that browsers bind passkeys to: the host of this origin. None where they would refuse it: an address
    without a name, and http but on localhost (a secure context is needed)."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        is_local = host == "localhost" or host.endswith(".localhost")
        if _DOMAIN.fullmatch(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_local)):
            return host
    return None
