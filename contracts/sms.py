"""What words that staff write must not bring into an SMS: links in any spelling, and letters that nobody sees.

Pure, and shared by who takes such words: texts of messages, refusal reasons, rooms of visits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

ZWNJ = "\u200c"
SHOWN = 40
"""Letters of a link that are told to who wrote it."""

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SPACES = frozenset(" \u00a0")

# What reads as a dot, a slash, a colon or an @, after NFKC.
_MARKS = str.maketrans(
    {
        **dict.fromkeys("。｡․‧·•∙⋅۔܁܂᛫ꞏ⸱", "."),
        **dict.fromkeys("⁄∕⧸╱⟋／", "/"),
        **dict.fromkeys("∶꞉ː։׃", ":"),
    }
)
# Letters of other scripts that read as Latin ones.
_LETTERS = str.maketrans("авеһіјкмнорстухѕԁԛԝԍӏαβεικνορτυχωı", "abehijkmhopctyxsdqwglabeiknoptuxwi")
_BRACKETED_DOT = re.compile(r"\s{0,3}[\[({<«]\s{0,3}(?:\.|,|dot|دات|نقطه)\s{0,3}[\])}>»]\s{0,3}")
_SPOKEN_DOT = re.compile(r"(?<=[^\W_])\s{1,3}(?:dot|دات)\s{1,3}(?=[^\W_])|(?<=[a-z0-9])\s{0,3}دات\s{0,3}(?=[^\W_])")
_SPOKEN_POINT = re.compile(r"\s{1,3}نقطه\s{1,3}(?=(?:کام|ای ?ار|[a-z]{2,})\b)")

_PERSIAN_ENDS = (
    "ایران|بازار|شبکه|موقع|عرب|کوم|همراه|کاثولیک|ارامکو|اتصالات|ابوظبی|امارات|السعودیه|عمان|مصر|قطر|فلسطین|الاردن|المغرب|تونس"
    "|الجزائر|سوریه|سودان|پاکستان|بهارت|ملیسیا|بیتک|موریتانیا|العلیان|عراق|البحرین|کام|ای ?ار"
)
_NOT_WORDS = "ir|com|org|net|io|ly|xyz|edu|gov|biz|cc|tk|ml|ga|cf|gq|ru|cn|uk|tr|eu|tv|ws|pw|su|gd|gl|cutt|goo|rb|gy"
"""Ends of addresses that are no English words: with a space before them, too."""
_LINKS = tuple(
    re.compile(pattern)
    for pattern in (
        r"[a-z][a-z0-9+.-]{0,20}\s?:\s?/\s?/\S{0,200}",
        r"\bh(?:tt|xx|\*\*)ps?\b\S{0,200}",
        r"\b(?:mailto|tel|sms|tg|intent|javascript|data|market)\s?:\s?\S{1,200}",
        r"\bwww\d?\s?[.,]\S{0,200}",
        r"(?<!\d)\d{1,3}(?:\s?\.\s?\d{1,3}){3}(?!\s?\.?\d)",
        r"(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}|[0-9a-f]{1,4}::[0-9a-f:]{0,30}",
        r"\b0x[0-9a-f]{4,16}\b",
        r"[^\W_][\w-]{0,62}\.(?:xn--[a-z0-9-]{1,60}|[^\W\d_\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff]{2,24})",
        r"(?<=[^\W_])\s{1,3}\.\s{0,3}(?:xn--|[a-z]{2,24})\S{0,100}",
        rf"(?<=[^\W_])\.\s{{1,3}}(?:{_NOT_WORDS})(?![^\W_])\S{{0,100}}",
        rf"[^\W_][\w-]{{0,62}}\s{{0,3}}\.(?:{_PERSIAN_ENDS})(?![^\W_])",
        r"\bxn--[a-z0-9-]{1,60}",
        r"[\w.+-]{0,64}@\s?[^\W_][\w.-]{0,100}",
    )
)


def has_hidden_letters(text: str, lines: bool = False) -> bool:
    """Whether there is a letter that nobody sees, or that turns what stands around it: control characters, marks of direction,
    joiners, fillers, spaces of other widths. The zero-width non-joiner of Persian is none; with `lines` nor is a line's end."""
    return any(_is_hidden(letter) and not (lines and letter == "\n") for letter in text)


def _is_hidden(letter: str) -> bool:
    kind = unicodedata.category(letter)
    if kind == "Zs":
        return letter not in _SPACES
    if kind == "Mn":
        return unicodedata.name(letter, "").startswith("VARIATION SELECTOR") or letter in _INVISIBLE
    return letter != ZWNJ and (kind in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or letter in _INVISIBLE)


def link_in(text: str) -> str | None:
    """What a phone, or a person, would take for an address, as it was understood; None without one.

    `{name}`, the place of a value, counts as a word: no value may become a part of an address.
    """
    plain = _plain(text)
    for pattern in _LINKS:
        match = pattern.search(plain)
        if match is not None:
            return match.group()[:SHOWN].strip()
    return None


def wrong_in_sms(text: str, lines: bool = False) -> Iterator[tuple[str, dict[str, str]]]:
    """Reasons as in the `fields` of an error, each with what it names."""
    if has_hidden_letters(text, lines):
        yield "forbidden_characters", {}
    link = link_in(text)
    if link is not None:
        yield "link_in_sms", {"value": link}


def _plain(text: str) -> str:
    """As it is read: one kind of letter, digit, dot and slash, small, nothing that cannot be seen."""
    seen = "".join(letter for letter in text.translate(_MARKS) if letter == "\n" or not _passes_over(letter))
    plain = unicodedata.normalize("NFKC", seen).casefold().translate(_MARKS).translate(_LETTERS)
    plain = "".join(_latin_digit(letter) for letter in plain)
    plain = plain.translate(str.maketrans("يىكةآأإئ", "ییکهااای"))
    plain = re.sub(r"\{[a-z_]{1,40}\}", "xx", plain)
    for pattern in (_BRACKETED_DOT, _SPOKEN_DOT, _SPOKEN_POINT):
        plain = pattern.sub(".", plain)
    return plain


def _passes_over(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cf", "Mn", "Me", "Cc") or letter in _INVISIBLE


def _latin_digit(letter: str) -> str:
    return str(unicodedata.decimal(letter)) if unicodedata.category(letter) == "Nd" else letter
