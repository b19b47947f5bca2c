"""The files of exports: what a spreadsheet may not take for a formula, what is masked, and what a workbook is made of."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from contracts.vocabulary import Channel, Kind, Language, Outcome, Stage
from services.tracking.exports.file_process import COLUMNS, TEXTS, harmless, read_message, serve, write_message

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def row(**changes: Any) -> dict[str, Any]:
    told = {
        "number": "1405-000001",
        "kind": "complaint",
        "stage": "registered",
        "unit": "dep.urb",
        "unit_name_fa": "شهرسازی",
        "unit_name_en": "Urban planning",
        "ground": "delay",
        "urgent": False,
        "anonymous": True,
        "channel": "web",
        "filed_at": "2026-10-25T20:45:00+00:00",  # the next day in Tehran
        "expected_on": "2026-11-20",
        "decided_at": None,
        "outcome": None,
        "handler": None,
        "score": None,
        "text": "پرونده من مانده است.",
    }
    return told | changes


def made(format_: str, language: Language, *rows: dict[str, Any], page: int = 2) -> bytes:
    asked, answers = io.BytesIO(), io.BytesIO()
    for at in range(0, len(rows), page):
        lines = "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in rows[at : at + page])
        write_message(asked, lines.encode())
    write_message(asked, b"")
    asked.seek(0)
    serve(format_, language, asked, answers)
    answers.seek(0)
    found = b""
    while answers.tell() < len(answers.getvalue()):
        found += read_message(answers)
    return found


def table(format_: str, language: Language, *rows: dict[str, Any]) -> list[list[Any]]:
    content = made(format_, language, *rows)
    if format_ == "csv":
        assert content.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    return [["" if cell is None else cell for cell in cells] for cells in sheet.iter_rows(values_only=True)]


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("language", "kind", "urgent"), [(Language.FA, "شکایت", "خیر"), (Language.EN, "Complaint", "no")]
)
def test_each_row_is_there_in_its_language_with_days_in_both_calendars(
    format_: str, language: Language, kind: str, urgent: str
) -> None:
    headings, *lines = table(format_, language, *(row(number=f"1405-{n:06d}") for n in range(5)))
    assert headings == [TEXTS.text(language, f"column.{key}") for key in COLUMNS]
    assert [line[0] for line in lines] == [f"1405-{n:06d}" for n in range(5)]
    first = dict(zip([TEXTS.text("en", f"column.{key}") for key in COLUMNS], lines[0], strict=True))
    assert (first["Kind"], first["Urgent"]) == (kind, urgent)
    assert (first["Filed (Jalali)"], first["Filed"]) == ("1405/08/04", "2026-10-26T00:15:00+03:30")
    assert (first["Due (Jalali)"], first["Due"]) == ("1405/08/29", "2026-11-20")
    assert (first["Decided"], first["Outcome"]) == ("", "")


def test_every_word_of_the_domain_can_be_told() -> None:
    rows = [
        *(row(kind=one) for one in Kind),
        *(row(stage=one) for one in Stage),
        *(row(outcome=one) for one in Outcome),
        *(row(channel=one) for one in Channel),
    ]
    for language in Language:
        assert len(table("csv", language, *rows)) == len(rows) + 1


@pytest.mark.parametrize("start", FORMULAS)
def test_a_formula_is_none_any_more(start: str) -> None:
    text = f"{start}1+1"
    [_, line] = table("csv", Language.FA, row(text=text))
    assert line[-1] == f"'{text}"
    content = made("xlsx", Language.FA, row(text=text))
    *_, cell = next(load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(min_row=2))
    assert cell.data_type == "s"


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_cell_of_a_csv_begins_as_a_formula_and_nothing_else_changes(text: str) -> None:
    cell = harmless(text)
    assert not cell.startswith(FORMULAS)
    assert cell in (text, f"'{text}")


@settings(deadline=None, max_examples=30)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_makes_a_workbook_that_opens(text: str) -> None:
    headings, line = table("xlsx", Language.FA, row(unit_name_fa=text))
    assert len(line) == len(headings)


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_what_tells_who_it_was_is_masked_in_the_text(format_: str) -> None:
    [_, line] = table(format_, Language.FA, row(text="زنگ بزنید: +98 (912) 000-0102، کد ملی ۰۰۱ ۲۳۴۵۶۷ ۹"))
    assert line[-1] == "زنگ بزنید: [masked]، کد ملی [masked]"
