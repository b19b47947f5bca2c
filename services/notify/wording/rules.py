"""Rules of texts: what a value is, which values a text names, how many parts an SMS has. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.notify import MessageChannel
from contracts.vocabulary import Language

LANGUAGES = ("fa", "en")
CHANNELS = tuple(channel.value for channel in MessageChannel)

MAX_SMS_PARTS = 2
REQUIRED_VALUES = ("code", "otp")
"""Values without which the recipient could not continue: a text that is shipped with one keeps it."""

NAMED_VALUES = ("ending", "endings")
"""Values by which the recipient knows which case is meant: a text that is shipped with one names it somewhere."""


class RefusalName(Protocol):
    """The administrator's name of a reason for refusing a case."""

    @property
    def fa(self) -> str: ...
    @property
    def en(self) -> str: ...


@dataclass(frozen=True)
class Names:
    """Words that values are written with: of kinds of cases by language, and of the office's own refusal reasons."""

    kinds: Mapping[str, Mapping[str, str]]
    refusal_reasons: Sequence[RefusalName] = ()


@dataclass(frozen=True)
class Value:
    """A value that a text may name in braces.

    `extract`: event → the parameters stored with the message (codes and ISO dates); empty when the event lacks it.
    `write`: stored parameters → the value as its reader sees it. `longest`: the longest it can be, for the length of an SMS.
    `always`: no event of its notifications lacks it. `channels`: where it may be named. `stored_as`: the parameter by
    which its presence is seen, when that is not its name.
    """

    name: str
    extract: Callable[[Any], Mapping[str, str]]
    write: Callable[[Mapping[str, str], Language, Names], str]
    longest: Callable[[Language, Names], str]
    always: bool = True
    channels: frozenset[str] = frozenset(CHANNELS)
    stored_as: str | None = None

    def is_in(self, params: Mapping[str, str]) -> bool:
        return (self.stored_as or self.name) in params


_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = frozenset("^{}\\[~]|€")


def is_gsm(letter: str) -> bool:
    """Whether a letter is of the GSM alphabet. An SMS with any other letter is written in UTF-16."""
    return letter in _GSM or letter in _GSM_DOUBLE


def sms_parts(text: str) -> int:
    """How many parts the operator bills: 160 then 153 GSM letters, else 70 then 67 UTF-16 units (sms-providers)."""
    alone, in_parts = (160, 153) if all(map(is_gsm, text)) else (70, 67)
    length = sms_length(text)
    return 1 if length <= alone else -(-length // in_parts)


def sms_length(text: str) -> int:
    """How many of these letters or units a text has."""
    if all(map(is_gsm, text)):
        return len(text) + sum(letter in _GSM_DOUBLE for letter in text)
    return len(text.encode("utf-16-le")) // 2


def code_for_sms(code: str) -> str:
    """Four groups with dashes between: alone on its line a phone shows them in order, in both writing directions."""
    return "-".join(code[start : start + 4] for start in range(0, 16, 4))
