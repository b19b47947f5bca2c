"""Tables of the office: what is read of CSV and XLSX, and how a mistake is told."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
from datetime import date
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from backbone.tables import reader_process
from backbone.tables import reading as tables
from backbone.tables.reading import Mistake, Refused, Row
from contracts.vocabulary import Language
from tests.support.processes import ROOT

GOOD = "code,name_fa\nroads,راه‌ها\n\n parks ,پارک‌ها\n"


def file(folder: Path, content: bytes, name: str = "units.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def refused(path: Path) -> list[tuple[int | None, str | None, str]]:
    with pytest.raises(Refused) as refusal:
        tables.read(path, ("code", "name_fa"), ("active",))
    return [(mistake.row, mistake.column, mistake.field["reason"]) for mistake in refusal.value.mistakes]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_csv_is_read_with_or_without_bom_and_rows_keep_their_number(tmp_path: Path, start: bytes) -> None:
    assert tables.read(file(tmp_path, start + GOOD.encode()), ("code", "name_fa")) == [
        Row(2, {"code": "roads", "name_fa": "راه‌ها"}),
        Row(4, {"code": "parks", "name_fa": "پارک‌ها"}),
    ]


def test_a_workbook_is_read_as_its_cells_are_displayed(tmp_path: Path) -> None:
    book = Workbook()
    worksheet = book.active
    for cells in (["code", "name_fa", "active"], [12, date(2027, 3, 21), True], [None, None, None], ["b", 1.0, False]):
        worksheet.append(cells)
    book.save(tmp_path / "a.xlsx")
    assert tables.read(tmp_path / "a.xlsx", ("code", "name_fa"), ("active",)) == [
        Row(2, {"code": "12", "name_fa": "2027-03-21", "active": "1"}),
        Row(4, {"code": "b", "name_fa": "1", "active": "0"}),
    ]


@pytest.mark.parametrize(
    ("content", "name", "mistakes"),
    [
        (b"code,name_fa\n\xe9t\xe9,caf\xe9\n", "a.csv", [(None, None, "not_utf8")]),
        (b"not a workbook", "a.xlsx", [(None, None, "not_a_table")]),
        (b"", "a.csv", [(None, None, "empty_table")]),
        (b"code,name_fa\n", "a.csv", [(None, None, "empty_table")]),
        (b"code,colour\na,b\n", "a.csv", [(1, "colour", "unknown_column"), (1, "name_fa", "missing_column")]),
        (b"code,name_fa,code\na,b,c\n", "a.csv", [(1, "code", "twice")]),
        (b"code,name_fa\na,b,c\n", "a.csv", [(2, None, "more_cells_than_columns")]),
        (b'code,name_fa\n"a,b\n', "a.csv", [(None, None, "not_a_table")]),
    ],
)
def test_a_file_that_is_not_a_table_is_refused(
    tmp_path: Path, content: bytes, name: str, mistakes: list[tuple[int | None, str | None, str]]
) -> None:
    assert refused(file(tmp_path, content, name)) == mistakes


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.csv") == [(None, None, "no_such_file")]


def package(folder: Path, parts: dict[str, bytes], name: str = "a.xlsx") -> Path:
    """A workbook of one sheet, with these parts in place of its own."""
    book = Workbook()
    assert book.active is not None
    book.active.append(["code", "name_fa"])
    book.active.append(["roads", "راه‌ها"])
    made = io.BytesIO()
    book.save(made)
    with ZipFile(made) as source, ZipFile(folder / name, "w", ZIP_DEFLATED) as target:
        own = {part: source.read(part) for part in source.namelist()}
        if "xl/sharedStrings.xml" in parts:  # openpyxl itself writes its texts into their cells
            own[TYPES] = own[TYPES].replace(b"</Types>", SHARED.encode() + b"</Types>")
        for part, content in {**own, **parts}.items():
            target.writestr(part, content)
    return folder / name


TYPES = "[Content_Types].xml"
SHARED = (
    '<Override PartName="/xl/sharedStrings.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)
WORKSHEET = "xl/worksheets/sheet1.xml"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
TEXT = '<c r="{}" t="inlineStr"><is><t>{}</t></is></c>'


def worksheet_xml(rows: str, before: str = "", doctype: str = "") -> bytes:
    return f'<?xml version="1.0"?>{doctype}<worksheet {MAIN}>{before}<sheetData>{rows}</sheetData></worksheet>'.encode()


HEAD = f'<row r="1">{TEXT.format("A1", "code")}{TEXT.format("B1", "name_fa")}</row>'
STRINGS = f"<sst {MAIN}>{{}}</sst>"
STYLES = f"<styleSheet {MAIN}><cellXfs>{{}}</cellXfs></styleSheet>"
FOREIGN = '<!DOCTYPE s [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
LONG_TEXT = "ا" * 30_000


def noise(size: int) -> str:
    """What can hardly be packed."""
    return random.Random(7).randbytes(size // 2).hex()


BOMBS: dict[str, tuple[dict[str, bytes], str]] = {
    "a sheet that unpacks to 200 MB": ({WORKSHEET: worksheet_xml(HEAD + " " * 200_000_000)}, "unpacks_too_large"),
    "a picture of nothing": ({"xl/media/image1.png": b"\0" * 100_000_000}, "unpacks_too_large"),
    "many parts": ({f"xl/x{number}.xml": b"<a/>" for number in range(1_200)}, "unpacks_too_large"),
    "shared texts": (
        {"xl/sharedStrings.xml": STRINGS.format(f"<si><t>{noise(17_000_000)}</t></si>").encode()},
        "unpacks_too_large",
    ),
    "one text in very many cells": (
        {
            "xl/sharedStrings.xml": STRINGS.format(f"<si><t>{LONG_TEXT}</t></si>").encode(),
            WORKSHEET: worksheet_xml(
                "".join(
                    f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c><c r="B{row}" t="s"><v>0</v></c></row>'
                    for row in range(1, 15_000)
                )
            ),
        },
        "too_much_text",
    ),
    "entities within entities": (
        {
            WORKSHEET: worksheet_xml(
                HEAD + f'<row r="2">{TEXT.format("A2", "&e9;")}</row>',
                doctype='<!DOCTYPE x [<!ENTITY e0 "lol">'
                + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
                + "]>",
            )
        },
        "unsafe_xml",
    ),
    "a file of this machine": (
        {"xl/sharedStrings.xml": f"{FOREIGN}<sst {MAIN}><si><t>&f;</t></si></sst>".encode()},
        "unsafe_xml",
    ),
    "elements in elements": ({WORKSHEET: worksheet_xml(HEAD + "<a>" * 5_000 + "</a>" * 5_000)}, "unsafe_xml"),
    "elements in elements of styles": (
        {"xl/styles.xml": f"<styleSheet {MAIN}>{'<a>' * 5_000}{'</a>' * 5_000}</styleSheet>".encode()},
        "unsafe_xml",
    ),
    "very many rows": (
        {
            WORKSHEET: worksheet_xml(
                "".join(f'<row r="{row}"><c r="A{row}"><v>{row * 7919}</v></c></row>' for row in range(1, 60_000))
            )
        },
        "too_long",
    ),
    "a row far below": (
        {WORKSHEET: worksheet_xml(HEAD + f'<row r="1048576">{TEXT.format("A1048576", "x")}</row>')},
        "too_long",
    ),
    "a row below the last there is": (
        {WORKSHEET: worksheet_xml(HEAD + f'<row r="999999999">{TEXT.format("A999999999", "x")}</row>')},
        "empty_table",
    ),
    "a cell far to the right": (
        {WORKSHEET: worksheet_xml(HEAD + f'<row r="2">{TEXT.format("XFD2", "x")}</row>')},
        "more_cells_than_columns",
    ),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_malicious_workbook_is_refused_with_its_reason(tmp_path: Path, kind: str) -> None:
    parts, reason = BOMBS[kind]
    path = package(tmp_path, parts)
    assert path.stat().st_size < 11_000_000
    assert [reason for _, _, reason in refused(path)] == [reason]


MEASURED = """
import resource, sys
from pathlib import Path
from backbone.tables import reader_process, reading
try:
    reading.read(Path(sys.argv[1]), ("code", "name_fa"))
except reading.Refused as refused:
    print(refused.mistakes[0].field["reason"])
own = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, int(own.split()[1]) // 1024)
"""


def memory_of(path: Path) -> tuple[int, int]:
    """MiB at most of the process that reads it, and of the one that asks."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    reading, asking = done.stdout.splitlines()[-1].split()
    return int(reading), int(asking)


@pytest.mark.parametrize(
    "parts",
    [
        {"xl/sharedStrings.xml": STRINGS.format("<si><t/></si>" * 1_200_000).encode()},
        {"xl/styles.xml": STYLES.format('<xf numFmtId="1"/>' * 700_000).encode()},
        {WORKSHEET: worksheet_xml(HEAD, before='<dimension ref="A1:XFD1048576"/>')},
        {
            WORKSHEET: worksheet_xml(
                HEAD + "".join(f'<row r="{row}">{TEXT.format(f"XFD{row}", "x")}</row>' for row in range(2, 3_000))
            )
        },
        BOMBS["one text in very many cells"][0],
    ],
    ids=["shared strings", "styles", "dimension", "wide rows", "one text in many cells"],
)
def test_reading_stays_within_its_memory_limit(tmp_path: Path, parts: dict[str, bytes]) -> None:
    reading, asking = memory_of(package(tmp_path, parts))
    assert reading <= reader_process.MOST_MEMORY // reader_process.MIB
    assert asking < 150


def test_a_table_that_takes_too_long_or_too_much_memory_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = package(tmp_path, {})
    monkeypatch.setattr(tables, "MOST_SECONDS", 0.001)
    assert refused(path) == [(None, None, "takes_too_long")]
    monkeypatch.undo()
    huge = file(tmp_path, b"code,name_fa\n" + b"a,b\n" * 6_000_000)
    assert refused(huge) == [(None, None, "file_too_large")]


def test_a_csv_may_come_through_a_pipe_and_a_folder_is_refused(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, GOOD.encode())
    os.close(writing)
    assert [row.number for row in tables.read(Path(f"/dev/fd/{reading}"), ("code", "name_fa"))] == [2, 4]
    os.close(reading)
    assert refused(tmp_path) == [(None, None, "not_a_table")]


def test_formatted_rows_without_text_are_skipped(tmp_path: Path) -> None:
    """Spreadsheets keep them to the end of the sheet."""
    rows = "".join(f'<row r="{row}"><c r="A{row}" s="0"/></row>' for row in range(3, 50_000))
    path = package(
        tmp_path,
        {WORKSHEET: worksheet_xml(HEAD + f'<row r="2">{TEXT.format("A2", "a")}{TEXT.format("B2", "b")}</row>{rows}')},
    )
    assert tables.read(path, ("code", "name_fa")) == [Row(2, {"code": "a", "name_fa": "b"})]


def test_every_reason_has_a_text_in_both_languages() -> None:
    for reason in ("file_too_large", "unpacks_too_large", "unsafe_xml", "too_much_text", "takes_too_long"):
        mistake = Mistake(None, None, {"reason": reason, "most": 64})
        assert "درست نیست" not in mistake.text(Language.FA)
        assert "not right" not in mistake.text(Language.EN)


def test_a_mistake_has_a_text_in_both_languages() -> None:
    mistake = Mistake(12, "parent_code", {"reason": "unknown_unit"})
    assert mistake.text(Language.FA) == "سطر ۱۲، ستون parent_code: واحدی با این کد نیست."
    assert mistake.text(Language.EN) == "row 12, column parent_code: There is no unit with this code."
