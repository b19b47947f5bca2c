"""Persian text made comparable: digits of any script, Arabic letters, ZWNJ, diacritics (DOMAIN: Persian text).

What a citizen typed is stored as typed; only what is compared, searched or counted goes through `normalise`.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

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
COMBINING = (
    r"\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    r"\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08d3-\u08ff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
"""Inside the brackets of a pattern: accents and vowel signs, which alone are no text."""
HIDDEN = (
    r"\u00ad\u034f\u0640\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u206a-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
)
"""Inside the brackets of a pattern: what leaves no mark on paper but is no space either, as the Hangul filler and U+2800."""
DIRECTIONS = r"\u202a-\u202e\u2066-\u2069"
"""Inside the brackets of a pattern: what turns or encloses the direction of text."""
# Not every engine's patterns take these.
_HIDDEN_TOO = r"\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
_VISIBLE = re.compile(rf"[^\s\x00-\x1f\x7f-\x9f{COMBINING}{HIDDEN}{DIRECTIONS}{_HIDDEN_TOO}]")
_MARKS = re.compile(rf"[{COMBINING}{HIDDEN}{DIRECTIONS}{_HIDDEN_TOO}]+")
_SEPARATORS = re.compile(rf"[\s\-‐-―−_.,،٬·()/\\{HIDDEN}{DIRECTIONS}]+")
_MOBILE = re.compile(r"(?:tel:)?(?:(?:\+|00)?980?|0)?(9[0-9]{9})", re.IGNORECASE)
_LONGEST_NUMBER = 200  # characters that anybody puts around a mobile or national ID
_LONGEST_MESSAGE = 1_000
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


def is_blank(text: str) -> bool:
    """Nothing in it can be seen: spaces, ZWNJ, fillers, marks of direction, accents without a letter."""
    return _VISIBLE.search(text) is None


def seen(text: str, most: int) -> int:
    """How many characters of it can be seen, counted up to `most`."""
    return sum(1 for _ in islice(_VISIBLE.finditer(text), most))


def without_marks(text: str) -> str:
    """The text without accents, vowel signs and what cannot be seen."""
    return _MARKS.sub("", text)


def normalise(text: str) -> str:
    """The form for comparing and searching: one kind of letter, digit and space, no diacritics, lower case."""
    text = nfkc(text).translate(_LETTERS).translate(_DIGITS)
    return _SPACES.sub(" ", _DIACRITICS.sub("", text)).strip().casefold()


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
    found = {"".join(str(unicodedata.decimal(digit)) for digit in run) for run in runs}
    return found.pop() if len(found) == 1 else None


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


def _bare(text: str) -> str:
    if len(text) > _LONGEST_NUMBER:
        return ""
    return _SEPARATORS.sub("", latin_digits(nfkc(text)))
