"""Tracking codes: 16 digits in four groups, a bearer secret (DOMAIN: The tracking code).

13 digits are random, or derived by HMAC from a retried request; the last 3 are a keyed MAC of the 13, so a mistyped
or invented code is refused without asking anyone. Keys rotate: a code made under any key still held is honoured.
Nobody stores a code: databases hold `hashes`, keyed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from uuid import UUID

from backbone import persian

_SPACE = 10**13


def mint(mac_keys: Sequence[bytes]) -> str:
    """A new random code under the current key."""
    return _with_mac(f"{secrets.randbelow(_SPACE):013d}", mac_keys[0])


def derive(mac_keys: Sequence[bytes], derive_key: bytes, seed: bytes) -> tuple[str, UUID]:
    """The code and submission id that belong to `seed` (idempotency key and content); the same for each retry."""
    digest = hmac.new(derive_key, b"code\0" + seed, hashlib.sha512).digest()
    number = int.from_bytes(digest[:16], "big") % _SPACE
    return _with_mac(f"{number:013d}", mac_keys[0]), UUID(bytes=digest[16:32], version=4)


def parse(typed: str, mac_keys: Sequence[bytes]) -> str | None:
    """The 16 digits of what somebody typed, in any script and grouping; None when it cannot be a code of ours."""
    if len(typed) > 64:
        return None
    digits = persian.compact_digits(typed)
    if digits is None or len(digits) != 16:
        return None
    good = [hmac.compare_digest(_with_mac(digits[:13], key), digits) for key in mac_keys]
    return digits if any(good) else None


def hashes(code: str, index_keys: Sequence[bytes]) -> list[str]:
    """The keyed hashes a code may be stored under, the current key's first.

    Of its 13 digits alone: the check digits change with the MAC key, and a request retried after that must find its case.
    """
    return [hmac.new(key, code[:13].encode(), hashlib.sha256).hexdigest() for key in index_keys]


def grouped(code: str) -> str:
    """As on a bank card: 1234 5678 9012 3456."""
    return " ".join(code[at : at + 4] for at in range(0, 16, 4))


def _with_mac(body: str, key: bytes) -> str:
    tag = int.from_bytes(hmac.new(key, b"mac\0" + body.encode(), hashlib.sha256).digest()[:8], "big") % 1000
    return f"{body}{tag:03d}"
