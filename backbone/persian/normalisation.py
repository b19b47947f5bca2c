"""Persian text made comparable: digits of any script, Arabic letters, ZWNJ, diacritics (DOMAIN: Persian text).

What a citizen typed is stored as typed; only what is compared, searched or counted goes through `normalise`. A search compares
what `normalise` has made of both, by `spellings`: where a word may be written in one, or in two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
        "ء": None,
    }
)
_APART = str.maketrans({"\u200b": " ", "\u200c": " "})
_UNSEEN = re.compile(f"[{HIDDEN}{DIRECTIONS}{HIDDEN_BEYOND_THE_BMP}]")
"""What is left of these once ZWNJ and U+200B are spaces: soft hyphens, marks of direction, the tatweel."""
_HAMZA = (
    (re.compile("(?<!ا)ئت"), "ات"),  # هیئت, هیأت
    (re.compile("سئل"), "سال"),  # مسئله, مسأله
    (re.compile(r"ئو(?=\w)"), "و"),  # مسئول, مسؤول, مسوول; at its end a word has ی for it: ویدئو, ویدیو
)
"""Where the seat of a hamza is written in several ways; elsewhere it stands for ی, و or ا."""
_DOUBLED = re.compile("وو+")  # داوود, داود
_PREFIX = re.compile(r"(?<!\w)(ن?می) (?=\w)")  # of a verb: میروم, می‌روم, می روم
_EZAFE = re.compile(r"(?<=ه)(?: ی)+(?= |$)")  # خانهٔ, خانه‌ی
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
    """The form for comparing and searching: one kind of letter, digit and space, no diacritics, lower case; a verb's می and نمی
    joined to it."""
    text = nfkc(_DIACRITICS.sub("", text))  # before, too: NFKC makes one letter of ي and a hamza above it
    text = _DIACRITICS.sub("", _UNSEEN.sub("", text.translate(_APART)))
    for pattern, letters in _HAMZA:
        text = pattern.sub(letters, text)
    text = _DOUBLED.sub("و", latin_digits(text.translate(_LETTERS)))
    text = _SPACES.sub(" ", text).strip().casefold()
    return _PREFIX.sub(r"\1", _EZAFE.sub("", text))


MOST_PARTED = 14
"""Letters of a word that is looked for in two: none of two words is longer."""
_APART_BEFORE = frozenset({"می", "نمی", "بی", "نا", "هم", "پر", "کم", "پیش", "باز", "غیر"})
_APART_BEHIND = frozenset(
    {"ها", "های", "هایی", "هایم", "هایت", "هایش", "هایمان", "هایتان", "هایشان"}
    | {"ام", "ای", "اند", "ایم", "اید", "تر", "ترین"}
)
"""What is written apart, with ZWNJ or joined, as the writer likes."""
_UNJOINED = frozenset("اآدذرزژو")
"""Letters that join to none: behind them nobody types a ZWNJ within a word."""


def spellings(words: Sequence[str], place: int) -> list[str]:
    """How the word at this place of a normalised query may stand in a normalised text that has a space at either end: as it is;
    in two where it may be parted; and a short one at the beginning of a word, or behind the one before it in the query. A text
    that contains any of them has the word. They are few, since each is looked for in an index by itself."""
    word = words[place]
    if len(word) <= 2:
        return [f" {word}", *([words[place - 1] + word] if place > 0 else [])]
    if not word.isalpha() or word.isascii() or len(word) > MOST_PARTED:
        return [word]
    return [word, *(f"{word[:cut]} {word[cut:]}" for cut in range(2, len(word) - 1) if _parts(word[:cut], word[cut:]))]


def _parts(head: str, tail: str) -> bool:
    """Whether one word may be written as these two: at an affix, or where a ZWNJ makes a difference. Not one of four letters
    in the middle: مادر is not ما در."""
    if tail in _APART_BEHIND and (tail == "ها" or len(head) > 2):
        return True
    if head in _APART_BEFORE and len(tail) > 2:
        return True
    return head[-1] not in _UNJOINED and len(head) > 2 and len(head) + len(tail) > 5
