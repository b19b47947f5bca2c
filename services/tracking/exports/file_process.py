"""The file of an export, made in a process of its own: `python -m services.tracking.exports.file_process csv|xlsx fa|en`.

Asked over standard input, answered over standard output, each message led by its length (four bytes): a page of rows as JSON
lines in, what there is of the file by now out; an empty page in, the rest of the file out. So neither memory nor a disk has
to hold the whole. CSV is as `backbone.tables.writing` makes it: every cell quoted, none a formula whatever separates cells. XLSX
is one sheet of texts, written straight into its zip: a library would first put all of it into a file. Days are there twice,
Jalali and ISO, in Tehran's time. What identifies a person, as far as its form shows it, is masked in the text
(`contracts.masking`): a file goes where no scope follows it.
"""

from __future__ import annotations

import ctypes
import json
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import IO, Any, TypeVar
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from backbone.persian import jalali
from backbone.tables.writing import BOM, csv_line
from contracts.masking import masked
from contracts.vocabulary import Channel, Kind, Language, Outcome, Stage
from texts.loading import area
from texts.vocabulary import CHANNEL_NAMES, KIND_NAMES, OUTCOME_NAMES, STAGE_NAMES, Names

Row = dict[str, Any]
Word = TypeVar("Word", bound=StrEnum)

_PR_SET_PDEATHSIG = 1
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
MOST_IN_A_CELL = 32_767
"""What a spreadsheet takes in one cell."""
TEXTS = area("exports")
STAGES: Names[Stage] = {
    stage: {language: TEXTS[f"stage.{stage}"].in_language(language) for language in Language}
    if f"stage.{stage}" in TEXTS
    else names
    for stage, names in STAGE_NAMES.items()
}
"""As staff read them: where the citizen's text addresses its reader, the export has its own."""


def serve(format_: str, language: Language, requests: IO[bytes], answers: IO[bytes]) -> None:
    """One file, from its first page to its end."""
    out = Out()
    file: CsvFile | WorkbookFile = CsvFile(out) if format_ == "csv" else WorkbookFile(out, language)
    file.add([TEXTS.text(language, f"column.{key}") for key in COLUMNS])
    while page := read_message(requests):
        for line in page.splitlines():
            row = json.loads(line)
            file.add([cell(row, language) for cell in COLUMNS.values()])
        write_message(answers, out.taken())
    file.close()
    write_message(answers, out.taken())


def read_message(pipe: IO[bytes]) -> bytes:
    """The next message; EOFError when the other end has gone."""
    return _read(pipe, int.from_bytes(_read(pipe, 4), "big"))


def write_message(pipe: IO[bytes], message: bytes) -> None:
    """All of it, at once."""
    left = memoryview(len(message).to_bytes(4, "big") + message)
    while left:
        written = pipe.write(left)
        left = left[len(left) if written is None else written :]
    pipe.flush()


def _read(pipe: IO[bytes], size: int) -> bytes:
    parts = []
    while size:
        part = pipe.read(size)
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Out:
    """What has been written and not been taken yet. It cannot be sought in: the zip is written in one go."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        content = b"".join(self._parts)
        self._parts.clear()
        return content


class CsvFile:
    """Comma-separated, as spreadsheets open it."""

    def __init__(self, out: Out) -> None:
        out.write(BOM)
        self._out = out

    def add(self, cells: Sequence[object]) -> None:
        self._out.write(csv_line(cells))

    def close(self) -> None:
        """Nothing follows the last line."""


class WorkbookFile:
    """Office Open XML with what a spreadsheet needs and no more. Its cells are texts and numbers, never formulas."""

    def __init__(self, out: Out, language: Language) -> None:
        self._zip = ZipFile(out, "w", ZIP_DEFLATED)  # type: ignore[call-overload]  # it writes, and asks nothing else
        name = TEXTS.text(language, "sheet")
        for path, text in _PARTS.items():
            self._zip.writestr(path, _XML + text.format(name=name))
        self._sheet = self._zip.open("xl/worksheets/sheet1.xml", "w")  # no ZIP64: Excel does not take it
        right_to_left = ' rightToLeft="1"' if language is Language.FA else ""
        self._write(f"{_XML}{_SHEET.format(right_to_left=right_to_left)}")

    def add(self, cells: Sequence[object]) -> None:
        self._write(f"<row>{''.join(map(_cell, cells))}</row>")

    def close(self) -> None:
        self._write("</sheetData></worksheet>")
        self._sheet.close()
        self._zip.close()

    def _write(self, text: str) -> None:
        self._sheet.write(text.encode())


def _cell(value: object) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    text = escape(_NOT_XML.sub("", str(value))[:MOST_IN_A_CELL])
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">'
    '<sheets><sheet name="{name}" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
_SHEET = (
    f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"'
    '{right_to_left}><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    "<sheetData>"
)


# --- cells ---


def _as_is(name: str) -> Callable[[Row, Language], object]:
    return lambda row, _: row[name]


def _jalali(name: str) -> Callable[[Row, Language], object]:
    return lambda row, _: jalali.plain(_tehran(row[name])) if row[name] else None


def _iso(name: str) -> Callable[[Row, Language], object]:
    def cell(row: Row, _: Language) -> object:
        if not row[name]:
            return None
        day = _tehran(row[name])
        return day.isoformat(timespec="seconds") if isinstance(day, datetime) else day.isoformat()

    return cell


def _tehran(text: str) -> date:
    if "T" not in text:
        return date.fromisoformat(text)
    return datetime.fromisoformat(text).astimezone(jalali.TEHRAN)


def _named(words: type[Word], name: str, names: Names[Word]) -> Callable[[Row, Language], object]:
    return lambda row, language: names[words(row[name])][language] if row[name] else None


def _yes_or_no(name: str) -> Callable[[Row, Language], object]:
    return lambda row, language: TEXTS.text(language, "yes" if row[name] else "no")


def _unit_name(row: Row, language: Language) -> object:
    return row[f"unit_name_{language}"]


COLUMNS: Mapping[str, Callable[[Row, Language], object]] = {
    "number": _as_is("number"),
    "kind": _named(Kind, "kind", KIND_NAMES),
    "stage": _named(Stage, "stage", STAGES),
    "unit": _as_is("unit"),
    "unit_name": _unit_name,
    "ground": _as_is("ground"),
    "ground_name": lambda row, language: row.get(f"ground_name_{language}") or row["ground"],
    "urgent": _yes_or_no("urgent"),
    "anonymous": _yes_or_no("anonymous"),
    "channel": _named(Channel, "channel", CHANNEL_NAMES),
    "filed_jalali": _jalali("filed_at"),
    "filed": _iso("filed_at"),
    "due_jalali": _jalali("expected_on"),
    "due": _iso("expected_on"),
    "decided_jalali": _jalali("decided_at"),
    "decided": _iso("decided_at"),
    "outcome": _named(Outcome, "outcome", OUTCOME_NAMES),
    "handler": _as_is("handler"),
    "handler_name": lambda row, _: row.get("handler_name"),
    "score": _as_is("score"),
    "text": lambda row, _: masked(row["text"]),
}
"""By the key of its heading, how a cell is made of a row."""

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # ends with who asked for it
    serve(sys.argv[1], Language(sys.argv[2]), sys.stdin.buffer, sys.stdout.buffer)
