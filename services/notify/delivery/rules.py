"""Rules of sending: when handsets may ring, when an attempt or a poll is repeated, why a message is not sent. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

TEHRAN = ZoneInfo("Asia/Tehran")


class SkipReason(StrEnum):
    """Why a message was never sent (DOMAIN: Notification)."""

    NO_MOBILE = "no_mobile"
    OPTED_OUT = "opted_out"
    SUPERSEDED = "superseded"  # the case is at another stage, and the text is no longer true
    EXPIRED = "expired"


@dataclass(frozen=True)
class QuietHours:
    """From one whole hour to another, Tehran; equal ones mean no quiet hours."""

    start: int
    end: int

    def next_allowed(self, moment: datetime) -> datetime:
        """`moment` itself when handsets may ring then, else the next morning (in the zone of `moment`)."""
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


def client_reference(message_id: UUID, account: str) -> str:
    """The number by which a provider recognises a repeated call: 63 bits, the same for every attempt of one message."""
    digest = hashlib.sha256(f"{account}:{message_id}".encode()).digest()
    return str(int.from_bytes(digest[:8]) >> 1)


TOO_OLD = timedelta(days=3)
"""A message that nobody accepted by then is given up: it is no news any more."""

RETRY_WAITS = (5, 15, 60, 300, 900, 1800, 3600)  # seconds; the last one repeats
GIVE_UP_AFTER = timedelta(
    hours=11
)  # a provider forgets a client reference after 12 h; a later attempt could send twice


def retry_wait(attempts: int) -> timedelta:
    """After the `attempts`-th failure (from 1)."""
    return timedelta(seconds=RETRY_WAITS[min(attempts, len(RETRY_WAITS)) - 1])


POLLING = 5.0
"""Seconds between two looks for messages whose status is to be polled."""
POLL_WAITS = (60, 300, 900, 3600, 4 * 3600)  # seconds; the last one repeats
POLL_WINDOW = timedelta(hours=48)  # providers report nothing on older messages


def poll_wait(polls: int) -> timedelta:
    """After the `polls`-th poll without a final status (from 0: before the first)."""
    return timedelta(seconds=POLL_WAITS[min(polls, len(POLL_WAITS) - 1)])


def next_poll(polls: int, sent_at: datetime, moment: datetime) -> datetime | None:
    """When to poll again after the `polls`-th poll; None: no more."""
    later = moment + poll_wait(polls + 1)
    return later if later < sent_at + POLL_WINDOW else None
