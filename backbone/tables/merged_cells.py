"""Merged cells of a worksheet: the value that is shown in one stands for all the cells that it covers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.parsers import expat

MOST_RANGES = 20_000
MOST_FILLED = 1_000_000
"""Cells that are given a value by those ranges."""
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Z]{1,3})\$?([0-9]{1,7}))?")


class TooManyMerged(Exception):
    """More than any table of an office has."""


class WithoutValue(Exception):
    """The worksheet has a formula whose value was never calculated: its cell would be read as empty. `cell`: such as B3."""

    def __init__(self, cell: str) -> None:
        super().__init__(cell)
        self.cell = cell


@dataclass(frozen=True, order=True)
class Range:
    """Rows from 1, columns from 0; both ends belong to it."""

    top: int
    left: int
    bottom: int
    right: int


def read_ranges(blocks: Iterable[bytes]) -> list[Range]:
    """The merged ranges of a worksheet's XML, from its top. TooManyMerged, WithoutValue; ExpatError when it is no XML."""
    ranges: list[Range] = []
    cell, cell_type = "", ""
    has_formula = has_value = in_value = False

    def begins(name: str, attributes: dict[str, str]) -> None:
        nonlocal cell, cell_type, has_formula, has_value, in_value
        match name.rpartition(":")[2]:
            case "c":
                cell, cell_type = attributes.get("r", ""), attributes.get("t", "")
                has_formula = has_value = False
            case "f":
                has_formula = True
            case "v":
                in_value = True
            case "mergeCell" if (merged := _range(attributes.get("ref", ""))) is not None:
                ranges.append(merged)
                if len(ranges) > MOST_RANGES:
                    raise TooManyMerged

    def holds(text: str) -> None:
        nonlocal has_value
        has_value = has_value or (in_value and bool(text))

    def ends(name: str) -> None:
        nonlocal in_value
        match name.rpartition(":")[2]:
            case "v":
                in_value = False
            case "c" if has_formula and not has_value and cell_type != "str":  # a text may be empty
                raise WithoutValue(cell)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begins, ends, holds
    for block in blocks:
        parser.Parse(block, False)
    parser.Parse(b"", True)
    return sorted(ranges)


def _range(reference: str) -> Range | None:
    match = _REFERENCE.fullmatch(reference.upper())
    if match is None or match[3] is None:
        return None
    columns, rows = sorted((_column(match[1]), _column(match[3]))), sorted((int(match[2]), int(match[4])))
    return Range(rows[0], columns[0], rows[1], columns[1])


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


class MergedCells:
    """Fills rows, which are given in their order. A row without a cell of its own stays empty: it is the lower part of a tall
    one."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._waiting = sorted(ranges, reverse=True)
        self._current: list[tuple[Range, str]] = []
        self._width: int | None = None
        self._filled = 0

    def fill(self, number: int, cells: list[str]) -> None:
        """The row with this number, in place. Not beyond the first row that has cells: it names the columns. TooManyMerged."""
        if not any(cells):
            return
        covered = [(merged, text) for merged, text in self._current if merged.bottom >= number]
        while self._waiting and self._waiting[-1].top <= number:
            merged = self._waiting.pop()
            if merged.top == number and merged.left < len(cells) and cells[merged.left]:
                covered.append((merged, cells[merged.left]))
        self._current = [(merged, text) for merged, text in covered if merged.bottom > number]
        for merged, text in covered:
            right = merged.right if self._width is None else min(merged.right, self._width - 1)
            self._filled += max(0, right - merged.left + 1)
            if self._filled > MOST_FILLED:
                raise TooManyMerged
            cells += [""] * (right + 1 - len(cells))
            cells[merged.left : right + 1] = [text] * (right + 1 - merged.left)
        if self._width is None:
            self._width = max(at + 1 for at, text in enumerate(cells) if text)
