"""What an inbound text means. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.notify import Reply


@dataclass(frozen=True)
class TrackingCodeSent:
    """There are numbers in the text that may be a tracking code; whether one is, its MAC decides."""


@dataclass(frozen=True)
class OptOut:
    """No more messages."""


@dataclass(frozen=True)
class OptIn:
    """Messages again."""


@dataclass(frozen=True)
class NotUnderstood:
    """Anything else."""


Meaning = TrackingCodeSent | Reply | OptOut | OptIn | NotUnderstood

_SEPARATORS = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff._:،,\-‐‑‒–—ـ]+")
_REPLIES = {
    "1": Reply.SATISFIED,
    "راضی": Reply.SATISFIED,
    "1راضی": Reply.SATISFIED,
    "2": Reply.OBJECT,
    "اعتراض": Reply.OBJECT,
    "2اعتراض": Reply.OBJECT,
}
_OPT_OUT = {"لغو", "لغو11", "stop", "off"}
_OPT_IN = {"فعال", "شروع", "start", "on"}


def meaning_of(text: str, candidates: Sequence[str]) -> Meaning:
    """What an inbound text asks for. `candidates`: the numbers in it that may be a code."""
    plain = _plain(text)
    if plain in _REPLIES:
        return _REPLIES[plain]
    if plain in _OPT_OUT:
        return OptOut()
    if plain in _OPT_IN:
        return OptIn()
    return TrackingCodeSent() if candidates else NotUnderstood()


def _plain(text: str) -> str:
    folded = text.replace("ي", "ی").replace("ك", "ک")
    digits = "".join(
        str(unicodedata.decimal(letter)) if unicodedata.category(letter) == "Nd" else letter for letter in folded
    )
    return _SEPARATORS.sub("", digits).casefold()


def substitute_id(mobile: str, text: str, received_at: datetime) -> str:
    """In place of an id that the provider does not give: the same text within a minute is a repetition."""
    return hashlib.sha256(f"{mobile}\0{text}\0{received_at:%Y%m%d%H%M}".encode()).hexdigest()
