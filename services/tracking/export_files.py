"""The file of an export, made in a process of its own: `python -m services.tracking.export_files csv|xlsx fa|en`.

Rows come as JSON lines on standard input, the file goes to standard output, row by row, so that memory does not grow with
them. Exit code 0 when all of it is there. CSV is UTF-8 with BOM; a cell that a spreadsheet would take for a formula begins
with an apostrophe. Days are there twice, Jalali and ISO, in Tehran's time. What looks like a tracking code, a mobile or a
national ID is masked in the text: a file goes where no scope follows it.
"""

from __future__ import annotations

import csv
import ctypes
import io
import json
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import IO, Any

from backbone import jalali, logs
from backbone.persian import national_id
from contracts.vocabulary import KIND_NAMES, OUTCOME_NAMES, Channel, Kind, Language, Outcome, Stage

Row = dict[str, Any]
Words = tuple[str, str]

_PR_SET_PDEATHSIG = 1
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_TEN_DIGITS = re.compile(r"(?<!\d)\d{10}(?!\d)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_YES: dict[bool, Words] = {True: ("بله", "yes"), False: ("خیر", "no")}
_STAGES: dict[Stage, Words] = {
    Stage.REGISTERED: ("ثبت شد", "Registered"),
    Stage.SCREENING: ("در حال بررسی اولیه", "First reading"),
    Stage.INVESTIGATING: ("در دست بازرس", "Being investigated"),
    Stage.AWAITING_CITIZEN: ("در انتظار پاسخ شهروند", "Waiting for the citizen"),
    Stage.AWAITING_UNIT: ("در انتظار پاسخ واحد", "Waiting for the unit"),
    Stage.DECIDED: ("نتیجه اعلام شد", "Decided"),
    Stage.REVIEW: ("در حال بازنگری اعتراض", "Objection being reviewed"),
    Stage.REFUSED: ("پذیرفته نشد", "Not accepted"),
    Stage.MERGED: ("به پرونده مشابه پیوست", "Merged"),
    Stage.WITHDRAWN: ("پس گرفته شد", "Withdrawn"),
    Stage.CLOSED: ("بسته شد", "Closed"),
}
_CHANNELS: dict[Channel, Words] = {
    Channel.WEB: ("وب", "Web"),
    Channel.APP: ("برنامه همراه", "App"),
    Channel.PAGES: ("صفحه‌های ساده", "Plain pages"),
    Channel.PHONE: ("تلفن", "Phone"),
    Channel.COUNTER: ("پیشخوان", "Counter"),
    Channel.SMS: ("پیامک", "SMS"),
}


def main(format_: str, language: str, rows: IO[bytes], out: IO[bytes]) -> None:
    """All rows into one file."""
    table = _table(rows, Language(language))
    if format_ == "csv":
        _csv(table, out)
    else:
        _workbook(table, out, Language(language))


def _table(rows: Iterable[bytes], language: Language) -> Iterator[Sequence[object]]:
    """The headings, then a line of cells for each row."""
    at = 0 if language is Language.FA else 1
    yield [heading[at] for heading, _ in COLUMNS]
    for line in rows:
        row = json.loads(line)
        yield [cell(row, at) for _, cell in COLUMNS]


def _csv(table: Iterable[Sequence[object]], out: IO[bytes]) -> None:
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\r\n")
    for cells in table:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    text.flush()
    text.detach()


def harmless(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _workbook(table: Iterable[Sequence[object]], out: IO[bytes], language: Language) -> None:
    from openpyxl import Workbook  # needed here alone, and slow to import
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("پرونده‌ها" if language is Language.FA else "Cases")
    sheet.sheet_view.rightToLeft = language is Language.FA
    sheet.freeze_panes = "A2"

    def shown(value: object) -> object:
        if not isinstance(value, str):
            return value
        cell = WriteOnlyCell(sheet, value=_CONTROL.sub("", value))
        cell.data_type = "s"  # never a formula
        return cell

    for cells in table:
        sheet.append([shown(cell) for cell in cells])
    book.save(out)


# --- cells ---


def _as_is(name: str) -> Callable[[Row, int], object]:
    return lambda row, _: row[name]


def _jalali(name: str) -> Callable[[Row, int], object]:
    return lambda row, _: jalali.plain(_tehran(row[name])) if row[name] else None


def _iso(name: str) -> Callable[[Row, int], object]:
    def cell(row: Row, _: int) -> object:
        if not row[name]:
            return None
        day = _tehran(row[name])
        return day.isoformat(timespec="seconds") if isinstance(day, datetime) else day.isoformat()

    return cell


def _tehran(text: str) -> date:
    if "T" not in text:
        return date.fromisoformat(text)
    return datetime.fromisoformat(text).astimezone(jalali.TEHRAN)


def _kind(row: Row, at: int) -> object:
    return KIND_NAMES[Kind(row["kind"])][(Language.FA, Language.EN)[at]]


def _outcome(row: Row, at: int) -> object:
    return OUTCOME_NAMES[Outcome(row["outcome"])][(Language.FA, Language.EN)[at]] if row["outcome"] else None


def _unit_name(row: Row, at: int) -> object:
    return row[("unit_name_fa", "unit_name_en")[at]]


def masked(text: str) -> str:
    """The text without what looks like a tracking code, a mobile or a national ID."""
    return _TEN_DIGITS.sub(lambda found: "[masked]" if national_id(found.group()) else found.group(), logs.masked(text))


COLUMNS: tuple[tuple[Words, Callable[[Row, int], object]], ...] = (
    (("شماره", "Number"), _as_is("number")),
    (("نوع", "Kind"), _kind),
    (("مرحله", "Stage"), lambda row, at: _STAGES[Stage(row["stage"])][at]),
    (("کد واحد", "Unit code"), _as_is("unit")),
    (("واحد", "Unit"), _unit_name),
    (("محور", "Ground"), _as_is("ground")),
    (("فوری", "Urgent"), lambda row, at: _YES[row["urgent"]][at]),
    (("بی‌نام", "Anonymous"), lambda row, at: _YES[row["anonymous"]][at]),
    (("راه ثبت", "Channel"), lambda row, at: _CHANNELS[Channel(row["channel"])][at]),
    (("تاریخ ثبت", "Filed (Jalali)"), _jalali("filed_at")),
    (("تاریخ ثبت (میلادی)", "Filed"), _iso("filed_at")),
    (("مهلت", "Due (Jalali)"), _jalali("expected_on")),
    (("مهلت (میلادی)", "Due"), _iso("expected_on")),
    (("تاریخ تصمیم", "Decided (Jalali)"), _jalali("decided_at")),
    (("تاریخ تصمیم (میلادی)", "Decided"), _iso("decided_at")),
    (("نتیجه", "Outcome"), _outcome),
    (("شناسه بازرس", "Inspector's id"), _as_is("handler")),
    (("امتیاز", "Score"), _as_is("score")),
    (("متن", "Text"), lambda row, _: masked(row["text"])),
)

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # ends with who asked for it
    main(sys.argv[1], sys.argv[2], sys.stdin.buffer, sys.stdout.buffer)
    sys.stdout.buffer.flush()
