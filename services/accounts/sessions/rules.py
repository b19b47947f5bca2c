"""The rules of sessions: how long an access token is valid, and what it means that a refresh token comes again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from contracts.vocabulary import Role

ACCESS_SECONDS_MOST = 15 * 60
"""No access token is valid for longer: the gateway remembers for so long which sessions have ended."""
COMMITTED_WITHIN = timedelta(minutes=1)
"""From the time that a change records to the moment when other transactions see it, at most."""


@dataclass(frozen=True)
class Subject:
    """Whose session it is. `type`: "citizen" or "staff"; `mobile`: a citizen's, verified; `version`: of a staff account."""

    type: str
    id: UUID
    roles: tuple[Role, ...] = ()
    unit: str | None = None
    name: str | None = None
    mobile: str | None = None
    version: int | None = None


class Use(Enum):
    FIRST = "first"
    AGAIN = "again"  # the same refresh, whose answer was lost
    STOLEN = "stolen"


def use_of(used_at: datetime | None, successor_used: bool, at: datetime, grace: int) -> Use:
    """What it means that a refresh token came. `grace` in seconds.

    A second time within the grace is a retry, unless its successor was used: whoever holds that has had the answer.
    """
    if used_at is None:
        return Use.FIRST
    return Use.AGAIN if not successor_used and at - used_at <= timedelta(seconds=grace) else Use.STOLEN


def access_valid_until(ended_at: datetime) -> datetime:
    """By when the last access token of a session that ended has expired by itself."""
    return ended_at + timedelta(seconds=ACCESS_SECONDS_MOST)
