"""The words and digits of an answer to a decision, in Persian (with its usual misspellings, and in Latin letters) and English.

«راضی هستم», «راضی نیستم», «اعتراضی ندارم», 1, «۲ ۱۲۳۴»: alone or in a sentence. Pure; linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from backbone.persian.normalisation import normalise, without_marks
from contracts.characters import DIRECTIONS, HIDDEN


class Stance(Enum):
    SATISFIED = "satisfied"
    OBJECTING = "objecting"
    RESUMING = "resuming"  # the case that was closed without the citizen's answer shall go on


@dataclass(frozen=True)
class Item:
    """A part of an answer: what is answered, or (`stance` None) the digits of a whole code or of its end."""

    stance: Stance | None = None
    digits: str = ""


@dataclass(frozen=True)
class Reading:
    """`items`: the parts of an answer, in their order. `in_sentence`: there are words that belong to no answer, so digits are
    none either. `doubtful`: it asks about an answer, or names a condition, and is none itself."""

    items: Sequence[Item]
    in_sentence: bool
    doubtful: bool


_OPPOSITE = {Stance.SATISFIED: Stance.OBJECTING, Stance.OBJECTING: Stance.SATISFIED, Stance.RESUMING: Stance.RESUMING}


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Beginnings of words, as `normalise` writes them; the negative ones come first, since they contain the others.
_PERSIAN = (
    (Stance.OBJECTING, _set("ناراضی ناراظی ناراذی نارضا ناخشنود معترض معترز معتراض مخالفم")),
    (Stance.OBJECTING, _set("اعتراض اعتراز اعتراظ اعتراذ اعتراص اعطراض اعطراز اعتزاض")),
    (Stance.SATISFIED, _set("راضی راظی راذی رضایت رظایت خشنود خوشنود خرسند قبول موافقم")),
)
_WORDS = {
    **dict.fromkeys(
        _set("satisfied satisfactory happy agree accept razi raziam raziyam rezayat رازیم"), Stance.SATISFIED
    ),
    **dict.fromkeys(_set("dissatisfied unsatisfied unhappy disagree object objection objections"), Stance.OBJECTING),
    **dict.fromkeys(_set("narazi naraziam eteraz eteraaz etraz eteras moteraz moterezam"), Stance.OBJECTING),
}
_SATISFIED_WITH_VERB = "رازی"
"""A misspelling that is a name as well."""
_RESUMING = _set("ادامه continue edame")

_NEGATIVE_VERBS = _set(
    "ندارم نداریم ندارد نداره نیستم نیستیم نیست نیسم نیستش نمیباشم نمیباشد نباشم نمیکنم نمیکنیم نکردم نکنم نشدم نشدیم نشد"
    " نبودم نبودیم نبود نخواهم نخواستم نمیخواهم نمیخوام نمیخواهیم نمیدم نمیدهم ندادم"
    " nistam nistim nadaram nadarim nemikonam nemikham nemikhaham nist"
)
"""After the word that they negate; those of wanting before it, too."""
_NEGATIVE_WITHIN = ("نیست", "ندار", "نمی", "نبود", "نشد")
"""The same, written together with that word."""
_WANTING = _set("نمیخواهم نمیخوام نمیخواهیم nemikham nemikhaham")
_NEGATIVE_BEFORE = _set("not dont isnt never without cannot cant عدم بدون")
_NO = "no"
"""Negates the next word alone: no, I object."""
_REACH = 4
"""Words between a negation and what it negates."""
_AFFIRMATIVE = _set(
    "دارم داریم هستم هستیم هستش ام م میکنم میکنیم میباشم میدهم است شدم کردم بودم daram darim hastam hastim am have are do mikonam"
)
_DOUBT = _set(
    "ایا چطور چطوری چگونه چجوری اگر اگه چنانچه مگر مگه میتوانم میتونم بتوانم بتونم میشود میشه"
    " how if whether can could may when what"
)
_FILLERS = _set(
    "گزینه عدد شماره پاسخ جواب کد پرونده پیگیری رهگیری برای به از با و یا من ما لطفا سلام درباره درمورد مورد در نتیجه را رو این"
    " ان هم ممنون تشکر مرسی بله نه نظر منتهی کاملا خیلی کامل هیچ بدهید بدین دهید دارد ی های"
    " option number reply answer code case for the my is to of please hello and or yes i im with result very an a it salam man"
)
_JOINED = _set("نمی می نا")
"""Beginnings of words that are often written apart."""
_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_APOSTROPHES = str.maketrans(dict.fromkeys("'’‘`´ʼ"))
_BETWEEN_DIGITS = re.compile(rf"(?<=\d)[{HIDDEN}{DIRECTIONS}]+(?=\d)")
_QUESTION = re.compile(r"[?؟⁇]")
_ENDING = 4
_SINGLE = {"1": Stance.SATISFIED, "2": Stance.OBJECTING}


def read_items(text: str, codes: Sequence[str]) -> Reading:
    """The parts of an answer in a text. `codes`: the tracking codes in it, as 16 digits."""
    tokens = list(_without_codes(_tokens(text), codes))
    stances = _stances(tokens)
    words = {token for token in tokens if not token.isdigit()}
    belonging = _FILLERS | _NEGATIVE_VERBS | _NEGATIVE_BEFORE | _AFFIRMATIVE | _RESUMING | {_NO}
    others = any(
        token not in belonging for place, token in enumerate(tokens) if place not in stances and not token.isdigit()
    )
    numbers = [token for token in tokens if token.isdigit() and token not in codes]
    in_sentence = others or any(number not in _SINGLE and len(number) != _ENDING for number in numbers)
    if (tokens and not in_sentence) or (len(tokens) == 1 and _is_glued(tokens[0])):
        return Reading(list(_of_answer(tokens, stances, codes)), False, _doubtful(text, words))
    return Reading(list(_of_answer(tokens, stances, codes, in_sentence=True)), True, _doubtful(text, words))


def _of_answer(
    tokens: Sequence[str], stances: dict[int, Stance], codes: Sequence[str], in_sentence: bool = False
) -> Iterator[Item]:
    """`in_sentence`: a 1 or 2 is a number like another, and «ادامه» a word."""
    for place, token in enumerate(tokens):
        if place in stances:
            yield Item(stances[place])
        elif token in codes or (token.isdigit() and len(token) == _ENDING):
            if not any(code.endswith(token) and code != token for code in codes):
                yield Item(digits=token)
        elif in_sentence:
            continue
        elif token in _SINGLE:
            yield Item(_SINGLE[token])
        elif token in _RESUMING:
            yield Item(Stance.RESUMING)
        elif _is_glued(token):
            yield Item(_SINGLE[token[0]])
            yield Item(digits=token[1:])


def _is_glued(token: str) -> bool:
    """21234: an answer and the end of a code, with nothing between."""
    return token.isdigit() and len(token) == _ENDING + 1 and token[0] in _SINGLE


def _tokens(text: str) -> list[str]:
    """Words and numbers, in one kind of letter and digit; what is often written apart is joined."""
    apart = _BETWEEN_DIGITS.sub(" ", text.translate(_APOSTROPHES))
    plain = without_marks(normalise(apart))
    digits = "".join(str(unicodedata.decimal(sign)) if unicodedata.category(sign) == "Nd" else sign for sign in plain)
    joined: list[str] = []
    for token in _TOKEN.findall(digits):
        if joined and joined[-1] in _JOINED and not token.isdigit():
            joined[-1] += token
        else:
            joined.append(token)
    return joined


def _without_codes(tokens: Sequence[str], codes: Sequence[str]) -> Iterator[str]:
    """The tokens with the groups of each code as one."""
    place = 0
    while place < len(tokens):
        end, number = place, ""
        while end < len(tokens) and tokens[end].isdigit() and len(number) < 16:
            number += tokens[end]
            end += 1
            if number in codes:
                break
        if number in codes:
            yield number
            place = end
        else:
            yield tokens[place]
            place += 1


def _stances(tokens: Sequence[str]) -> dict[int, Stance]:
    """Where there is a word of an answer, and what it says with its negations."""
    stances: dict[int, Stance] = {}
    negated: set[int] = set()
    for place, token in enumerate(tokens):
        stance, rest = _stance(token)
        next_word = next(iter(tokens[place + 1 : place + 2]), "")
        if token == _SATISFIED_WITH_VERB and next_word in _AFFIRMATIVE | _NEGATIVE_VERBS:
            stance = Stance.SATISFIED
        if stance is not None:
            stances[place] = stance
            if any(verb in rest for verb in _NEGATIVE_WITHIN):
                negated.add(place)
    for place, token in enumerate(tokens):
        before = next((at for at in range(place - 1, place - 1 - _REACH, -1) if at in stances), None)
        after = next((at for at in range(place + 1, place + 1 + _REACH) if at in stances), None)
        if token in _NEGATIVE_VERBS and before is not None:
            negated.add(before)
        elif (token in _NEGATIVE_BEFORE or token in _WANTING) and after is not None:
            negated.add(after)
        elif token == _NO and place + 1 in stances:
            negated.add(place + 1)
    return {place: _OPPOSITE[stance] if place in negated else stance for place, stance in stances.items()}


def _stance(token: str) -> tuple[Stance | None, str]:
    """What a word says, and what stands after it without a space."""
    if token in _WORDS:
        return _WORDS[token], ""
    for stance, stems in _PERSIAN:
        for stem in stems:
            if token.startswith(stem):
                return stance, token[len(stem) :]
    return None, ""


def _doubtful(text: str, words: set[str]) -> bool:
    return bool(words & _DOUBT) or (_QUESTION.search(text) is not None and not words & (_AFFIRMATIVE | _NEGATIVE_VERBS))
