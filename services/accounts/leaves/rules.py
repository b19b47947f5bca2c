"""Whether somebody may stand in for somebody else. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.accounts.staff.rules import Member

LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Period:
    """`staff_id` is away, and `deputy` stands in."""

    staff_id: UUID
    deputy: UUID
    starts_at: datetime
    ends_at: datetime


def fits(absent: Member, deputy: Member) -> bool:
    """Whether the deputy may do all that the one who is away does. Their units, and so whose cases they may see, are judged by
    themselves."""
    return deputy.active and set(absent.roles) <= set(deputy.roles)


def wrong_with_leave(
    period: Period, absent: Member, deputy: Member | None, others: list[Period], at: datetime
) -> Iterator[dict[str, str]]:
    """What is wrong, as the `fields` of an error. `others`: leaves of either of them within that time, as absent or deputy."""
    if period.ends_at <= period.starts_at or period.ends_at <= at:
        yield {"field": "ends_at", "reason": "not_to_come"}
    elif period.ends_at - period.starts_at > LONGEST:
        yield {"field": "ends_at", "reason": "too_long_away"}
    if period.deputy == period.staff_id:
        yield {"field": "deputy", "reason": "same_person"}
    elif deputy is None or not deputy.active:
        yield {"field": "deputy", "reason": "inactive"}
    elif not fits(absent, deputy):
        yield {"field": "deputy", "reason": "lacks_a_role"}
    elif any(other.staff_id == period.deputy for other in others):
        yield {"field": "deputy", "reason": "away_too"}
    if any(other.staff_id == period.staff_id for other in others):
        yield {"field": "starts_at", "reason": "away_already"}
    elif any(other.deputy == period.staff_id for other in others):
        yield {"field": "starts_at", "reason": "stands_in_then"}
