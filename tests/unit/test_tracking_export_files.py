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
from services.tracking.exports.file_process import COLUMNS, TEXTS, read_message, serve, write_message

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def row(**changes: Any) -> dict[str, Any]:
    values = {
        "number": "1405-000001",
        "kind": "complaint",
        "stage": "registered",
        "unit": "dep.urb",
        "unit_name_fa": "شهرسازی",
        "unit_name_en": "Urban planning",
        "ground": "delay",
        "ground_name_fa": "اطاله رسیدگی",
        "ground_name_en": "Protracted handling",
        "urgent": False,
        "anonymous": True,
        "channel": "web",
        "filed_at": "2026-10-25T20:45:00+00:00",  # the next day in Tehran
        "expected_on": "2026-11-20",
        "decided_at": None,
        "outcome": None,
        "handler": None,
        "handler_name": None,
        "score": None,
        "text": "پرونده من مانده است.",
    }
    return values | changes


def made(format_: str, language: Language, *rows: dict[str, Any], page: int = 2) -> bytes:
    requests, answers = io.BytesIO(), io.BytesIO()
    for at in range(0, len(rows), page):
        lines = "".join(f"{json.dumps(values, ensure_ascii=False)}\n" for values in rows[at : at + page])
        write_message(requests, lines.encode())
    write_message(requests, b"")
    requests.seek(0)
    serve(format_, language, requests, answers)
    answers.seek(0)
    table_bytes = b""
    while answers.tell() < len(answers.getvalue()):
        table_bytes += read_message(answers)
    return table_bytes


def table(format_: str, language: Language, *rows: dict[str, Any]) -> list[list[Any]]:
    content = made(format_, language, *rows)
    if format_ == "csv":
        assert content.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    worksheet = load_workbook(io.BytesIO(content)).worksheets[0]
    return [["" if cell is None else cell for cell in cells] for cells in worksheet.iter_rows(values_only=True)]


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
    assert (first["Ground code"], first["Ground"]) == (
        "delay",
        "اطاله رسیدگی" if language is Language.FA else "Protracted handling",
    )
    assert (first["Kind"], first["Urgent"]) == (kind, urgent)
    assert (first["Filed (Jalali)"], first["Filed"]) == ("1405/08/04", "2026-10-26T00:15:00+03:30")
    assert (first["Due (Jalali)"], first["Due"]) == ("1405/08/29", "2026-11-20")
    assert (first["Decided"], first["Outcome"]) == ("", "")


def test_every_value_of_the_domain_has_a_name() -> None:
    rows = [
        *(row(kind=kind) for kind in Kind),
        *(row(stage=stage) for stage in Stage),
        *(row(outcome=outcome) for outcome in Outcome),
        *(row(channel=channel) for channel in Channel),
    ]
    for language in Language:
        assert len(table("csv", language, *rows)) == len(rows) + 1


@pytest.mark.parametrize("start", FORMULAS)
def test_a_formula_is_neutralised(start: str) -> None:
    text = f"{start}1+1"
    [_, line] = table("csv", Language.FA, row(text=text))
    assert line[-1] == f"'{text}"
    content = made("xlsx", Language.FA, row(text=text))
    *_, cell = next(load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(min_row=2))
    assert cell.data_type == "s"


@pytest.mark.parametrize("separator", [",", ";", "\t", "؛", "\n", "\r"])
def test_a_formula_behind_a_separator_is_neutralised_and_every_cell_is_quoted(separator: str) -> None:
    """`x;=1+1` is a cell for who separates by commas, and a formula for who separates by semicolons."""
    content = made("csv", Language.FA, row(text=f"x{separator}=1+1", unit_name_fa=f"x{separator} @y")).decode(
        "utf-8-sig"
    )
    assert f'"x{separator}\'=1+1"' in content
    assert f'"x{separator} \'@y"' in content
    [_, line] = list(csv.reader(io.StringIO(content, newline=""), quoting=csv.QUOTE_ALL))
    assert content.count('"') == 2 * 2 * len(line)


@settings(deadline=None, max_examples=30)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_makes_a_workbook_that_opens(text: str) -> None:
    headings, line = table("xlsx", Language.FA, row(unit_name_fa=text))
    assert len(line) == len(headings)


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_identifying_numbers_in_the_text_are_masked(format_: str) -> None:
    [_, line] = table(format_, Language.FA, row(text="زنگ بزنید: +98 (912) 000-0102، کد ملی ۰۰۱ ۲۳۴۵۶۷ ۹"))
    assert line[-1] == "زنگ بزنید: [masked]، کد ملی [masked]"
