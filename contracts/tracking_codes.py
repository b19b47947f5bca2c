"""Tracking codes: 16 digits in four groups, a bearer secret (DOMAIN: The tracking code).

13 digits are random, or derived by HMAC from a retried request; the last 3 are a keyed MAC of the 13, so a mistyped
or invented code is refused without asking anyone. Keys rotate: a code made under any key still held is honoured.
Nobody stores a code: databases hold `hashes`, keyed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from uuid import UUID

from contracts import characters

_SPACE = 10**13
_BETWEEN = rf"[\s\-‐-―−_.,،٬·•|/\\\\ـ{characters.HIDDEN}{characters.DIRECTIONS}]"
_GROUP = re.compile(r"\d+")
_CHAIN = re.compile(rf"\d(?:{_BETWEEN}*\d)*")
"""Digits and what may stand between the groups of a code."""


def mint(mac_keys: Sequence[bytes]) -> str:
    """A new random code under the current key."""
    return _with_mac(f"{secrets.randbelow(_SPACE):013d}", mac_keys[0])


def derive(mac_keys: Sequence[bytes], derive_key: bytes, seed: bytes) -> tuple[str, UUID]:
    """The code and submission id that belong to `seed` (idempotency key and content); the same for each retry."""
    digest = hmac.new(derive_key, b"code\0" + seed, hashlib.sha512).digest()
    number = int.from_bytes(digest[:16], "big") % _SPACE
    return _with_mac(f"{number:013d}", mac_keys[0]), UUID(bytes=digest[16:32], version=4)


LONGEST_TEXT = 2_000
"""Characters of a text that a code is looked for in: a few messages as a phone pastes them."""
MOST_CANDIDATES = 4
"""Numbers in one text that may be its code. Each is a guess, and is counted as one: more are no text of a citizen's."""


def candidates(text: str) -> list[str]:
    """Every number of 16 digits in a text that may be a code, each once; [] when there is none, or there are too many.

    Digits of any script; between groups stand spaces, dashes, dots, slashes and marks that cannot be seen. Four groups of
    four, two of eight and one of sixteen come before any other grouping, so that a date or a mobile beside the code is not
    taken for a part of it. Linear in the length of the text.
    """
    if len(text) > LONGEST_TEXT:
        return []
    alone = text.replace(" ", "").replace("-", "")
    if len(alone) == 16 and alone.isascii() and alone.isdigit():  # as nearly everybody sends it
        return [alone]
    usual: dict[str, None] = {}
    others: dict[str, None] = {}
    for chain in _CHAIN.findall(text):
        groups = [_digits(group) for group in _GROUP.findall(chain)]
        for window in _windows(groups):
            (usual if _is_usual(window) else others)["".join(window)] = None
    codes = list(usual or others)
    return codes if len(codes) <= MOST_CANDIDATES else []


def parse(typed: str, mac_keys: Sequence[bytes]) -> str | None:
    """The 16 digits of the code in what somebody typed or pasted, a whole message too; None when no code of ours is in it,
    or more than one."""
    good = [code for code in candidates(typed) if is_ours(code, mac_keys)]
    return good[0] if len(good) == 1 else None


def is_ours(digits: str, mac_keys: Sequence[bytes]) -> bool:
    """16 digits whose last three were made with one of these keys."""
    good = [hmac.compare_digest(_with_mac(digits[:13], key), digits) for key in mac_keys]  # all, in the same time
    return any(good)


def _windows(groups: list[str]) -> Iterator[list[str]]:
    """Neighbouring groups that are 16 digits together: of each beginning one at most. Several codes in a row are each taken
    once, and not what two of them have between."""
    if len(groups) > 4 and len(groups) % 4 == 0 and all(len(group) == 4 for group in groups):
        yield from (groups[at : at + 4] for at in range(0, len(groups), 4))
        return
    end = length = 0
    for start, group in enumerate(groups):
        while length < 16 and end < len(groups):
            length += len(groups[end])
            end += 1
        if length == 16:
            yield groups[start:end]
        length -= len(group)


def _is_usual(window: list[str]) -> bool:
    return [len(group) for group in window] in ([4, 4, 4, 4], [8, 8], [16])


def _digits(group: str) -> str:
    return "".join(str(unicodedata.decimal(digit)) for digit in group)


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
