"""Persian text made comparable: digits of any script, Arabic letters, ZWNJ, diacritics (DOMAIN: Persian text).

What a citizen typed is stored as typed; only what is compared, searched or counted goes through `normalise`.
"""

from __future__ import annotations

import re
import unicodedata

_DIGITS = {ord(c): str(d) for zero in ("۰", "٠") for d in range(10) for c in [chr(ord(zero) + d)]}
_LETTERS = str.maketrans(
    {
        "ي": "ی",
        "ى": "ی",
        "ئ": "ی",
        "ك": "ک",
        "ة": "ه",
        "ۀ": "ه",
        "أ": "ا",
        "إ": "ا",
        "ٱ": "ا",
        "آ": "ا",
        "ؤ": "و",
        "ـ": None,
        "\u200c": " ",
        "\u200d": None,
        "\u200e": None,
        "\u200f": None,
        "\ufeff": None,
    }
)
_DIACRITICS = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]")
_SPACES = re.compile(r"\s+")
_SEPARATORS = re.compile(r"[\s\-‐-―_.,\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff()/]+")
_MOBILE = re.compile(r"(?:\+98|0098|98|0)?(9[0-9]{9})")
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def latin_digits(text: str) -> str:
    """Persian and Arabic digits as 0–9; everything else untouched."""
    return text.translate(_DIGITS)


def persian_digits(text: str) -> str:
    """0–9 as Persian digits, for what a person reads in Persian."""
    return text.translate(_PERSIAN_DIGITS)


_MARKS_IN_A_ROW = 30
"""As UAX #15, Stream-Safe Text Format, has it: no language needs more marks on one letter."""


def nfkc(text: str) -> str:
    """Unicode's NFKC in linear time. A letter keeps its first 30 combining marks: sorting a run of them, as normalising
    does, takes quadratic time, so a text of marks alone would keep a whole process busy."""
    return unicodedata.normalize("NFKC", _bounded_marks(text))


def _bounded_marks(text: str) -> str:
    if len(text) <= _MARKS_IN_A_ROW or text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.combining(letter) else 0
        if marks <= _MARKS_IN_A_ROW:
            kept.append(letter)
    return "".join(kept)


def normalise(text: str) -> str:
    """The form for comparing and searching: one kind of letter, digit and space, no diacritics, lower case."""
    text = nfkc(text).translate(_LETTERS).translate(_DIGITS)
    return _SPACES.sub(" ", _DIACRITICS.sub("", text)).strip().casefold()


def compact_digits(text: str) -> str | None:
    """Digits of any script with spaces, dashes and marks between them, as plain digits; None if anything else is there."""
    bare = _bare(text)
    return bare if bare.isascii() and bare.isdigit() else None


def mobile(text: str) -> str | None:
    """An Iranian mobile in E.164 (+98 and ten digits, the first a 9), or None when it is not one.

    Taken are 0912…, +98912…, 0098912…, 98912… and 912…, in any digits, with spaces or dashes, and with the brackets and
    marks of direction that come along when a number is copied.
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


def _bare(text: str) -> str:
    return _SEPARATORS.sub("", latin_digits(nfkc(text)))
