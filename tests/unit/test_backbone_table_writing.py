"""CSV that is exported: no program takes a cell for a formula, whatever it separates cells by, and it is read unchanged."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.tables import reading as tables
from backbone.tables.writing import BOM, csv_line, guarded, unguarded
from tests.support.linear import assert_linear

SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # some programs take the wide ones for the others
SEPARATORS = (",", ";", "\t", "|", "؛", "،")
TEXTS = st.text(alphabet="a1'\"=+-@＝ \t\r\n;,|؛،", max_size=12)


def cells_as_read(line: bytes, separator: str) -> list[str]:
    """The cells that another program finds: where it separates elsewhere, quotes are but letters."""
    text = line.decode()
    lines = io.StringIO(text, newline="")
    if separator == ",":
        return [cell for row in csv.reader(lines) for cell in row]
    return [cell for row in csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE) for cell in row]


@pytest.mark.parametrize("separator", SEPARATORS)
@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_no_cell_begins_as_a_formula_whatever_separates_cells(separator: str, cells: list[str]) -> None:
    for cell in cells_as_read(csv_line(cells), separator):
        assert not cell.lstrip(" \"'").startswith(SIGNS) or "'" in cell[: len(cell) - len(cell.lstrip(" \"'"))]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x;=1+1", '"x;\'=1+1"'),
        ("=1+1", '"\'=1+1"'),
        ("\t=1", "\"'\t'=1\""),
        ("\rx", '"\'\rx"'),
        ('x;"=1', '"x;""\'=1"'),
        ("نشانی: کوچه 2 - پلاک 5", '"نشانی: کوچه 2 - پلاک 5"'),
        (5, '"5"'),
        (None, '""'),
    ],
)
def test_every_cell_is_quoted_and_every_formula_guarded(text: object, written: str) -> None:
    assert csv_line([text]).decode() == f"{written}\r\n"


@settings(deadline=None, max_examples=1_000)
@given(TEXTS)
def test_what_was_guarded_is_read_unchanged(text: str) -> None:
    assert unguarded(guarded(text)) == text


def test_an_exported_table_is_imported_unchanged(tmp_path: Path) -> None:
    texts = ["=1+1", "'=1", "x;=1+1", "سطر یک\nسطر دو", 'گفت "سلام"', "-5", "+98912"]
    path = tmp_path / "texts.csv"
    path.write_bytes(BOM + b"".join(csv_line([f"row{at}", text]) for at, text in enumerate([*texts])))
    path.write_bytes(BOM + csv_line(["code", "text"]) + path.read_bytes().removeprefix(BOM))
    assert [row.values["text"] for row in tables.read(path, ("code", "text"))] == texts


@pytest.mark.parametrize("part", ["\n", ";=", "'", " ", ";'=", '"'])
def test_guarding_takes_linear_time(part: str) -> None:
    assert_linear(lambda text: unguarded(guarded(text)), lambda size: part * (size // len(part)), 200_000)
