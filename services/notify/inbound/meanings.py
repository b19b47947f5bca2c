"""What an inbound text means. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.notify import Reply
from services.notify.inbound.reply_words import Item, Stance, read_items


@dataclass(frozen=True)
class TrackingCodeSent:
    """There are numbers in the text that may be tracking codes. `codes`: those that are ours, by their MAC; none of them when
    it was mistyped or invented."""

    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReplySent:
    """An answer to a message that asked for one. `code`: the tracking code that it names; `ending`: four digits in it that may
    be the last ones of a code. `in_sentence`: there are other words, so those digits may be a year as well."""

    reply: Reply
    code: str | None = None
    ending: str | None = None
    in_sentence: bool = False


@dataclass(frozen=True)
class UnclearReply:
    """Words or digits of an answer which do not tell what is answered: satisfied and objecting at once, a question about
    objections, several codes with one answer, a code's last four digits alone."""


@dataclass(frozen=True)
class OptOut:
    """No more messages."""


@dataclass(frozen=True)
class OptIn:
    """Messages again."""


@dataclass(frozen=True)
class NotUnderstood:
    """Anything else."""


Meaning = TrackingCodeSent | ReplySent | UnclearReply | OptOut | OptIn | NotUnderstood

MOST_REPLIES = 4
"""Answers in one text, each with its code."""
_SEPARATORS = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff._:،,\-‐-‒–—ـ]+")
_OPT_OUT = {"لغو", "لغو11", "stop", "off"}
_OPT_IN = {"فعال", "شروع", "start", "on"}
_REPLIES = {
    Stance.SATISFIED: Reply.SATISFIED,
    Stance.OBJECTING: Reply.OBJECT,
    Stance.RESUMING: Reply.RESUME,
}


def meanings_of(text: str, candidates: Sequence[str], codes: Sequence[str]) -> Sequence[Meaning]:
    """What an inbound text asks for: one thing, or several answers, each with its code.

    `candidates`: the numbers in it that may be a code; `codes`: those of them that are ours.
    """
    plain = _plain(text)
    if plain in _OPT_OUT:
        return [OptOut()]
    if plain in _OPT_IN:
        return [OptIn()]
    reading = read_items(text, codes)
    answers = [item for item in reading.items if item.stance is not None]
    targets = [item for item in reading.items if item.stance is None]
    if answers and candidates and not codes:
        return [TrackingCodeSent()]  # an answer for a code that is none: nothing is done by it
    if not answers:
        if candidates:
            return [TrackingCodeSent(tuple(codes))]
        only_ending = targets and not reading.in_sentence
        return [UnclearReply() if only_ending else NotUnderstood()]
    contradictory = len({item.stance for item in answers}) > 1
    if len({target.digits for target in targets}) > 1 and not reading.doubtful:
        return _pairs(reading.items, reading.in_sentence) or [UnclearReply()]
    if reading.doubtful or contradictory:
        # Such as one of our own messages, sent back whole: it has both answers and the code.
        return [TrackingCodeSent(tuple(codes)) if codes and reading.in_sentence else UnclearReply()]
    return [_reply(answers[0], targets[0] if targets else None, reading.in_sentence)]


def _pairs(items: Sequence[Item], in_sentence: bool) -> list[Meaning]:
    """Each answer with its code, when they take turns: 1 1234 2 5678. Empty when they do not."""
    merged: list[Item] = []
    for item in items:
        if not (merged and item.stance is not None and merged[-1].stance is item.stance):
            merged.append(item)
    pairs = list(zip(merged[::2], merged[1::2], strict=False))
    if len(merged) % 2 or len(pairs) > MOST_REPLIES:
        return []
    if any((first.stance is None) == (second.stance is None) for first, second in pairs):
        return []
    if len({first.stance is None for first, _ in pairs}) > 1:
        return []
    return [
        _reply(*((first, second) if second.stance is None else (second, first)), in_sentence) for first, second in pairs
    ]


def _reply(answer: Item, target: Item | None, in_sentence: bool) -> Meaning:
    assert answer.stance is not None
    reply = _REPLIES[answer.stance]
    if target is None:
        return ReplySent(reply, in_sentence=in_sentence)
    whole = len(target.digits) > len("0000")
    return ReplySent(reply, target.digits if whole else None, None if whole else target.digits, in_sentence)


def _plain(text: str) -> str:
    folded = text.replace("ي", "ی").replace("ك", "ک")
    digits = "".join(
        str(unicodedata.decimal(letter)) if unicodedata.category(letter) == "Nd" else letter for letter in folded
    )
    return _SEPARATORS.sub("", digits).casefold()


def substitute_id(mobile: str, text: str, received_at: datetime) -> str:
    """In place of an id that the provider does not give: the same text within a minute is a repetition."""
    return hashlib.sha256(f"{mobile}\0{text}\0{received_at:%Y%m%d%H%M}".encode()).hexdigest()
