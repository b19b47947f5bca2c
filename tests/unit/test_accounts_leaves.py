"""Who may stand in for whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.vocabulary import Role
from services.accounts.leaves.rules import Period, fits, wrong_with_leave
from services.accounts.staff.rules import Member

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
AWAY, DEPUTY, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
INSPECTOR = Member("بازرس", (Role.INSPECTOR,), "insp")
BOTH = Member("بازرس", (Role.INSPECTOR, Role.SCREENER), "elsewhere")


def period(**changes: Any) -> Period:
    values: dict[str, Any] = {"staff_id": AWAY, "deputy": DEPUTY, "starts_at": NOW, "ends_at": NOW + timedelta(days=7)}
    return Period(**(values | changes))


def wrong(asked: Period, absent: Member = INSPECTOR, deputy: Member | None = BOTH, *others: Period) -> dict[str, str]:
    return {line["field"]: line["reason"] for line in wrong_with_leave(asked, absent, deputy, list(others), NOW)}


def test_a_deputy_has_all_roles_of_the_one_who_is_away_of_whatever_unit() -> None:
    assert fits(INSPECTOR, BOTH)
    assert not fits(BOTH, INSPECTOR)
    assert wrong(period()) == {}


@pytest.mark.parametrize(
    ("asked", "deputy", "field", "reason"),
    [
        (period(ends_at=NOW), BOTH, "ends_at", "not_to_come"),
        (period(starts_at=NOW + timedelta(days=8)), BOTH, "ends_at", "not_to_come"),
        (period(ends_at=NOW + timedelta(days=400)), BOTH, "ends_at", "too_long_away"),
        (period(deputy=AWAY), BOTH, "deputy", "same_person"),
        (period(), None, "deputy", "inactive"),
        (period(), Member("بازرس", (Role.INSPECTOR,), None, active=False), "deputy", "inactive"),
        (period(), Member("تحلیلگر", (Role.ANALYST,), None), "deputy", "lacks_a_role"),
    ],
)
def test_what_is_wrong_is_named(asked: Period, deputy: Member | None, field: str, reason: str) -> None:
    assert wrong(asked, INSPECTOR, deputy) == {field: reason}


@pytest.mark.parametrize(
    ("other", "field", "reason"),
    [
        (period(staff_id=DEPUTY, deputy=OTHER), "deputy", "away_too"),
        (period(deputy=OTHER), "starts_at", "away_already"),
        (period(staff_id=OTHER, deputy=AWAY), "starts_at", "stands_in_then"),
    ],
)
def test_nobody_stands_in_who_is_away_too(other: Period, field: str, reason: str) -> None:
    assert wrong(period(), INSPECTOR, BOTH, other) == {field: reason}
