"""Tables of the office: what is read of CSV and XLSX, and how a mistake is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from backbone import tables
from backbone.tables import Mistake, Refused, Row
from contracts.vocabulary import Language

GOOD = "code,name_fa\nroads,راه‌ها\n\n parks ,پارک‌ها\n"


def file(folder: Path, content: bytes, name: str = "units.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def refused(path: Path) -> list[tuple[int | None, str | None, str]]:
    with pytest.raises(Refused) as found:
        tables.read(path, ("code", "name_fa"), ("active",))
    return [(one.row, one.column, one.field["reason"]) for one in found.value.mistakes]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_csv_is_read_with_or_without_bom_and_rows_keep_their_number(tmp_path: Path, start: bytes) -> None:
    assert tables.read(file(tmp_path, start + GOOD.encode()), ("code", "name_fa")) == [
        Row(2, {"code": "roads", "name_fa": "راه‌ها"}),
        Row(4, {"code": "parks", "name_fa": "پارک‌ها"}),
    ]


def test_a_workbook_is_read_as_its_cells_show(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    for cells in (["code", "name_fa", "active"], [12, date(2027, 3, 21), True], [None, None, None], ["b", 1.0, False]):
        sheet.append(cells)
    book.save(tmp_path / "a.xlsx")
    assert tables.read(tmp_path / "a.xlsx", ("code", "name_fa"), ("active",)) == [
        Row(2, {"code": "12", "name_fa": "2027-03-21", "active": "1"}),
        Row(4, {"code": "b", "name_fa": "1", "active": "0"}),
    ]


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        ("code,name_fa\nرا,ه\n".encode("cp1256"), "a.csv", [(None, None, "not_utf8")]),
        (b"not a workbook", "a.xlsx", [(None, None, "not_a_table")]),
        (b"", "a.csv", [(None, None, "empty_table")]),
        (b"code,name_fa\n", "a.csv", [(None, None, "empty_table")]),
        (b"code,colour\na,b\n", "a.csv", [(1, "colour", "unknown_column"), (1, "name_fa", "missing_column")]),
        (b"code,name_fa,code\na,b,c\n", "a.csv", [(1, "code", "twice")]),
        (b"code,name_fa\na,b,c\n", "a.csv", [(2, None, "too_many_cells")]),
        (b'code,name_fa\n"a,b\n', "a.csv", [(None, None, "not_a_table")]),
    ],
)
def test_what_is_no_such_table_is_refused(
    tmp_path: Path, content: bytes, name: str, told: list[tuple[int | None, str | None, str]]
) -> None:
    assert refused(file(tmp_path, content, name)) == told


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.csv") == [(None, None, "no_such_file")]


def test_a_mistake_is_told_in_both_languages() -> None:
    mistake = Mistake(12, "parent_code", {"reason": "unknown_unit"})
    assert mistake.text(Language.FA) == "سطر ۱۲، ستون parent_code: واحدی با این کد نیست."
    assert mistake.text(Language.EN) == "row 12, column parent_code: There is no unit with this code."
