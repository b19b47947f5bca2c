"""The figures of `./peygir bench`: statistics, verdicts, and the page they are written to."""

from __future__ import annotations

import math

import pytest

from benchmarks.figures import BEGIN, END, Bar, Row, Yardstick, markdown, percentile, plain, replace_figures, table


def test_a_percentile_is_a_measured_value() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 0.95) == 95
    assert percentile([7.0], 0.95) == 7
    assert percentile([1.0, 2.0], 0.5) == 1
    assert math.isnan(percentile([], 0.95))


@pytest.mark.parametrize(
    ("bar", "figure", "holds"),
    [
        (Bar(100), 100.0, True),
        (Bar(100), 99.9, False),
        (Bar(100, at_most=True), 100.0, True),
        (Bar(100, at_most=True), 100.1, False),
        (Bar(100), math.nan, False),
        (Bar(100, at_most=True), math.nan, False),
    ],
)
def test_a_target_is_reached_or_missed(bar: Bar, figure: float, holds: bool) -> None:
    assert bar.holds(figure) is holds


def test_the_median_of_the_runs_is_judged() -> None:
    assert Row("submissions", "1/s", (10.0, 200.0, 110.0), Bar(100)).passed is True
    assert Row("submissions", "1/s", (10.0, 200.0, 90.0), Bar(100)).passed is False
    assert Row("submissions", "1/s", (10.0,)).passed is None


def test_each_run_is_compared_with_its_own_yardstick() -> None:
    # Given a machine that was slow in the second run, for both
    row = Row("lifecycles", "1/s", (100.0, 50.0, 110.0), None, Yardstick("peer", (10.0, 5.0, 10.0), Bar(10)))
    # Then the ratio is that of most runs
    assert row.ratio == 10
    assert row.passed is True


def test_a_row_passes_only_with_both_targets() -> None:
    yardstick = Yardstick("peer", (20.0,), Bar(10))
    assert Row("lifecycles", "1/s", (150.0,), Bar(100), yardstick).passed is False


def test_figures_are_rounded_to_three_digits() -> None:
    assert [plain(figure) for figure in (16912.3, 100.4, 12.34, 0.1234, 0.0, 5.0, math.nan)] == [
        "16,912",
        "100",
        "12.3",
        "0.123",
        "0",
        "5",
        "none",
    ]


def test_the_page_gets_the_new_figures_and_keeps_the_rest() -> None:
    rows = [Row("drained", "1/s", (900.0, 1100.0, 1000.0), Bar(600), remarks=("alone",))]
    page = f"# Results\n\n{BEGIN}\nold\n{END}\n\nWhat was missed."
    written = replace_figures(page, markdown(rows))
    assert "| drained | 1/s | ≥ 600 | 1,000 | 900–1,100 |" in written
    assert "- drained: alone" in written
    assert "old" not in written
    assert written.endswith("What was missed.")
    assert replace_figures(written, markdown(rows)) == written
    assert "drained" in table(rows)


def test_a_page_without_a_placeholder_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        replace_figures("# Results", "figures")
