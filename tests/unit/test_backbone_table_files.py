"""What files of the office are read as tables: their separators, encodings and merged cells, and why the others are not."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook

from backbone.tables import merged_cells
from backbone.tables import reading as tables
from backbone.tables.reading import Refused, Row
from contracts.vocabulary import Language

ROWS = [Row(2, {"code": "roads", "name_fa": "راه‌ها، پل‌ها"}), Row(3, {"code": "parks", "name_fa": "گچ؛ پارک"})]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def text(separator: str) -> str:
    """A table in which other separators stand within the cells."""
    return f'code{separator}name_fa\r\nroads{separator}"راه‌ها، پل‌ها"\r\nparks{separator}"گچ؛ پارک"\r\n'


def read(folder: Path, content: bytes, name: str = "units.csv") -> list[Row]:
    path = folder / name
    path.write_bytes(content)
    return tables.read(path, ("code", "name_fa"), ("active",))


def reasons(folder: Path, content: bytes, name: str = "units.csv") -> list[str]:
    with pytest.raises(Refused) as refused:
        read(folder, content, name)
    for mistake in refused.value.mistakes:
        assert "It is not right" not in mistake.text(Language.EN)
        assert "درست نیست" not in mistake.text(Language.FA)
    return [mistake.field["reason"] for mistake in refused.value.mistakes]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.replace("ی", "ي").encode("cp1256"),
    ],
    ids=["UTF-8", "UTF-8 with BOM", "UTF-16", "UTF-16 big-endian", "UTF-16 without BOM", "Windows-1256"],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "؛"], ids=["comma", "semicolon", "tab", "Persian semicolon"])
def test_a_csv_is_read_whatever_its_separator_and_encoding(
    tmp_path: Path, separator: str, encode: Callable[[str], bytes]
) -> None:
    assert read(tmp_path, encode(text(separator))) == ROWS


def test_the_line_that_names_the_separator_is_no_row(tmp_path: Path) -> None:
    assert read(tmp_path, ("sep=;\r\n" + text(";")).encode()) == ROWS


@pytest.mark.parametrize(
    "content",
    [
        "code,name_fa\nroads,راه\n".encode()[:-2] + b"\n",
        "code,name_fa\nroads,café à la crème\n".encode("latin-1"),
        "code,name_fa\nroads,اداره ق ك\n".encode("iso-8859-6"),
        codecs.BOM_UTF8 + b"code,name_fa\nroads,\xd1\n",
    ],
    ids=["broken UTF-8", "Latin-1", "ISO-8859-6", "UTF-8 by its BOM alone"],
)
def test_a_text_in_no_known_encoding_is_refused_rather_than_garbled(tmp_path: Path, content: bytes) -> None:
    assert reasons(tmp_path, content) == ["not_utf8"]


def archive(**parts: bytes) -> bytes:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as file:
        for name, content in parts.items():
            file.writestr(name.replace("__", "/").replace("_bin", ".bin"), content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (OLE + "Workbook".encode("utf-16-le"), "old_xls"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "password_protected"),
        (OLE + "WordDocument".encode("utf-16-le"), "not_a_table"),
        (archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "open_document"),
        (archive(xl__workbook_bin=b""), "binary_workbook"),
        (archive(word__document=b""), "document_file"),
        (archive(photos=b""), "packed_file"),
        (archive(xl__workbook=b"x")[:40], "damaged_workbook"),
        (b"%PDF-1.7\n", "pdf_file"),
        (b"\x89PNG\r\n", "picture_file"),
        (b"\xff\xd8\xff\xe0", "picture_file"),
        (b"<html><table><tr><td>code</td></tr></table></html>", "html_table"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "html_table"),
        (b"{\\rtf1}", "document_file"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.xls"])
def test_another_file_is_named_whatever_its_name_says(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    assert reasons(tmp_path, content, name) == [reason]


def test_an_encrypted_workbook_of_another_program_is_named(tmp_path: Path) -> None:
    packed = bytearray(archive(xl__workbook=b"x"))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(mark) + at] |= 1
    assert reasons(tmp_path, bytes(packed), "a.xlsx") == ["password_protected"]


def workbook(*rows: list[object], merged: tuple[str, ...] = (), title: str = "مهلت‌ها") -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for cells in rows:
        sheet.append(cells)
    for reference in merged:
        sheet.merge_cells(reference)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def values(rows: list[Row]) -> list[tuple[int, list[str]]]:
    return [(row.number, list(row.values.values())) for row in rows]


def test_a_merged_cell_stands_for_all_the_cells_it_covers(tmp_path: Path) -> None:
    content = workbook(
        ["code", "name_fa", "active"],
        ["roads", "نخست", 1],
        [None, "دوم", None],
        [None, "سوم", None],
        ["parks", "چهارم", None],
        ["یک خانه", None, 0],
        merged=("A2:A4", "C3:C5", "A6:B6"),
    )
    assert values(read(tmp_path, content, "a.xlsx")) == [
        (2, ["roads", "نخست", "1"]),
        (3, ["roads", "دوم", ""]),
        (4, ["roads", "سوم", ""]),
        (5, ["parks", "چهارم", ""]),
        (6, ["یک خانه", "یک خانه", "0"]),
    ]


def test_a_row_merged_with_the_one_above_in_all_its_cells_is_one_tall_row(tmp_path: Path) -> None:
    content = workbook(["code", "name_fa"], ["roads", "راه"], [], ["parks", "پارک"], merged=("A2:A3", "B2:B3"))
    assert values(read(tmp_path, content, "a.xlsx")) == [(2, ["roads", "راه"]), (4, ["parks", "پارک"])]


def test_a_cell_merged_beyond_the_last_column_is_that_of_the_last_column(tmp_path: Path) -> None:
    content = workbook(["code", "name_fa"], ["roads", "راه"], merged=("B2:F2",))
    assert values(read(tmp_path, content, "a.xlsx")) == [(2, ["roads", "راه"])]


def test_a_name_that_is_merged_over_two_columns_is_refused(tmp_path: Path) -> None:
    assert "twice" in reasons(tmp_path, workbook(["code", None], ["a", "b"], merged=("A1:B1",)), "a.xlsx")


def test_too_many_merged_cells_are_refused() -> None:
    ranges = [merged_cells.Range(1, 0, 1_048_576, 16_383)] * 100
    filling = merged_cells.MergedCells(ranges)
    with pytest.raises(merged_cells.TooManyMerged):
        filling.fill(1, ["x"])
    xml = b"<a>" + b'<mergeCell ref="A1:B2"/>' * (merged_cells.MOST_RANGES + 1) + b"</a>"
    with pytest.raises(merged_cells.TooManyMerged):
        merged_cells.read_ranges([xml])


def test_a_formula_that_was_never_calculated_is_not_read_as_empty(tmp_path: Path) -> None:
    content = workbook(["code", "name_fa", "active"], ["roads", "راه", "=1+0"])
    with pytest.raises(Refused) as refused:
        read(tmp_path, content, "a.xlsx")
    assert [mistake.text(Language.EN) for mistake in refused.value.mistakes] == [
        "the file: The formula in cell C2 was never calculated: open the file in a spreadsheet and save it."
    ]


def test_a_mistake_names_sheet_row_and_column_as_they_were_typed(tmp_path: Path) -> None:
    (row,) = read(tmp_path, workbook([], ["Code", "Name fa "], ["roads", "راه"], title="Units 1405"), "a.xlsx")
    mistake = row.mistake("name_fa", "missing")
    assert mistake.text(Language.EN) == "sheet “Units 1405”, row 3, column Name fa: This is needed."
    assert mistake.text(Language.FA) == "برگه «Units 1405»، سطر ۳، ستون Name fa: این مورد لازم است."


def test_a_row_says_nothing_of_an_absent_column_and_of_an_empty_cell(tmp_path: Path) -> None:
    rows = read(tmp_path, "code,name_fa\na,\nb,-\nc,خالی\nd,راه\n".encode())
    assert [row.said("name_fa") for row in rows] == [None, "", "", "راه"]
    assert {row.said("active") for row in rows} == {None}
