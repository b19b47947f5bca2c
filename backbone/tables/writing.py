"""CSV as spreadsheets open it, whatever they take for the separator: UTF-8 with BOM, every cell quoted and none a formula.

A text may hold what another program takes for the end of a cell or of a line: `x;=1+1` is one cell to who separates by commas,
and a formula to who separates by semicolons, quotes or not. So an apostrophe stands before each sign that would begin a formula
at the start of the text or behind a separator within it. `unguarded` takes it away again: what was exported is read unchanged.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence

BOM = codecs.BOM_UTF8
APOSTROPHE = "'"
_SIGNS = "=+\\-@＝＋－＠"  # some programs take the wide ones for the others
_SEPARATORS = ",;|\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029،؛"
_BETWEEN = rf"{_SEPARATORS}\s\"'"
_BEFORE_SIGN = re.compile(rf"(?<![{_BETWEEN}])[{_BETWEEN}]+(?=[{_SIGNS}])")
"""What stands between a cell's text and the sign of a formula: runs are looked at once each, so it takes linear time."""
_STARTS_WITH_SIGN = re.compile(rf"[{_SIGNS}]")
_ENDS_CELL = re.compile(rf"[{_SEPARATORS}]")
_STARTS_WITH_CONTROL = re.compile(r"'*[\t\r\n]")


def csv_line(cells: Sequence[object]) -> bytes:
    """One line of a CSV."""
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in cells])
    return line.getvalue().encode()


def guarded(text: str) -> str:
    """The text, with an apostrophe before whatever a spreadsheet could take for the beginning of a formula."""
    guarded_text = _BEFORE_SIGN.sub(_with_apostrophe, text)
    if _STARTS_WITH_SIGN.match(text) or _STARTS_WITH_CONTROL.match(text):
        return APOSTROPHE + guarded_text
    return guarded_text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    if text.startswith(APOSTROPHE) and _STARTS_WITH_CONTROL.match(text):
        text = text[1:]
    return _BEFORE_SIGN.sub(_without_apostrophe, text)


def _begins_cell(run: re.Match[str]) -> bool:
    return run.start() == 0 or _ENDS_CELL.search(run[0]) is not None


def _with_apostrophe(run: re.Match[str]) -> str:
    return run[0] + APOSTROPHE if _begins_cell(run) else run[0]


def _without_apostrophe(run: re.Match[str]) -> str:
    return run[0].removesuffix(APOSTROPHE) if _begins_cell(run) else run[0]
