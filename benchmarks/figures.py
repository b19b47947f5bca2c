"""Figures: the measurements of a row, their median and spread, beside bar and yardstick; as a table, JSON and Markdown."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.reference_loop import REFERENCE

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


GENERATOR = "load generator"
"""Its CPU time is told, but is not part of what the system costs."""


@dataclass(frozen=True)
class CpuCost:
    """CPU milliseconds that one unit of work cost in one run. `unit`: such as "lifecycle"; `by_process`: name of a process →
    milliseconds as they were measured; `loop`: CPU milliseconds of the fixed loop (yardsticks) before and after the run."""

    unit: str
    by_process: Mapping[str, float]
    loop: tuple[float, float]

    @property
    def scale(self) -> float:
        """The factor that turns measured milliseconds into those of the reference machine."""
        return REFERENCE / statistics.mean(self.loop)

    @property
    def system(self) -> float:
        """Measured milliseconds of all processes but the load generator."""
        return sum(milliseconds for name, milliseconds in self.by_process.items() if name != GENERATOR)

    def scaled(self) -> dict[str, float]:
        """Scaled milliseconds by process."""
        return {name: milliseconds * self.scale for name, milliseconds in self.by_process.items()}

    def as_json(self) -> dict[str, Any]:
        """For the file of a run."""
        return {
            "unit": self.unit,
            "raw_ms": dict(self.by_process),
            "scaled_ms": self.scaled(),
            "loop_ms": list(self.loop),
            "all_raw_ms": self.system,
            "all_scaled_ms": self.system * self.scale,
        }


@dataclass(frozen=True)
class Row:
    """One figure. `runs`: in the order they were measured; `remarks`: what a reader should know; `cpu`: what one unit of work
    cost in each run, for a rate."""

    name: str
    unit: str
    runs: tuple[float, ...]
    bar: Bar | None = None
    yardstick: Yardstick | None = None
    remarks: tuple[str, ...] = ()
    cpu: tuple[CpuCost, ...] = ()

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
            "cpu": [cost.as_json() for cost in self.cpu],
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


_CPU_HEADINGS = ("CPU ms of each", "", "loop", "all")


def _cpu_lines(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The table of CPU time: medians of the runs; for each unit of work a line of scaled milliseconds and one as measured.
    Columns after "all" are processes, the most expensive first. Nothing where no row has CPU figures."""
    costs = {row.cpu[0].unit: row.cpu for row in rows if row.cpu}
    names = {name for runs in costs.values() for run in runs for name in run.by_process} - {GENERATOR}
    total = {
        name: sum(statistics.median(run.scaled().get(name, 0.0) for run in runs) for runs in costs.values())
        for name in names
    }
    columns = [*sorted(names, key=lambda name: (-total[name], name)), GENERATOR]
    lines = [(*_CPU_HEADINGS, *columns)] if costs else []
    for unit, runs in costs.items():
        for kind in ("scaled", "measured"):
            factors = [run.scale if kind == "scaled" else 1.0 for run in runs]
            loop = REFERENCE if kind == "scaled" else statistics.median(statistics.mean(run.loop) for run in runs)
            figures = [statistics.median(run.system * factor for run, factor in zip(runs, factors, strict=True))]
            figures += [
                statistics.median(
                    run.by_process.get(name, 0.0) * factor for run, factor in zip(runs, factors, strict=True)
                )
                for name in columns
            ]
            lines.append((unit, kind, plain(loop), *map(plain, figures)))
    return lines


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells in columns, the first underlined."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([texts[0], "-" * len(texts[0]), *texts[1:]])


def _markdown_table(lines: Sequence[Sequence[str]]) -> str:
    with_rule = [lines[0], ["---" for _ in lines[0]], *lines[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in with_rule)


def table(rows: Sequence[Row]) -> str:
    """For the terminal, remarks and CPU time below."""
    return _report(rows, aligned, "  ")


def markdown(rows: Sequence[Row]) -> str:
    """For RESULTS.md."""
    return _report(rows, _markdown_table, "- ")


def _report(rows: Sequence[Row], as_table: Callable[[Sequence[Sequence[str]]], str], bullet: str) -> str:
    remarks = [f"{bullet}{row.name}: {remark}" for row in rows for remark in row.remarks]
    parts = [as_table([_HEADINGS, *(_cells(row) for row in rows)]), "\n".join(remarks)]
    if cpu := _cpu_lines(rows):
        parts.append(as_table(cpu))
    return "\n\n".join(part for part in parts if part)


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
