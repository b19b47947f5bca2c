"""The decision whether one commit is worse than another, from measurements of both in alternation."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import aligned, plain


@dataclass(frozen=True)
class Kind:
    """What a figure is. `tolerance`: by how much it may be worse, as a share; `floor`: a difference of the medians below this
    is none, in `unit`."""

    unit: str
    tolerance: float
    floor: float = 0.0
    higher_is_better: bool = False


RATE = Kind("1/s", 0.10, higher_is_better=True)
LATENCY = Kind("ms", 0.25, floor=5.0)
CPU_OF_ALL = Kind("ms", 0.05)
CPU_OF_PROCESS = Kind("ms", 0.10, floor=0.5)
CPU_AT_REST = Kind("% of a core", 0.10, floor=0.3)
MEMORY = Kind("MiB", 0.05, floor=3.0)
FOR_INFORMATION = Kind("ms", math.inf)
"""Printed, never judged."""


@dataclass(frozen=True)
class Comparison:
    """One figure of both, a value for each round: `tree` of the working tree, `commit` of what it is compared with."""

    name: str
    kind: Kind
    tree: tuple[float, ...]
    commit: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Of each round, tree / commit: the two were measured one after the other."""
        return [_ratio(ours, theirs) for ours, theirs in zip(self.tree, self.commit, strict=True)]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def spread(self) -> float:
        """Half the range of the rounds' ratios: how far one round may be off."""
        lowest, highest = min(self.ratios), max(self.ratios)
        return (
            0.0 if lowest == highest else (highest - lowest) / 2
        )  # both are infinite where the commit has no such process

    @property
    def verdict(self) -> str:
        """ "worse" or "better" when the ratio is off 1 by more than tolerance and spread together, "" otherwise."""
        if abs(statistics.median(self.tree) - statistics.median(self.commit)) <= self.kind.floor:
            return ""
        if not abs(self.ratio - 1) > self.kind.tolerance + self.spread:  # also when one of them is no number
            return ""
        return "better" if (self.ratio > 1) == self.kind.higher_is_better else "worse"


def _ratio(ours: float, theirs: float) -> float:
    if ours == theirs:
        return 1.0
    return ours / theirs if theirs else math.inf


def table(comparisons: Sequence[Comparison], commit: str) -> str:
    """For the terminal: medians, ratio with the spread of the rounds, tolerance, verdict."""
    heading = ("figure", "unit", "tree", commit, "tree / commit", "spread", "tolerance", "")
    lines = [
        (
            comparison.name,
            comparison.kind.unit,
            plain(statistics.median(comparison.tree)),
            plain(statistics.median(comparison.commit)),
            f"{comparison.ratio:.2f}",
            f"± {comparison.spread:.2f}",
            "" if comparison.kind is FOR_INFORMATION else f"{comparison.kind.tolerance:.0%}",
            comparison.verdict,
        )
        for comparison in comparisons
    ]
    return aligned([heading, *lines])
