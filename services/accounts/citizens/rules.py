"""The rules of one-time codes: how often one is sent, and whether one that was entered is right."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from contracts.text_limits import ONE_TIME_CODE_DIGITS
from services.accounts.rules import DAY, HOUR, seconds_until

STRANGER_TRIES = 10
"""Wrong codes within `TRIES_FORGIVEN_AFTER` that may be entered for one mobile by all who did not request any."""
TRIES_FORGIVEN_AFTER = HOUR
VALID_CODES = 3
"""How many of the codes sent to one mobile, requested by different people, are valid at a time: the newest."""


def fresh_code() -> str:
    """Six digits, each code as likely as any other."""
    return f"{secrets.randbelow(10**ONE_TIME_CODE_DIGITS):0{ONE_TIME_CODE_DIGITS}d}"


@dataclass(frozen=True)
class SendingLimits:
    """How often one mobile may be sent a code; `resend` in seconds."""

    resend: int
    per_hour: int
    per_day: int


def wait_for_code(sent_at: Sequence[datetime], at: datetime, limits: SendingLimits) -> int:
    """Seconds until this mobile may be sent another code; 0: now. `sent_at`: when it was sent the last ones."""
    past = sorted(sent_at)
    free_at = [at]
    if past:
        free_at.append(past[-1] + timedelta(seconds=limits.resend))
    for limit, span in ((limits.per_hour, HOUR), (limits.per_day, DAY)):
        if len(past) >= limit:
            free_at.append(past[-limit] + span)
    return seconds_until(max(free_at), at)


def limits_of_one_requester(limits: SendingLimits) -> SendingLimits:
    """How often one mobile may be sent a code on the request of one address: never all of it, so that a stranger who requests
    codes again and again does not keep its owner from getting one."""
    return SendingLimits(resend=0, per_hour=max(1, limits.per_hour - 1), per_day=max(1, limits.per_day - 3))


def recent(moments: Sequence[datetime], at: datetime) -> list[datetime]:
    """Those of the last day: older ones count for no limit."""
    return [moment for moment in moments if at - moment < DAY]


@dataclass(frozen=True)
class StoredCode:
    """What is kept of a code that was sent."""

    code_hash: str
    expires_at: datetime
    used: bool


class Verdict(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    TRIED_TOO_OFTEN = "tried_too_often"
    VOID = "void"  # expired, used, or none was sent: as good as wrong


def judge(stored: Sequence[StoredCode], entered_hash: str, at: datetime, *, may_try: bool) -> Verdict:
    """Whether a code that was entered is right. Each stored one is compared alike, whatever else is wrong with it, so that the
    time it takes is the same. `stored`: the newest first."""
    candidates = [*stored[:VALID_CODES], *[None] * (VALID_CODES - len(stored))]
    equal = [hmac.compare_digest(code.code_hash if code else "0" * 64, entered_hash) for code in candidates]
    valid = [code is not None and not code.used and at < code.expires_at for code in candidates]
    if not may_try:
        return Verdict.TRIED_TOO_OFTEN
    if not any(valid):
        return Verdict.VOID
    return Verdict.RIGHT if any(same and good for same, good in zip(equal, valid, strict=True)) else Verdict.WRONG
