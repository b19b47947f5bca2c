"""What a client does to go on where the budget of its address is used up: work, or wait.

A challenge is a line that only a gateway can make, bound to one purpose and one address, good for five minutes and once:

    v1.<purpose>.<bits>.<not before>.<expires>.<random>.<HMAC>        times in epoch seconds

*Work*: find a `nonce` of visible ASCII so that SHA-256 of `<challenge>:<nonce>` begins with so many zero bits, and send
`<challenge>:<nonce>`. *Wait*: send the challenge itself, not before its time. Nothing is stored until one is used.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

VALID_SECONDS = 300
"""Seconds in which a challenge is to be answered, from when that is possible."""
_TOLERANCE = 2
"""By how many bits the difficulty may have risen since the challenge was made."""
_MAX_LENGTH = 300


class Challenges:
    """`key`: 32 bytes, the same in every gateway."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def work(self, purpose: str, client_key: str, bits: int) -> str:
        """A challenge that takes 2**bits hashes on average."""
        return self._make(purpose, client_key, bits, 0.0)

    def wait(self, purpose: str, client_key: str, seconds: int) -> str:
        """A challenge that takes nothing but so many seconds."""
        return self._make(purpose, client_key, 0, time.time() + seconds)

    def check_work(self, purpose: str, client_key: str, answer: str, bits: int) -> str | None:
        """The challenge's id, for using it once; None unless this answers a challenge of this gateway with about so many bits."""
        challenge, colon, nonce = answer.partition(":")
        parsed = self._parse(purpose, client_key, challenge) if colon and nonce and len(answer) <= _MAX_LENGTH else None
        if parsed is None or parsed.bits < max(1, bits - _TOLERANCE):
            return None
        return parsed.id if leading_zeros(answer) >= parsed.bits else None

    def check_wait(self, purpose: str, client_key: str, answer: str) -> str | None:
        """The challenge's id; None unless this is a challenge of this gateway whose waiting time is over."""
        parsed = self._parse(purpose, client_key, answer) if len(answer) <= _MAX_LENGTH else None
        if parsed is None or parsed.bits or time.time() < parsed.not_before:
            return None
        return parsed.id

    def _make(self, purpose: str, client_key: str, bits: int, not_before: float) -> str:
        expires = int(max(not_before, time.time())) + VALID_SECONDS
        line = f"v1.{purpose}.{bits}.{int(-(-not_before // 1))}.{expires}.{secrets.token_urlsafe(12)}"
        return f"{line}.{self._mac(line, client_key)}"

    def _parse(self, purpose: str, client_key: str, challenge: str) -> _Challenge | None:
        line, _, mac = challenge.rpartition(".")
        if not challenge.isascii() or not hmac.compare_digest(mac, self._mac(line, client_key)):
            return None
        # The MAC is right: a gateway made this line, so it has all its fields.
        _, made_for, bits, not_before, expires, random = line.split(".")
        if made_for != purpose or time.time() >= int(expires):
            return None
        return _Challenge(random, int(bits), int(not_before))

    def _mac(self, line: str, client_key: str) -> str:
        return hmac.new(self._key, f"{line}\0{client_key}".encode(), hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Challenge:
    id: str
    bits: int
    not_before: int


def leading_zeros(answer: str) -> int:
    """Zero bits at the beginning of its SHA-256."""
    return 256 - int.from_bytes(hashlib.sha256(answer.encode("utf-8", "replace")).digest()).bit_length()


def solve(challenge: str, bits: int) -> str:
    """The answer to a challenge of work, as a client finds it."""
    nonce = 0
    while leading_zeros(answer := f"{challenge}:{nonce}") < bits:
        nonce += 1
    return answer
