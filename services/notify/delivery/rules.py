"""Rules of notification: what a handset's text means, when it may be disturbed, how long a text is, what failed."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.notify import Reply

TEHRAN = ZoneInfo("Asia/Tehran")


class SkipReason(StrEnum):
    """Why a message was never sent (DOMAIN: Notification)."""

    NO_MOBILE = "no_mobile"
    OPTED_OUT = "opted_out"
    SUPERSEDED = "superseded"  # the case has moved on, and the words are no longer true
    EXPIRED = "expired"


@dataclass(frozen=True)
class QuietHours:
    """From one whole hour to another, Tehran; equal ones mean no quiet hours."""

    start: int
    end: int

    def next_allowed(self, moment: datetime) -> datetime:
        """`moment` itself when phones may ring then, else the coming morning (in the zone of `moment`)."""
        local = moment.astimezone(TEHRAN)
        if self.start == self.end or not self._is_quiet(local.hour):
            return moment
        morning = datetime.combine(local.date(), time(self.end), TEHRAN)
        if morning <= local:
            morning = datetime.combine(local.date() + timedelta(days=1), time(self.end), TEHRAN)
        return morning.astimezone(moment.tzinfo)

    def _is_quiet(self, hour: int) -> bool:
        if self.start < self.end:
            return self.start <= hour < self.end
        return hour >= self.start or hour < self.end


_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = frozenset("^{}\\[~]|€")


def sms_parts(text: str) -> int:
    """How many parts the operator bills: 160 then 153 GSM letters, else 70 then 67 UTF-16 units (sms-providers)."""
    if all(letter in _GSM or letter in _GSM_DOUBLE for letter in text):
        length, single, joined = len(text) + sum(letter in _GSM_DOUBLE for letter in text), 160, 153
    else:
        length, single, joined = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= single else -(-length // joined)


def code_for_sms(code: str) -> str:
    """Four groups joined by dashes: alone on its line a phone shows them in order, in both writing directions."""
    return "-".join(code[start : start + 4] for start in range(0, 16, 4))


def local_id(message_id: UUID, provider_key: str) -> str:
    """The number by which the provider knows a repeated request: 63 bits, the same for every try of one message."""
    digest = hashlib.sha256(f"{provider_key}:{message_id}".encode()).digest()
    return str(int.from_bytes(digest[:8]) >> 1)


RETRY_WAITS = (5, 15, 60, 300, 900, 1800, 3600)  # seconds; the last one repeats
GIVE_UP_AFTER = timedelta(hours=11)  # a provider forgets a localid after 12 h; a later try could send twice


def retry_wait(attempts: int) -> timedelta:
    """After the `attempts`-th failure (from 1)."""
    return timedelta(seconds=RETRY_WAITS[min(attempts, len(RETRY_WAITS)) - 1])


POLL_WAITS = (60, 300, 900, 3600, 4 * 3600)  # seconds; the last one repeats
POLL_WINDOW = timedelta(hours=48)  # the provider tells nothing of older messages


def poll_wait(polls: int) -> timedelta:
    """After the `polls`-th look without a final word (from 0: the first look)."""
    return timedelta(seconds=POLL_WAITS[min(polls, len(POLL_WAITS) - 1)])


@dataclass(frozen=True)
class SentCode:
    """There are numbers in the text, which may be a code; whether one is, its MAC says."""


@dataclass(frozen=True)
class OptOut:
    pass


@dataclass(frozen=True)
class OptIn:
    pass


@dataclass(frozen=True)
class NotUnderstood:
    pass


Inbound = SentCode | Reply | OptOut | OptIn | NotUnderstood

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


def read_inbound(text: str, candidates: Sequence[str]) -> Inbound:
    """What a handset's text asks for. `candidates`: the numbers in it that may be a code."""
    plain = _plain(text)
    if plain in _REPLIES:
        return _REPLIES[plain]
    if plain in _OPT_OUT:
        return OptOut()
    if plain in _OPT_IN:
        return OptIn()
    return SentCode() if candidates else NotUnderstood()


def _plain(text: str) -> str:
    folded = text.replace("ي", "ی").replace("ك", "ک")
    digits = "".join(
        str(unicodedata.decimal(letter)) if unicodedata.category(letter) == "Nd" else letter for letter in folded
    )
    return _SEPARATORS.sub("", digits).casefold()
