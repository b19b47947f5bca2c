"""Figures: the measurements of a row, their median and spread, beside bar and yardstick; as a table, JSON and Markdown."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

BEGIN, END = "<!-- figures: written by ./peygir bench --write -->", "<!-- end of the figures -->"
MILLION = "<!-- figures: written by ./peygir bench million --write -->"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` (0 to 1) of them do not exceed; NaN of none."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@dataclass(frozen=True)
class Bar:
    """What a figure must reach, or with `at_most` must not exceed."""

    limit: float
    at_most: bool = False

    def holds(self, figure: float) -> bool:
        """False also for NaN."""
        return figure <= self.limit if self.at_most else figure >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {plain(self.limit)}"


@dataclass(frozen=True)
class Yardstick:
    """What was measured beside a row, in the same unit. `runs`: one for each run of the row; `bar`: on row / yardstick."""

    name: str
    runs: tuple[float, ...]
    bar: Bar | None = None


@dataclass(frozen=True)
class Row:
    """One figure. `runs`: in the order they were measured; `remarks`: what a reader should know."""

    name: str
    unit: str
    runs: tuple[float, ...]
    bar: Bar | None = None
    yardstick: Yardstick | None = None
    remarks: tuple[str, ...] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    @property
    def ratio(self) -> float | None:
        """The median of the runs' ratios to their yardsticks."""
        if self.yardstick is None:
            return None
        pairs = zip(self.runs, self.yardstick.runs, strict=True)
        return statistics.median(run / yardstick if yardstick else math.nan for run, yardstick in pairs)

    @property
    def passed(self) -> bool | None:
        """Whether every bar holds; None when there is none."""
        verdicts = [] if self.bar is None else [self.bar.holds(self.median)]
        if self.yardstick is not None and self.yardstick.bar is not None and self.ratio is not None:
            verdicts.append(self.yardstick.bar.holds(self.ratio))
        return all(verdicts) if verdicts else None

    def as_json(self) -> dict[str, Any]:
        """For the file of a run."""
        yardstick = self.yardstick
        return {
            "name": self.name,
            "unit": self.unit,
            "bar": str(self.bar) if self.bar else None,
            "runs": list(self.runs),
            "median": self.median,
            "min": min(self.runs),
            "max": max(self.runs),
            "yardstick": yardstick and {"name": yardstick.name, "runs": list(yardstick.runs)},
            "ratio": self.ratio,
            "ratio_bar": str(yardstick.bar) if yardstick and yardstick.bar else None,
            "passed": self.passed,
            "remarks": list(self.remarks),
        }


_HEADINGS = ("row", "unit", "bar", "median", "min–max", "yardstick", "ratio", "")


def _cells(row: Row) -> tuple[str, ...]:
    yardstick, ratio = row.yardstick, row.ratio
    verdict = {True: "pass", False: "missed", None: ""}[row.passed]
    measured = f"{plain(statistics.median(yardstick.runs))} ({yardstick.name})" if yardstick else ""
    bar = f" ({yardstick.bar})" if yardstick and yardstick.bar else ""
    return (
        row.name,
        row.unit,
        str(row.bar or ""),
        plain(row.median),
        f"{plain(min(row.runs))}–{plain(max(row.runs))}" if len(row.runs) > 1 else "",
        measured,
        "" if ratio is None else f"{plain(ratio)}{bar}",
        verdict,
    )


def table(rows: Sequence[Row]) -> str:
    """For the terminal, remarks below."""
    lines = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    aligned = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    ]
    remarks = [f"  {row.name}: {remark}" for row in rows for remark in row.remarks]
    return "\n".join([aligned[0], "-" * len(aligned[0]), *aligned[1:], *(["", *remarks] if remarks else [])])


def markdown(rows: Sequence[Row]) -> str:
    """For RESULTS.md."""
    lines = [_HEADINGS, tuple("---" for _ in _HEADINGS), *(_cells(row) for row in rows)]
    formatted = ["| " + " | ".join(line) + " |" for line in lines]
    remarks = [f"- {row.name}: {remark}" for row in rows for remark in row.remarks]
    return "\n".join([*formatted, *(["", *remarks] if remarks else [])])


def replace_figures(page: str, figures: str, begin: str = BEGIN) -> str:
    """The page with new figures between the marker `begin` and the end marker. ValueError without the markers."""
    before, begin_marker, rest = page.partition(begin)
    _, end_marker, after = rest.partition(END)
    if not (begin_marker and end_marker):
        raise ValueError("the page has no place for figures")
    return f"{before}{begin}\n{figures}\n{END}{after}"


def plain(figure: float) -> str:
    """Three significant digits, thousands with commas."""
    if math.isnan(figure):
        return "none"
    if figure == 0 or abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.{max(0, 2 - math.floor(math.log10(abs(figure))))}f}".rstrip("0").rstrip(".") or "0"
