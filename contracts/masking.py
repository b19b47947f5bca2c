"""Takes out of a text what tells who somebody is: for files that go where no scope follows them.

Numbers are found by their digits, of any script, whatever stands between them: spaces, dashes, dots, brackets, marks that
cannot be seen. Masked are tracking codes and bank cards (16 digits), mobiles and landlines, national IDs, IBANs, postal
codes, number plates; further e-mail addresses, web addresses and account names. Left are dates, amounts, file and case
numbers. Time grows with the length of the text and no faster. What is spelled out in words is not found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from contracts.identifiers import national_id

MASK = "[masked]"

_BETWEEN = frozenset("-‐‑‒–—―−ـ._/\\()[]{}·•*|~,٫٬،'\"+")
_COMMAS = frozenset(",٬،")
_MOST_BETWEEN = 4
"""So many visible marks may stand between two digits of one number."""
_MOST_INVISIBLE = 16

_PHONE = re.compile(r"(?:00980?|980?|0)(?P<number>[1-9]\d{9})")
_BARE_MOBILE = re.compile(r"9[0-49]\d{8}")
_POSTAL = re.compile(r"[13-9]{4}[13-9]\d{5}|[13-9]{4}[5-9]\d{5}")
_PHONE_WORD = re.compile(r"(?:تلفن(?:\s{1,2}(?:ثابت|منزل|خانه|محل کار))?|\btel|\bphone)\W{0,4}$", re.IGNORECASE)
_POSTAL_WORD = re.compile(r"(?:کد\W?پستی|postal\s?code|post\s?code|\bzip)\W{0,4}$", re.IGNORECASE)
_IBAN_WORD = re.compile(r"(?<![a-z])ir\W{0,3}$", re.IGNORECASE)
_LOOKED_BACK = 24

_D = r"[0-9۰-۹٠-٩]"
_PLATE = re.compile(
    rf"(?<!\d){_D}{{2}}\s{{0,2}}(?:[آ-ی]|الف)\s{{0,2}}{_D}{{3}}\s{{0,2}}[-–ـ]?\s{{0,2}}ایران\s{{0,2}}[-–ـ]?\s{{0,2}}{_D}{{2}}(?!\d)"
)
_SCHEME = re.compile(
    r"(?:h(?:tt|xx)ps?|tg|ftp)\s?:\s?//[^\s،؛»<>()\"]{1,2000}|\bwww\.[^\s،؛»<>()\"]{1,2000}", re.IGNORECASE
)
_PROFILE = re.compile(
    r"\b(?:t|telegram|wa|instagram|facebook|fb|linkedin|twitter|x|youtube|eitaa|ble|bale|rubika|splus|gap|igap|soroush)"
    r"\.(?:me|com|ir|im|app|net|org)/[^\s،؛»<>()\"]{1,2000}",
    re.IGNORECASE,
)
_AT = re.compile(r"\s?[\[({]\s?at\s?[\])}]\s?|@", re.IGNORECASE)
_LOCAL = re.compile(r"[\w.+%-]{0,64}$")
_DOMAIN = re.compile(r"[\w.-]{1,255}|\s?[\[({]\s?dot\s?[\])}]\s?", re.IGNORECASE)


@dataclass(frozen=True)
class _Group:
    """Digits that stand side by side: as ASCII, and where."""

    digits: str
    start: int
    end: int


def masked(text: str) -> str:
    """The text with `MASK` in place of each of them."""
    for pattern in (_SCHEME, _PROFILE):
        text = pattern.sub(MASK, text)
    text = _PLATE.sub(MASK, _without_addresses(text))
    parts, at = [], 0
    for start, end in _numbers(text):
        parts += [text[at:start], MASK]
        at = end
    return "".join([*parts, text[at:]])


# --- addresses ---


def _without_addresses(text: str) -> str:
    """E-mail addresses, and names of accounts such as @name."""
    parts, at = [], 0
    for sign in _AT.finditer(text):
        if sign.start() < at:
            continue
        before = _LOCAL.search(text, max(at, sign.start() - 64), sign.start())
        start, end = before.start() if before else sign.start(), sign.end()
        while end - sign.end() < 300 and (more := _DOMAIN.match(text, end)):
            end = more.end()
        name = text[sign.end() : end].strip(". ")
        if len(name) < 3 or not any(letter.isalpha() for letter in name):
            continue
        end -= len(text[sign.end() : end]) - len(text[sign.end() : end].rstrip(". "))
        parts += [text[at:start], MASK]
        at = end
    return "".join([*parts, text[at:]])


# --- numbers ---


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers of persons stand, in order, none over another."""
    for groups in _runs(text):
        place, fresh = 0, True
        while place < len(groups):
            length = _number_at(text, groups, place, fresh)
            if length:
                yield _with_marks(text, groups[place].start, groups[place + length - 1].end)
                place, fresh = place + length, True
            else:
                place, fresh = place + 1, False


def _runs(text: str) -> Iterator[list[_Group]]:
    """Groups of digits with nothing but marks between them."""
    run: list[_Group] = []
    at, size = 0, len(text)
    while at < size:
        if not _is_digit(text[at]):
            at += 1
            continue
        start, digits = at, []
        while at < size:
            if _is_digit(text[at]):
                digits.append(str(unicodedata.digit(text[at])))
            elif unicodedata.category(text[at]) not in ("Cf", "Mn"):
                break
            at += 1
        end = at
        while not _is_digit(text[end - 1]):
            end -= 1
        if run and not _is_one_number(text, run[-1].end, start):
            yield run
            run = []
        run.append(_Group("".join(digits), start, end))
    if run:
        yield run


def _is_digit(letter: str) -> bool:
    return letter.isdigit() and unicodedata.digit(letter, None) is not None


def _is_one_number(text: str, start: int, end: int) -> bool:
    """Whether what lies between two groups may stand within one number."""
    if end - start > _MOST_BETWEEN + _MOST_INVISIBLE:
        return False
    visible = 0
    for letter in text[start:end]:
        kind = unicodedata.category(letter)
        if kind in ("Cf", "Mn"):
            continue
        visible += 1
        if kind not in ("Zs", "Pd") and letter not in _BETWEEN and letter != "\t":
            return False
    return visible <= _MOST_BETWEEN


def _number_at(text: str, groups: Sequence[_Group], place: int, fresh: bool) -> int:
    """How many groups from this place on are one number; 0: none. `fresh`: nothing that was left stands before it in its run."""
    digits, count = "", 0
    fours = [len(group.digits) for group in groups[place : place + 4]] == [4, 4, 4, 4]
    iban = _iban_begins(text, groups[place])
    # An IBAN holds what would be a code, and a code may begin as a mobile does; a phone ends where its groups do.
    for number, group in enumerate(groups[place : place + 24], start=1):
        digits += group.digits
        if len(digits) > 24 or (count > 0 and len(digits) > 14 and not fours and not iban):
            break
        if len(digits) >= 8 and _is_number(text, groups[place : place + number], digits, fresh):
            count = number
            if 10 < len(digits) < 16 and not fours and not iban:
                break
    return count


def _is_number(text: str, groups: Sequence[_Group], digits: str, fresh: bool) -> bool:
    start = groups[0].start
    between = [text[first.end : second.start] for first, second in pairwise(groups)]
    counted = any(_COMMAS & set(mark) for mark in between)  # an amount, or a list
    match len(digits):
        case 24:
            return _iban_begins(text, groups[0]) or (not counted and _is_iban(digits))
        case 16:
            return not counted and (len(groups) <= 2 or len({len(group.digits) for group in groups}) == 1)
        case 11 | 12 | 13 | 14:
            return _is_phone(text, groups, digits)
        case 10:
            if counted or _is_amount(groups, between):
                return False
            if _POSTAL_WORD.search(text, max(0, start - _LOOKED_BACK), start):
                return True
            if len(groups) == 2 and len(groups[0].digits) == 5 and _POSTAL.fullmatch(digits):
                return between[0].strip() in tuple("-–‐‑−")
            if _begins_with_year(groups):
                return False
            whole = len(groups) == 1 or fresh or [len(group.digits) for group in groups] == [3, 6, 1]
            return whole and (national_id(digits) is not None or _BARE_MOBILE.fullmatch(digits) is not None)
        case 8:
            return digits[0] in "23456789" and _PHONE_WORD.search(text, max(0, start - _LOOKED_BACK), start) is not None
    return False


def _is_phone(text: str, groups: Sequence[_Group], digits: str) -> bool:
    match = _PHONE.fullmatch(digits)
    if match is None:
        return False
    if match["number"].startswith("9") or digits.startswith("00") or text[groups[0].start - 1 : groups[0].start] == "+":
        return True
    # A landline: its area's code stands by itself, or everything is one.
    return len(groups) == 1 or (digits.startswith("0") and len(groups[0].digits) in (1, 3, 4))


def _is_amount(groups: Sequence[_Group], between: Sequence[str]) -> bool:
    """1.234.567.890"""
    return len(groups) > 2 and set(between) == {"."} and all(len(group.digits) == 3 for group in groups[1:])


def _begins_with_year(groups: Sequence[_Group]) -> bool:
    """A case's or a file's number such as 1405-000123, a date with more behind it, or a date in the other order."""
    if len(groups) == 1:
        return False
    first = groups[0].digits
    if len(first) == 4 and (first[:2] in ("13", "14") or first[:2] in ("19", "20")):
        return True
    return any(len(group.digits) == 4 and group.digits[:2] in ("13", "14", "20") for group in groups) and all(
        len(group.digits) in (1, 2, 4) for group in groups
    )


def _iban_begins(text: str, group: _Group) -> bool:
    return _IBAN_WORD.search(text, max(0, group.start - 8), group.start) is not None


def _is_iban(digits: str) -> bool:
    """An Iranian IBAN without its letters: ISO 7064, mod 97 (I is 18, R is 27)."""
    return int(f"{digits[2:]}1827{digits[:2]}") % 97 == 1


def _with_marks(text: str, start: int, end: int) -> tuple[int, int]:
    """A number with what belongs to it: a plus, an opening bracket, IR, marks that cannot be seen."""
    while start > 0 and (text[start - 1] in "+＋(" or unicodedata.category(text[start - 1]) == "Cf"):
        start -= 1
    while end < len(text) and unicodedata.category(text[end]) == "Cf":
        end += 1
    letters = _IBAN_WORD.search(text, max(0, start - 8), start)
    return letters.start() if letters else start, end
