"""Reads one table from standard input, in a process of its own: `python -m backbone.tables.reader_process csv|xlsx < FILE`.

What the file is, its content says (`file_kinds`); the argument is what its name says. A CSV's cells are separated by commas,
semicolons (Latin or Persian) or tabs, whichever gives its first line the most cells.

A workbook is an archive of XML, and a small one may unpack to more than the machine has. So it is read where it can harm
nothing: with bounded memory and time, in its own process, and looked at before it is unpacked. On standard output stands one JSON
object: `{"rows": [[…], …], "sheet": …}` with empty rows as `[]`, or `{"reason": …, …}` as in the `fields` of an error; `sheet` is
the name of the worksheet, null for a CSV.
"""

from __future__ import annotations

import csv
import ctypes
import io
import json
import resource
import signal
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, BinaryIO
from xml.parsers import expat

from backbone.tables import file_kinds, merged_cells
from backbone.tables.file_kinds import Kind

MIB = 1 << 20
MOST_MEMORY = 256 * MIB
"""Of address space, Python itself included."""
MOST_SECONDS = 30
"""Of processor time."""
MOST_ROWS = 20_000
MOST_EMPTY = 1_048_576
"""Rows of a sheet; formatted ones without a word may reach to its end."""
MOST_FILE = 20 * MIB
MOST_UNPACKED = 64 * MIB
"""Of all parts of a workbook together."""
MOST_STRINGS = 16 * MIB
"""Of texts that cells share, and of styles: both are held in memory as a whole."""
MOST_PARTS = 1_000
MOST_RATIO = 300
"""A part over 1 MiB that shrinks by more was made to be unpacked, not to be read."""
MOST_DEPTH = 64
MOST_TEXT = 8_000_000
"""Letters in all cells together: a text that cells share counts for each."""

SEPARATORS = (",", ";", "\t", "؛")
"""Of the cells of a CSV: what spreadsheets write in one country or another."""

_PR_SET_PDEATHSIG = 1
_LONGEST_HEADING = 1 << 16
_NAMED_SEPARATOR = "sep="
_HELD = ("sharedstrings", "styles", "theme")


class Unreadable(Exception):
    """`field`: the reason, and what it names."""

    def __init__(self, reason: str, **named: Any) -> None:
        super().__init__(reason)
        self.field = {"reason": reason, **named}


def main(format_: str) -> None:
    """Writes the rows, or why there are none."""
    bounded()
    try:
        rows, sheet = read(format_, sys.stdin.buffer)
        answer: dict[str, Any] = {"rows": rows, "sheet": sheet}
    except Unreadable as error:
        answer = error.field
    except file_kinds.NotATable as error:
        answer = {"reason": error.reason}
    except MemoryError:
        answer = {"reason": "takes_too_much_memory"}
    except Exception:  # noqa: BLE001  # whatever a reader of foreign files raises, it is no table
        answer = {"reason": "not_a_table"}
    sys.stdout.write(json.dumps(answer, ensure_ascii=False))


def bounded() -> None:
    """This process takes no more memory and time than it may, makes no file, and ends with its parent."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def read(format_: str, file: BinaryIO) -> tuple[list[list[str]], str | None]:
    """All rows, without the empty ones behind the last, and the worksheet's name. Unreadable, NotATable, and what the libraries
    raise. It may come through a pipe."""
    content = file.read(MOST_FILE + 1)
    if len(content) > MOST_FILE:
        raise Unreadable("file_too_large", most=MOST_FILE // MIB)
    if not content:
        return [], None
    kind = file_kinds.kind_of(content)
    if kind is Kind.TEXT and format_ == "xlsx":
        raise Unreadable("not_a_table")
    sheet, lines = _workbook(content) if kind is Kind.WORKBOOK else (None, _csv(content))
    rows: list[list[str]] = []
    letters = filled = gap = 0
    for cells in lines:
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            gap += 1
            if gap > MOST_EMPTY:
                break  # no sheet has rows further below
            continue
        filled += 1
        letters += sum(map(len, cells))
        if filled > MOST_ROWS or len(rows) + gap > 2 * MOST_ROWS:
            raise Unreadable("too_long", max_length=MOST_ROWS)
        if letters > MOST_TEXT:
            raise Unreadable("too_much_text", most=MOST_TEXT)
        rows += [[] for _ in range(gap)]
        gap = 0
        rows.append(cells)
    return rows, sheet


def _csv(content: bytes) -> Iterator[list[str]]:
    text = io.TextIOWrapper(io.BytesIO(content), encoding=file_kinds.encoding_of(content), newline="")
    first = text.readline(_LONGEST_HEADING)
    named = first.strip().removeprefix("\ufeff")
    if named.lower().startswith(_NAMED_SEPARATOR) and named[len(_NAMED_SEPARATOR) :] in SEPARATORS:
        separator = named[len(_NAMED_SEPARATOR) :]  # a line for spreadsheets, which do not count it
    else:
        text.seek(0)
        separator = max(SEPARATORS, key=lambda each: len(_heading(first, each)))
    for cells in csv.reader(text, delimiter=separator, strict=True):
        yield [cell.strip() for cell in cells]


def _heading(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


# --- workbooks ---


def _workbook(content: bytes) -> tuple[str, Iterator[list[str]]]:
    file = io.BytesIO(content)
    _look_over(file)
    from openpyxl import load_workbook  # needed here alone, and slow to import

    sheet = load_workbook(file, read_only=True, data_only=True, keep_links=False).worksheets[0]
    with zipfile.ZipFile(file) as archive, archive.open(sheet._worksheet_path) as part:  # noqa: SLF001  # no public one
        try:
            ranges = merged_cells.read_ranges(iter(lambda: part.read(256 * 1024), b""))
        except merged_cells.TooManyMerged:
            raise Unreadable("too_many_merged") from None
        except merged_cells.WithoutValue as error:
            raise Unreadable("formula_without_value", cell=error.cell) from None
    sheet.reset_dimensions()  # what a file says of its own size may be anything
    return sheet.title, _rows_of(sheet, merged_cells.MergedCells(ranges))


def _rows_of(sheet: Any, merged: merged_cells.MergedCells) -> Iterator[list[str]]:
    for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        row = [_shown(cell) for cell in cells]
        try:
            merged.fill(number, row)
        except merged_cells.TooManyMerged:
            raise Unreadable("too_many_merged") from None
        yield row


def _look_over(file: BinaryIO) -> None:
    """What would be too much is refused before it is unpacked."""
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS:
            raise Unreadable("unpacks_too_large", most=MOST_UNPACKED // MIB)
        for part in parts:
            name = part.filename.lower()
            most = MOST_STRINGS if any(held in name for held in _HELD) else MOST_UNPACKED
            ratio = part.file_size / max(1, part.compress_size)
            if part.file_size > most or (part.file_size > MIB and ratio > MOST_RATIO):
                raise Unreadable("unpacks_too_large", most=most // MIB)
        if sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise Unreadable("unpacks_too_large", most=MOST_UNPACKED // MIB)
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                with archive.open(part) as content:
                    _look_over_xml(iter(lambda: content.read(256 * 1024), b""))


def _look_over_xml(blocks: Iterable[bytes]) -> None:
    """No document type, so no entities; no deeper than any workbook is. ExpatError when it is no XML."""
    depth = 0

    def begins(_: str, __: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_DEPTH:
            raise Unreadable("unsafe_xml")

    def ends(_: str) -> None:
        nonlocal depth
        depth -= 1

    def declares(*_: object) -> None:
        raise Unreadable("unsafe_xml")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begins, ends
    parser.StartDoctypeDeclHandler = declares
    for block in blocks:
        parser.Parse(block, False)
    parser.Parse(b"", True)


def _shown(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()


if __name__ == "__main__":
    main(sys.argv[1])
