"""Imports tables of the office into the catalogue: `python -m services.intake.catalogue.importing WHAT FILE [--dry-run]`.

A row adds what has its code, or changes it; what is not in the file stays, but rules without a code (deadlines, retention)
are replaced whole. All rows are imported or none. Needs DATABASE_URL_INTAKE; the change is published like one of the
administrator.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection

from backbone.persian import date_parsing as dates
from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from backbone.tables import reading as tables
from backbone.tables.reading import Mistake, Refused, Row, mistakes_of, yes_or_no
from contracts.characters import latin_digits
from contracts.errors import InvalidField
from contracts.intake import (
    AnswerTemplate,
    Catalogue,
    Change,
    DeadlineRule,
    Ground,
    ListedCause,
    ListedReason,
    PutAnswerTemplate,
    PutGround,
    PutRefusalReason,
    PutRootCause,
    PutUnit,
    RetentionRule,
    SetCalendar,
    SetDeadlines,
    SetRetention,
    Unit,
)
from services.intake.catalogue import store
from services.intake.catalogue.use_cases import apply_changes

Parse = Callable[[str], Any]


def _or_none(text: str) -> str | None:
    return text or None


def _words(text: str) -> list[str]:
    return [part.strip() for part in text.replace("،", "|").split("|") if part.strip()]


def _questions(text: str) -> Any:
    try:
        return json.loads(text) if text else []
    except ValueError:
        return text


def _number(text: str) -> Any:
    digits = latin_digits(text)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 9 else text


@dataclass(frozen=True)
class TableFormat:
    """How one kind of table is read.

    `part`: of the catalogue. `columns`: by field, where the column has another name. `parse`: by field, where its value is not
    the column's text. `empty`: needed columns that may be empty. `change`: what one row changes, or `replace`: what all rows
    change together.
    """

    part: str
    model: type[BaseModel]
    needed: tuple[str, ...]
    optional: tuple[str, ...]
    change: Callable[[Any], Change] | None
    columns: Mapping[str, str]
    parse: Mapping[str, Parse]
    empty: frozenset[str] = frozenset()
    replace: Callable[[list[Any]], Change] | None = None


FORMATS: dict[str, TableFormat] = {
    "units": TableFormat(
        "units",
        Unit,
        ("code", "parent_code", "level", "name_fa", "name_en"),
        ("active",),
        lambda unit: PutUnit(unit=unit),
        {"parent": "parent_code"},
        {"parent": _or_none, "active": yes_or_no},
        frozenset({"parent_code"}),
    ),
    "grounds": TableFormat(
        "grounds",
        Ground,
        ("code", "kind(s)", "name_fa", "name_en"),
        ("hint_fa", "hint_en", "questions"),
        lambda ground: PutGround(ground=ground),
        {"kinds": "kind(s)"},
        {"kinds": _words, "questions": _questions},
    ),
    "refusal-reasons": TableFormat(
        "refusal_reasons",
        ListedReason,
        ("code", "name_fa", "name_en"),
        ("address_fa", "address_en", "active"),
        lambda reason: PutRefusalReason(refusal_reason=reason),
        {},
        {"active": yes_or_no},
    ),
    "root-causes": TableFormat(
        "root_causes",
        ListedCause,
        ("code", "name_fa", "name_en"),
        ("active",),
        lambda cause: PutRootCause(root_cause=cause),
        {},
        {"active": yes_or_no},
    ),
    "answer-templates": TableFormat(
        "answer_templates",
        AnswerTemplate,
        ("code", "text_fa", "text_en"),
        ("kind", "ground"),
        lambda template: PutAnswerTemplate(answer_template=template),
        {},
        {"kind": _or_none, "ground": _or_none},
    ),
    "deadlines": TableFormat(
        "deadlines",
        DeadlineRule,
        ("days",),
        ("kind", "ground", "urgent", "step"),
        None,
        {},
        {
            "kind": _or_none,
            "ground": _or_none,
            "urgent": lambda text: yes_or_no(text) if text else None,
            "step": lambda text: text or "decision",
            "days": _number,
        },
        replace=lambda rules: SetDeadlines(deadlines=rules),
    ),
    "retention": TableFormat(
        "retention",
        RetentionRule,
        ("kind", "identity_months", "evidence_months"),
        ("outcome", "text_months"),
        None,
        {},
        {
            "outcome": _or_none,
            "identity_months": _number,
            "evidence_months": _number,
            "text_months": lambda text: _number(text) if text else None,
        },
        replace=lambda rules: SetRetention(retention=rules),
    ),
}
TABLES = (*FORMATS, "holidays")


@dataclass(frozen=True)
class Counts:
    """How many rows were new, changed something, or changed nothing; `version` None when the catalogue is as before."""

    new: int
    changed: int
    same: int
    version: int | None


def import_table(connection: Connection, name: str, path: Path) -> Counts:
    """Imports the whole table, in the caller's transaction. Refused names what is wrong in each row."""
    store.lock_catalogue(connection)
    catalogue = store.catalogue(connection)
    if name == "holidays":
        return _import_holidays(connection, catalogue, path)
    table = FORMATS[name]
    rows = tables.read(path, table.needed, table.optional)
    present = {} if table.change is None else {item.code: item for item in getattr(catalogue, table.part)}
    items = _items(table, rows, present)
    changes = [] if table.change is None else [table.change(item) for item in items]
    if table.replace is not None:
        changes = [table.replace(items)]
    try:
        version = apply_changes(connection, f"import {name}", changes)
    except InvalidField as error:
        raise Refused(_mistakes_in_rows(table, rows, items, error.params["fields"])) from None
    if table.change is None:
        new = [item for item in items if item not in getattr(catalogue, table.part)]
        return Counts(len(new), 0, len(items) - len(new), version)
    new = [item for item in items if item.code not in present]
    same = [item for item in items if item == present.get(item.code)]
    return Counts(len(new), len(items) - len(new) - len(same), len(same), version)


def _items(table: TableFormat, rows: Sequence[Row], present: Mapping[str, BaseModel]) -> list[Any]:
    """Each row as its model; a field whose column is not in the file keeps its value."""
    items, mistakes, codes = [], [], set()
    for row in rows:
        before = present.get(row.values.get("code", ""))
        values = before.model_dump() if before is not None else {}
        for name in table.model.model_fields:
            column = table.columns.get(name, name)
            if column in row.values and not (column == "active" and not row.values[column]):
                values[name] = table.parse.get(name, str)(row.values[column])
        row_mistakes = []
        try:
            items.append(table.model.model_validate(values))
        except ValidationError as error:
            row_mistakes = mistakes_of(error, row, table.columns)
        reported = {mistake.column for mistake in row_mistakes}
        # The catalogue's check would refuse an empty name: it is reported with the other mistakes, not at a second try.
        required = [column for column in table.needed if column not in table.empty and column not in reported]
        missing = [column for column in required if not row.values[column]]
        mistakes += [*row_mistakes, *(Mistake(row.number, column, {"reason": "missing"}) for column in missing)]
        if code := row.values.get("code"):
            if code in codes:
                mistakes.append(Mistake(row.number, "code", {"reason": "twice"}))
            codes.add(code)
    if mistakes:
        raise Refused(mistakes)
    return items


def _mistakes_in_rows(
    table: TableFormat, rows: Sequence[Row], items: Sequence[Any], fields: Sequence[Mapping[str, Any]]
) -> list[Mistake]:
    """The problems that the catalogue would have, each at the row it comes from; at the file, when it comes from none."""
    numbers = {
        getattr(item, "code", str(at)): row.number for at, (row, item) in enumerate(zip(rows, items, strict=True))
    }
    mistakes = []
    for field in fields:
        path = str(field["field"]).removeprefix(f"{table.part}.")
        code = field.get("item", path.split(".")[0])
        code = code if code in numbers else None
        name = path[len(code) + 1 :].split(".")[0] if code is not None else ""
        row, column = (numbers[code], table.columns.get(name, name) or None) if code else (None, str(field["field"]))
        limits = {key: value for key, value in field.items() if key not in ("field", "item")}
        mistakes.append(Mistake(row, column, limits))
    return mistakes


def _import_holidays(connection: Connection, catalogue: Catalogue, path: Path) -> Counts:
    """Days are added; a lunar and a solar holiday may fall on the same one."""
    days, mistakes = set(), []
    rows = tables.read(path, ("date",), ("name_fa", "name_en", "certain"))
    for row in rows:
        day = _day(row.values["date"])
        if day is None:
            mistakes.append(Mistake(row.number, "date", {"reason": "not_a_day"}))
        else:
            days.add(day)
    if mistakes:
        raise Refused(mistakes)
    new = days - set(catalogue.holidays)
    version = apply_changes(connection, "import holidays", [SetCalendar(holidays=sorted({*catalogue.holidays, *days}))])
    return Counts(len(new), 0, len(rows) - len(new), version)


def _day(text: str) -> date | None:
    """2027-03-21, or the Jalali day such as ۱۴۰۶/۰۱/۰۱; of our time."""
    day = dates.read(text).day
    return day if day is not None and dates.EARLIEST <= day <= dates.LATEST else None


class _DryRun(Exception):
    """Ends the transaction without its effect."""


def main(arguments: Sequence[str]) -> int:
    """0; 1 when the table was refused."""
    parser = argparse.ArgumentParser(prog="peygir import", description="A table of the office into the catalogue.")
    parser.add_argument("what", choices=TABLES)
    parser.add_argument("file", type=Path, help="CSV (UTF-8) or XLSX; the first row names the columns")
    parser.add_argument("--dry-run", action="store_true", help="only report what is wrong, and what would change")
    options = parser.parse_args(arguments)
    database = Database(url_of("intake"), pool_size=1)
    try:
        with database.transaction() as connection:
            counts = import_table(connection, options.what, options.file)
            if options.dry_run:
                raise _DryRun
    except Refused as refused:
        refused.print_mistakes()
        return 1
    except _DryRun:
        print("dry run: nothing was changed")
    summary = f"intake: {options.what}: {counts.new} new, {counts.changed} changed, {counts.same} as before"
    print(summary if counts.version is None or options.dry_run else f"{summary}; catalogue {counts.version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
