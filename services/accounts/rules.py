"""Rules that several capabilities of accounts share. Standard library alone."""

from __future__ import annotations

from datetime import datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def seconds_until(moment: datetime, at: datetime) -> int:
    """Whole seconds, rounded up; 0 when it has passed."""
    left = (moment - at).total_seconds()
    return max(0, -int(-left // 1))
