"""Characters of typed text: digits of any script, accents and vowel signs, and what leaves no mark on paper."""

from __future__ import annotations

import unicodedata

_DIGITS = {ord(c): str(d) for zero in ("۰", "٠") for d in range(10) for c in [chr(ord(zero) + d)]}
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
HIDDEN_BEYOND_THE_BMP = r"\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
"""Inside the brackets of a pattern: the same beyond U+FFFF, which not every engine's patterns take."""
_MARKS_IN_A_ROW = 30
"""As UAX #15, Stream-Safe Text Format, has it: no language needs more marks on one letter."""


def latin_digits(text: str) -> str:
    """Persian and Arabic digits as 0–9; everything else untouched."""
    return text.translate(_DIGITS)


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
