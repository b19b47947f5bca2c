"""What the public is told: in which tables, from which size on, how blurred, and of which week."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.insight.publication import rules
from services.insight.publication.rules import TABLES, blurred, last_day, public, smallest, table_of

KEY = bytes(range(32))
RATIO = Fraction(3, 4)


def chance(value: int, count: int) -> Fraction:
    """How likely a cell of so many cases is published as this value."""
    return (1 - RATIO) / (1 + RATIO) * RATIO ** abs(value - count)


class TestBlur:
    def test_its_distribution_meets_the_guarantee(self) -> None:
        number = 60_000
        drawn = Counter(blurred(KEY, f"cell {place}", 0) for place in range(number))
        for value in range(-6, 7):
            expected = float(chance(value, 0)) * number
            assert abs(drawn[value] - expected) < 5 * expected**0.5, value

    def test_the_same_cell_and_count_always_give_the_same_figure(self) -> None:
        """Or an average over many answers would be exact."""
        published = {blurred(KEY, "cases|unit|a|2026-10-23", 7) for _ in range(50)}
        assert len(published) == 1

    def test_another_key_cell_or_count_gives_another_figure(self) -> None:
        """Or the difference of two releases would be exact."""
        draws = [blurred(bytes([n]) * 32, "cell", 0) for n in range(40)]
        draws_of_cells = [blurred(KEY, f"cell {n}", 0) for n in range(40)]
        draws_of_counts = [blurred(KEY, "cell", n) - n for n in range(40)]
        assert all(len(set(some)) > 8 for some in (draws, draws_of_cells, draws_of_counts))

    @given(
        own=st.integers(0, 500),
        others=st.integers(1, 4),
        value=st.integers(-600, 1_200),
    )
    def test_every_published_figure_is_consistent_with_none_and_few_cases(
        self, own: int, others: int, value: int
    ) -> None:
        """An attacker who knows all but the last cases of a cell, filed them even, learns from no published value that there
        are none of others', nor that there are some; nor does it ever speak for one by more than the factor says."""
        none, few = chance(value, own), chance(value, own + others)
        assert none > 0
        assert few > 0
        bound = (1 / RATIO) ** others
        assert 1 / bound <= none / few <= bound

    def test_all_tables_together_stay_within_the_privacy_budget(self) -> None:
        """A case is in one cell of each table: what all of them tell of it."""
        assert len(TABLES) == 5
        assert float((1 / RATIO) ** len(TABLES)) < 4.3


class TestSmallCells:
    def test_few_cases_are_published_as_rarely_as_none(self) -> None:
        least = smallest(1)
        for count in range(5):
            assert sum(chance(value, count) for value in range(least, least + 400)) < Fraction(1, 10_000)

    def test_published_figures_are_multiples_of_five(self) -> None:
        published = [public(total, 1) for total in (-3, 0, 4, 34, 35, 39, 40, 43)]
        assert published == [None, None, None, None, 35, 35, 40, 40]

    def test_a_sum_of_many_blurred_cells_has_to_be_larger(self) -> None:
        assert [smallest(cells) for cells in (1, 4, 12, 100)] == [35, 70, 125, 350]
        assert public(120, 12) is None
        assert public(50, 0) is None


class TestTables:
    def test_months_combine_with_one_dimension_and_no_other_two_combine(self) -> None:
        names = ("kind", "unit", "ground", "stage")
        assert table_of(["month"], []) == "all"
        for name in names:
            assert table_of([name], []) == table_of(["month", name], [name]) == table_of(["month"], [name]) == name
        for first, second in combinations(names, 2):
            assert table_of([first, second], []) is None
            assert table_of([first], [second]) is None
            assert table_of(["month"], [first, second]) is None

    def test_no_table_has_days(self) -> None:
        assert table_of(["day"], []) is None
        assert table_of(["day", "unit"], []) is None


class TestWeeks:
    @pytest.mark.parametrize(
        ("moment", "last"),
        [
            ("2026-11-20T12:00", "2026-11-13"),  # a Friday: its own week is not over
            ("2026-11-21T03:59", "2026-11-13"),  # Saturday, before it is released
            ("2026-11-21T04:00", "2026-11-20"),
            ("2026-11-24T12:00", "2026-11-20"),
            ("2026-11-27T23:59", "2026-11-20"),
            ("2026-11-28T04:00", "2026-11-27"),
        ],
    )
    def test_a_release_counts_up_to_the_friday_before(self, moment: str, last: str) -> None:
        local = datetime.fromisoformat(moment).replace(tzinfo=rules.TEHRAN)
        assert last_day(local) == last_day(local.astimezone(UTC)) == date.fromisoformat(last)

    @given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))
    def test_it_is_a_friday_that_is_over(self, moment: datetime) -> None:
        day, today = last_day(moment), moment.astimezone(rules.TEHRAN).date()
        assert day.weekday() == 4
        assert timedelta(days=1) <= today - day <= timedelta(days=8)


class TestDurationsAndScores:
    @pytest.mark.parametrize(("days", "limit"), [(0, 1), (1, 1), (2, 2), (4, 5), (15, 21), (365, 365), (366, None)])
    def test_days_count_in_the_smallest_limit_that_holds_them(self, days: int, limit: int | None) -> None:
        assert rules.duration_limit(days) == limit

    def test_half_and_most_are_within_limits(self) -> None:
        cells = [(1, 100), (7, 100), (14, 100), (30, 100), (None, 5)]
        assert rules.within(cells, 0.5) == 14
        assert rules.within(cells, 0.8) == 30

    def test_what_takes_longer_than_every_limit_is_not_told_as_one(self) -> None:
        assert rules.within([(1, 0), (None, 500)], 0.5) is None

    @given(st.lists(st.integers(-20, 12), min_size=17, max_size=17))
    def test_of_few_cases_nothing_is_told(self, counts: list[int]) -> None:
        """All cells together are below the smallest sum of so many that is published."""
        small = [min(count, smallest(17) // 17 - 1) for count in counts]
        assert rules.within(list(zip((*rules.DURATIONS, None), small, strict=True)), 0.5) is None

    def test_an_average_is_told_from_enough_ratings_on(self) -> None:
        assert rules.average_score({1: 0, 2: 0, 3: 0, 4: 50, 5: 50}) == 4.5
        assert rules.average_score({1: 3, 2: 0, 3: 0, 4: 3, 5: 3}) is None
        assert rules.average_score({1: -9, 2: -2, 3: 0, 4: 0, 5: 100}) == 5.0
