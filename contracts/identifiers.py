"""Numbers that people are known by, read from what was typed: Iranian mobiles, national IDs, one-time codes."""

from __future__ import annotations

import re
import unicodedata

from contracts.characters import DIRECTIONS, HIDDEN, latin_digits, nfkc

_SEPARATORS = re.compile(rf"[\s\-‐-―−_.,،٬·()/\\{HIDDEN}{DIRECTIONS}]+")
_MOBILE = re.compile(r"(?:tel:)?(?:(?:\+|00)?980?|0)?(9[0-9]{9})", re.IGNORECASE)
_LONGEST_NUMBER = 200  # characters that anybody puts around a mobile or national ID
_LONGEST_MESSAGE = 1_000


def mobile(text: str) -> str | None:
    """An Iranian mobile in E.164 (+98 and ten digits, the first a 9), or None when it is not one.

    Taken are 0912…, +98912…, 0098912…, 98912…, 912… and +98 (0)912…, in any digits, with spaces or dashes, and with the
    brackets and marks of direction that come along when a number is copied.
    """
    match = _MOBILE.fullmatch(_bare(text))
    return f"+98{match.group(1)}" if match else None


def national_id(text: str) -> str | None:
    """An Iranian national ID as ten digits, or None when its form or its check digit is wrong."""
    digits = compact_digits(text)
    if digits is None or not 8 <= len(digits) <= 10:
        return None
    digits = digits.zfill(10)
    if len(set(digits)) == 1:
        return None
    rest = sum(int(d) * (10 - place) for place, d in enumerate(digits[:9])) % 11
    check = rest if rest < 2 else 11 - rest
    return digits if check == int(digits[9]) else None


def compact_digits(text: str) -> str | None:
    """Digits of any script with spaces, dashes and marks between them, as plain digits; None if anything else is there."""
    bare = _bare(text)
    return bare if bare.isascii() and bare.isdigit() else None


def only_number(text: str, length: int) -> str | None:
    """The number of so many digits in a text, be it a whole message; None when there is none, or more than one."""
    alone = compact_digits(text)
    if alone is not None and len(alone) == length:
        return alone
    runs = re.findall(rf"(?<!\d)\d{{{length}}}(?!\d)", text[:_LONGEST_MESSAGE])
    numbers = {"".join(str(unicodedata.decimal(digit)) for digit in run) for run in runs}
    return numbers.pop() if len(numbers) == 1 else None


def _bare(text: str) -> str:
    if len(text) > _LONGEST_NUMBER:
        return ""
    return _SEPARATORS.sub("", latin_digits(nfkc(text)))
