"""Tables that the office imports and exports: what a row does not say is kept, files of any usual form are read or their cause is
named, and no cell of an export is a formula. Each test is the smallest input of a fault that the office met (tests/README.md)."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from tests.e2e.people import JSON, Town, good
from tests.e2e.test_configuration import Administrator, bring, send
from tests.e2e.test_searches import exported, filed, word

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def administrator(town: Town) -> Iterator[Administrator]:
    """The rules of deadlines are put back at the end."""
    administrator = Administrator(town)
    before = administrator.read()["deadlines"]
    yield administrator
    if administrator.read()["deadlines"] != before:
        good(administrator.put("deadlines", {"deadlines": before}))


def imported(town: Town, folder: Path, what: str, content: bytes, name: str = "table.csv") -> None:
    path = folder / name
    path.write_bytes(content)
    done = bring(town, what, str(path))
    assert done.returncode == 0, done.stderr


def item(administrator: Administrator, part: str, code: str) -> JSON:
    [wanted] = [each for each in administrator.read()[part] if each["code"] == code]
    return dict(wanted)


# --- what a table does not say ---


def test_a_staff_table_without_unit_and_active_leaves_a_closed_account_closed(
    town: Town, administrator: Administrator, tmp_path: Path
) -> None:
    account = {"display_name": "پیشخوان آزمون", "roles": ["operator"], "unit": "mayor.insp"}
    username = f"desk-{uuid.uuid4().hex[:8]}"
    made = good(administrator.caller.post("/v1/staff", {"username": username, **account}), 201)["member"]
    path = f"/v1/staff/{made['staff_id']}"
    good(send(administrator.caller, "PUT", path, {**account, "active": False}, version=made["version"]))
    table = f"username,display_name,roles\n{username},پیشخوان دو,operator\n"
    imported(town, tmp_path, "staff", table.encode())
    [after] = [each for each in good(administrator.caller.get("/v1/staff"))["items"] if each["username"] == username]
    assert (after["display_name"], after["active"], after["unit"]) == ("پیشخوان دو", False, "mayor.insp")


def test_an_empty_cell_keeps_and_a_dash_empties(town: Town, administrator: Administrator, tmp_path: Path) -> None:
    code = f"t{uuid.uuid4().hex[:8]}"
    names = {"name_fa": "بی‌مهر", "name_en": "No stamp", "address_fa": "سامانه ۱۱۱", "address_en": "Line 111"}
    good(administrator.put(f"refusal-reasons/{code}", names))
    before = item(administrator, "refusal_reasons", code)
    table = f"code,name_fa,name_en,address_fa,address_en\n{code},بی‌مهر,No stamp,,-\n"
    imported(town, tmp_path, "refusal-reasons", table.encode())
    assert item(administrator, "refusal_reasons", code) == {**before, "address_en": ""}


def test_a_merged_cell_stands_for_all_its_rows(town: Town, administrator: Administrator, tmp_path: Path) -> None:
    book = Workbook()
    for cells in (["kind", "step", "days"], ["complaint", "decision", 15], [None, "first_reading", 2]):
        book.active.append(cells)
    book.active.merge_cells("A2:A3")
    book.save(tmp_path / "deadlines.xlsx")
    done = bring(town, "deadlines", str(tmp_path / "deadlines.xlsx"))
    assert done.returncode == 0, done.stderr
    rules = {(rule["kind"], rule["step"], rule["days"]) for rule in administrator.read()["deadlines"]}
    assert {("complaint", "decision", 15), ("complaint", "first_reading", 2)} <= rules
    assert (None, "first_reading", 2) not in rules, "the time of one kind became that of all"


# --- files of other programs ---


@pytest.mark.parametrize(
    ("separator", "encoding"),
    [(";", "utf-8-sig"), ("\t", "utf-8"), (",", "cp1256")],
    ids=["semicolon and BOM", "tab", "Windows-1256"],
)
def test_a_table_is_read_whatever_its_separator_and_encoding(
    town: Town, administrator: Administrator, tmp_path: Path, separator: str, encoding: str
) -> None:
    code = f"test.{uuid.uuid4().hex[:8]}"
    columns = ["code", "parent_code", "level", "name_fa", "name_en", "active"]
    rows = (columns, [code, "dep.urb", "office", "میز آزمون", "Desk of the test", "1"])
    table = "\r\n".join(separator.join(cells) for cells in rows) + "\r\n"
    if encoding == "cp1256":
        table = table.replace("ی", "ي")  # Windows-1256 has the Arabic letter alone
    imported(town, tmp_path, "units", table.encode(encoding))
    unit = item(administrator, "units", code)
    assert (unit["parent"], unit["name_fa"].replace("ي", "ی")) == ("dep.urb", "میز آزمون")


def test_an_old_workbook_is_named_and_what_to_save_it_as(town: Town, tmp_path: Path) -> None:
    signature = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    path = tmp_path / "units.xls"
    path.write_bytes(signature + b"\0" * 600 + "Workbook".encode("utf-16-le"))
    done = bring(town, "units", str(path))
    assert done.returncode == 1
    assert "old Excel format (.xls): save it as .xlsx" in done.stderr
    assert "قالب قدیمی اکسل (xls)" in done.stderr


# --- exports ---


def cells_of(text: str, separator: str) -> list[str]:
    """As a spreadsheet that takes this for the separator opens it."""
    return [cell.strip() for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]


def test_no_cell_of_an_export_is_a_formula_whatever_separates_cells(town: Town) -> None:
    mark, head = word(), town.officer("head")
    filed(town, f"{mark};=1+1")
    content: Any = exported(head, filters={"text": mark}, format="csv", language="fa").content.decode("utf-8-sig")
    assert mark in content
    for separator in ",;\t":
        formulas = [cell for cell in cells_of(content, separator) if cell.startswith(("=", "+", "-", "@"))]
        assert formulas == [], separator
    quoted = re.compile(r'("(?:[^"]|"")*"(?:,"(?:[^"]|"")*")*\r\n)+')
    assert quoted.fullmatch(content), "a cell without quotes"
