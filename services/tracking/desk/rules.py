"""Until when an operator may correct what they filed. Pure."""

from __future__ import annotations

from datetime import date, datetime

from services.tracking.reference.workdays import Workdays, day_of


def correctable_until(filed_at: datetime, workdays: Workdays, days: int) -> date:
    """The last day on which the operator who filed it may correct it; afterwards a head alone."""
    return workdays.after(day_of(filed_at), days)
