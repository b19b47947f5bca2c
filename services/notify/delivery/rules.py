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
    NOT_WANTED = "not_wanted"  # by the citizen's preferences
    PUSHED = "pushed"  # the citizen prefers pushes, and a device's push service has taken one
    NOT_PUSHED = "not_pushed"  # the same where none has; it is in the inbox


@dataclass(frozen=True)
class QuietHours:
    """From one time of the day to another, Tehran; equal ones mean no quiet hours."""

    start: int
    end: int
    start_minute: int = 0
    end_minute: int = 0

    @classmethod
    def of_minutes(cls, start: int, end: int) -> QuietHours:
        """Of minutes of the day."""
        return cls(start // 60, end // 60, start % 60, end % 60)

    @property
    def minutes(self) -> tuple[int, int]:
        """Both as minutes of the day."""
        return self.start * 60 + self.start_minute, self.end * 60 + self.end_minute

    def next_allowed(self, moment: datetime) -> datetime:
        """`moment` itself when handsets may ring then, else the end of the quiet hours (in the zone of `moment`)."""
        local = moment.astimezone(TEHRAN)
        if not self._is_quiet(local.hour * 60 + local.minute):
            return moment
        end = datetime.combine(local.date(), time(self.end, self.end_minute), TEHRAN)
        if end <= local:
            end = datetime.combine(local.date() + timedelta(days=1), time(self.end, self.end_minute), TEHRAN)
        return end.astimezone(moment.tzinfo)

    def _is_quiet(self, minute: int) -> bool:
        start, end = self.minutes
        if start <= end:
            return start <= minute < end
        return minute >= start or minute < end


def client_reference(message_id: UUID, account: str, resends: int = 0) -> str:
    """The number by which a provider recognises a repeated call: 63 bits, the same for every attempt of one message. `resends`:
    how often the office has had it sent again; each is another message to the provider."""
    ending = f":{resends}" if resends else ""
    digest = hashlib.sha256(f"{account}:{message_id}{ending}".encode()).digest()
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
