"""Rules of pushes: which hosts are push services, how long a push is worth something, what an answer means. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

PUSH_SERVICES = ("fcm.googleapis.com", "push.services.mozilla.com", "web.push.apple.com", "notify.windows.com")
"""Of Chrome and most Android browsers, Firefox, Safari, Edge."""
ANY_HOST = "*"

KEPT = timedelta(days=90)
"""For how long a push is in the log."""
TTL = timedelta(days=3)
"""For how long a push service keeps a push for a device that is off: later it is no news any more."""
GIVE_UP_AFTER = timedelta(days=1)
SMS_AFTER = timedelta(hours=1)
"""The same where an SMS waits for what becomes of it."""
LONGEST_WAIT = timedelta(hours=1)
"""However long a push service asks to be left alone (Retry-After)."""

MOST_SEALED_BYTES = 480
"""The payload is padded to this, so that its length tells nothing; with header and tag it is within the 4096 bytes that every
push service takes (RFC 8030, 7.2)."""

GONE = frozenset({404, 410})
"""The device's subscription has ended (RFC 8030, 7.3)."""
FOR_GOOD = frozenset({400, 401, 403, 405, 413})
"""No later attempt will do better."""


def is_push_service(host: str, hosts: Collection[str]) -> bool:
    """Whether pushes go to this host: one of `hosts`, or below one of them."""
    return ANY_HOST in hosts or any(host == named or host.endswith(f".{named}") for named in hosts)


def retry_after(header: str | None, wait: timedelta) -> timedelta:
    """When to try again: what the push service asked for in seconds, if that is longer, and bearable."""
    if header is None or not header.isascii() or not header.isdecimal() or len(header) > 6:
        return wait
    return min(max(wait, timedelta(seconds=int(header))), LONGEST_WAIT)
