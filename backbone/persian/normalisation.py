"""Persian text made comparable: digits of any script, Arabic letters, ZWNJ, diacritics (DOMAIN: Persian text).

What a citizen typed is stored as typed; only what is compared, searched or counted goes through `normalise`.
"""

from __future__ import annotations

import re
from itertools import islice

from contracts.characters import COMBINING, DIRECTIONS, HIDDEN, HIDDEN_BEYOND_THE_BMP, latin_digits, nfkc

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
_VISIBLE = re.compile(rf"[^\s\x00-\x1f\x7f-\x9f{COMBINING}{HIDDEN}{DIRECTIONS}{HIDDEN_BEYOND_THE_BMP}]")
_MARKS = re.compile(rf"[{COMBINING}{HIDDEN}{DIRECTIONS}{HIDDEN_BEYOND_THE_BMP}]+")
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def persian_digits(text: str) -> str:
    """0–9 as Persian digits, for what a person reads in Persian."""
    return text.translate(_PERSIAN_DIGITS)


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
    text = latin_digits(nfkc(text).translate(_LETTERS))
    return _SPACES.sub(" ", _DIACRITICS.sub("", text)).strip().casefold()
