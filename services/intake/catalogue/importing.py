"""Tables of the office into the catalogue: `python -m services.intake.catalogue.importing WHAT FILE [--dry-run]`.

A row adds what has its code, or changes it; what is not in the file stays, but rules without a code (deadlines, retention)
are replaced whole. All rows are taken or none. Needs DATABASE_URL_INTAKE; the change goes out by the outbox, as the
administrator's own.
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
class Sheet:
    """How one kind of table is read. `listed`: where it stands in the catalogue; `columns`: those named otherwise than
    the field they hold; `parse`: what a field is made of, where it is not its text; `empty`: needed columns that may be empty;
    `change`: what one row does, or `whole`: what all rows do together."""

    listed: str
    model: type[BaseModel]
    needed: tuple[str, ...]
    optional: tuple[str, ...]
    change: Callable[[Any], Change] | None
    columns: Mapping[str, str]
    parse: Mapping[str, Parse]
    empty: frozenset[str] = frozenset()
    whole: Callable[[list[Any]], Change] | None = None


SHEETS: dict[str, Sheet] = {
    "units": Sheet(
        "units",
        Unit,
        ("code", "parent_code", "level", "name_fa", "name_en"),
        ("active",),
        lambda unit: PutUnit(unit=unit),
        {"parent": "parent_code"},
        {"parent": _or_none, "active": yes_or_no},
        frozenset({"parent_code"}),
    ),
    "grounds": Sheet(
        "grounds",
        Ground,
        ("code", "kind(s)", "name_fa", "name_en"),
        ("hint_fa", "hint_en", "questions"),
        lambda ground: PutGround(ground=ground),
        {"kinds": "kind(s)"},
        {"kinds": _words, "questions": _questions},
    ),
    "refusal-reasons": Sheet(
        "refusal_reasons",
        ListedReason,
        ("code", "name_fa", "name_en"),
        ("address_fa", "address_en", "active"),
        lambda reason: PutRefusalReason(refusal_reason=reason),
        {},
        {"active": yes_or_no},
    ),
    "root-causes": Sheet(
        "root_causes",
        ListedCause,
        ("code", "name_fa", "name_en"),
        ("active",),
        lambda cause: PutRootCause(root_cause=cause),
        {},
        {"active": yes_or_no},
    ),
    "answer-templates": Sheet(
        "answer_templates",
        AnswerTemplate,
        ("code", "text_fa", "text_en"),
        ("kind", "ground"),
        lambda template: PutAnswerTemplate(answer_template=template),
        {},
        {"kind": _or_none, "ground": _or_none},
    ),
    "deadlines": Sheet(
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
        whole=lambda rules: SetDeadlines(deadlines=rules),
    ),
    "retention": Sheet(
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
        whole=lambda rules: SetRetention(retention=rules),
    ),
}
WHAT = (*SHEETS, "holidays")


@dataclass(frozen=True)
class Done:
    """How many rows were new, changed something, or said what was there; `version` None when nothing differs."""

    new: int
    changed: int
    same: int
    version: int | None


def take(connection: Connection, what: str, path: Path) -> Done:
    """The whole table, in the caller's transaction. Refused, row by row, when anything is wrong."""
    store.lock_catalogue(connection)
    catalogue = store.catalogue(connection)
    if what == "holidays":
        return _take_holidays(connection, catalogue, path)
    sheet = SHEETS[what]
    rows = tables.read(path, sheet.needed, sheet.optional)
    present = {} if sheet.change is None else {one.code: one for one in getattr(catalogue, sheet.listed)}
    items = _items(sheet, rows, present)
    changes = [] if sheet.change is None else [sheet.change(one) for one in items]
    if sheet.whole is not None:
        changes = [sheet.whole(items)]
    try:
        version = apply_changes(connection, f"import {what}", changes)
    except InvalidField as error:
        raise Refused(_placed(sheet, rows, items, error.params["fields"])) from None
    if sheet.change is None:
        fresh = [one for one in items if one not in getattr(catalogue, sheet.listed)]
        return Done(len(fresh), 0, len(items) - len(fresh), version)
    new = [one for one in items if one.code not in present]
    same = [one for one in items if one == present.get(one.code)]
    return Done(len(new), len(items) - len(new) - len(same), len(same), version)


def _items(sheet: Sheet, rows: Sequence[Row], present: Mapping[str, BaseModel]) -> list[Any]:
    """Each row as its model; a column that is not in the file keeps what is there."""
    items, wrong, seen = [], [], set()
    for row in rows:
        before = present.get(row.values.get("code", ""))
        values = before.model_dump() if before is not None else {}
        for name in sheet.model.model_fields:
            column = sheet.columns.get(name, name)
            if column in row.values and not (column == "active" and not row.values[column]):
                values[name] = sheet.parse.get(name, str)(row.values[column])
        found = []
        try:
            items.append(sheet.model.model_validate(values))
        except ValidationError as error:
            found = mistakes_of(error, row, sheet.columns)
        told = {one.column for one in found}
        # What the catalogue would say of an empty name is said with the rest, not at a second try.
        empty = [one for one in sheet.needed if one not in sheet.empty and one not in told and not row.values[one]]
        wrong += [*found, *(Mistake(row.number, one, {"reason": "missing"}) for one in empty)]
        if code := row.values.get("code"):
            if code in seen:
                wrong.append(Mistake(row.number, "code", {"reason": "twice"}))
            seen.add(code)
    if wrong:
        raise Refused(wrong)
    return items


def _placed(
    sheet: Sheet, rows: Sequence[Row], items: Sequence[Any], fields: Sequence[Mapping[str, Any]]
) -> list[Mistake]:
    """The mistakes of the catalogue that would be, each at the row it comes from; at the file, when it is from none."""
    numbers = {
        getattr(item, "code", str(at)): row.number for at, (row, item) in enumerate(zip(rows, items, strict=True))
    }
    found = []
    for field in fields:
        place = str(field["field"]).removeprefix(f"{sheet.listed}.")
        code = field.get("item", place.split(".")[0])
        code = code if code in numbers else None
        name = place[len(code) + 1 :].split(".")[0] if code is not None else ""
        row, column = (numbers[code], sheet.columns.get(name, name) or None) if code else (None, str(field["field"]))
        found.append(Mistake(row, column, {key: value for key, value in field.items() if key not in ("field", "item")}))
    return found


def _take_holidays(connection: Connection, catalogue: Catalogue, path: Path) -> Done:
    """Days are added; a lunar and a solar holiday may fall on the same one."""
    days, wrong = set(), []
    rows = tables.read(path, ("date",), ("name_fa", "name_en", "certain"))
    for row in rows:
        day = _day(row.values["date"])
        if day is None:
            wrong.append(Mistake(row.number, "date", {"reason": "not_a_day"}))
        else:
            days.add(day)
    if wrong:
        raise Refused(wrong)
    new = days - set(catalogue.holidays)
    version = apply_changes(connection, "import holidays", [SetCalendar(holidays=sorted({*catalogue.holidays, *days}))])
    return Done(len(new), 0, len(rows) - len(new), version)


def _day(text: str) -> date | None:
    """2027-03-21, or the Jalali day such as ۱۴۰۶/۰۱/۰۱; of our time."""
    day = dates.read(text).day
    return day if day is not None and dates.EARLIEST <= day <= dates.LATEST else None


class _DryRun(Exception):
    """Ends the transaction without its effect."""


def main(arguments: Sequence[str]) -> int:
    """0; 1 when the table was refused."""
    parser = argparse.ArgumentParser(prog="peygir import", description="A table of the office into the catalogue.")
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("file", type=Path, help="CSV (UTF-8) or XLSX; the first row names the columns")
    parser.add_argument("--dry-run", action="store_true", help="only tell what is wrong, and what would change")
    options = parser.parse_args(arguments)
    database = Database(url_of("intake"), pool_size=1)
    try:
        with database.transaction() as connection:
            done = take(connection, options.what, options.file)
            if options.dry_run:
                raise _DryRun
    except Refused as refused:
        refused.tell()
        return 1
    except _DryRun:
        print("dry run: nothing was changed")
    told = f"intake: {options.what}: {done.new} new, {done.changed} changed, {done.same} as before"
    print(told if done.version is None or options.dry_run else f"{told}; catalogue {done.version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
