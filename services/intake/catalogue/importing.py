"""Imports tables of the office into the catalogue: `python -m services.intake.catalogue.importing WHAT FILE [--dry-run]`.

A row adds what has its code, or changes it; what is not in the file stays, and of an item what its row does not say (no such
column, or an empty cell). A dash or «خالی» empties. Rules without a code (deadlines, retention) are replaced, all that the
table's columns could name: without a column `ground`, rules of single grounds stay. Where an empty cell would make a rule one
for everything (`all_when_empty`), it is refused, and a dash says so. All rows are imported or none. Needs
DATABASE_URL_INTAKE; the change is published like one of the administrator."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection

from backbone.persian import date_parsing as dates
from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from backbone.tables import importing
from backbone.tables import reading as tables
from backbone.tables.reading import Mistake, Refused, Row, mistakes_of, yes_or_no
from contracts.characters import latin_digits
from contracts.errors import InvalidField
from contracts.intake import (
    AnswerTemplate,
    Article,
    Catalogue,
    Change,
    DeadlineRule,
    Ground,
    ListedCause,
    ListedReason,
    OutsideBody,
    PutAnswerTemplate,
    PutArticle,
    PutGround,
    PutOutsideBody,
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


def _day_or_text(text: str) -> Any:
    """A day of either calendar; what is none is left for the model to refuse."""
    return dates.read(text).day or text


@dataclass(frozen=True)
class TableFormat:
    """How one kind of table is read.

    `part`: of the catalogue. `needed`: columns without which there is no new item; those of rules are in every table. `columns`:
    by field, where the column has another name. `parse`: by field, where its value is not the column's text, and what "" makes of
    it. `empty`: needed columns that may be empty. `all_when_empty`: fields whose empty value stands for every one. `change`: what
    one row changes, or `replace`: what all rows change together.
    """

    part: str
    model: type[BaseModel]
    needed: tuple[str, ...]
    optional: tuple[str, ...]
    change: Callable[[Any], Change] | None
    columns: Mapping[str, str]
    parse: Mapping[str, Parse]
    empty: frozenset[str] = frozenset()
    all_when_empty: tuple[str, ...] = ()
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
        ("kind", "ground", "articles"),
        lambda template: PutAnswerTemplate(answer_template=template),
        {},
        {"kind": _or_none, "ground": _or_none, "articles": _words},
        all_when_empty=("kind", "ground"),
    ),
    "articles": TableFormat(
        "articles",
        Article,
        ("code", "title_fa", "title_en", "number", "text_fa", "valid_from"),
        ("text_en", "valid_until"),
        lambda article: PutArticle(article=article),
        {},
        {"valid_from": _day_or_text, "valid_until": lambda text: _day_or_text(text) if text else None},
    ),
    "outside-bodies": TableFormat(
        "outside_bodies",
        OutsideBody,
        ("code", "name_fa", "name_en"),
        ("age_key", "active"),
        lambda body: PutOutsideBody(outside_body=body),
        {},
        {"active": yes_or_no},
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
            "days": _number,
        },
        all_when_empty=("kind", "ground", "urgent"),
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
        all_when_empty=("outcome",),
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
    stored = getattr(catalogue, table.part)
    coded = table.change is not None
    needed = ("code",) if coded else table.needed
    rows = tables.read(path, needed, [column for column in (*table.needed, *table.optional) if column not in needed])
    items = _items(table, rows, {item.code: item for item in stored} if coded else {}, [] if coded else stored)
    changes = [] if table.change is None else [table.change(item) for item in items]
    if table.replace is not None:
        changes = [table.replace([*items, *_rules_out_of_reach(table, rows, stored)])]
    try:
        version = apply_changes(connection, f"import {name}", changes)
    except InvalidField as error:
        raise Refused(_mistakes_in_rows(table, rows, items, error.params["fields"])) from None
    if not coded:
        new = [item for item in items if item not in stored]
        return Counts(len(new), 0, len(items) - len(new), version)
    present = {item.code: item for item in stored}
    new = [item for item in items if item.code not in present]
    same = [item for item in items if item == present.get(item.code)]
    return Counts(len(new), len(items) - len(new) - len(same), len(same), version)


def _items(
    table: TableFormat, rows: Sequence[Row], present: Mapping[str, BaseModel], rules: Sequence[BaseModel]
) -> list[Any]:
    """Each row as its model. What a row does not say is as in the item with its code (`present`), or in the rule that it
    stands for (`rules`)."""
    items, mistakes, codes = [], [], set()
    for row in rows:
        before = present.get(row.values.get("code", ""))
        said = {name: row.said(table.columns.get(name, name)) for name in table.model.model_fields}
        values = {name: table.parse.get(name, str)(text) for name, text in said.items() if text is not None}
        row_mistakes = [] if before is not None else list(_unclear(table, row, said))
        before = before or _rule_before(table, values, rules)
        values = (before.model_dump() if before is not None else _unset(table, row)) | values
        reported = {mistake.column for mistake in row_mistakes}
        try:
            items.append(table.model.model_validate(values))
        except ValidationError as error:
            mistakes_of_row = mistakes_of(error, row, table.columns)
            row_mistakes += [mistake for mistake in mistakes_of_row if mistake.column not in reported]
        # The catalogue's check would refuse an empty name: it is reported with the other mistakes, not at a second try.
        reported = {mistake.column for mistake in row_mistakes}
        for name, text in said.items():
            column = table.columns.get(name, name)
            if column not in table.needed or column in table.empty or row.headings.get(column, column) in reported:
                continue
            if (text == "" and table.parse.get(name, str)("") == "") or (text is None and name not in values):
                row_mistakes.append(row.mistake(column, "missing"))
        mistakes += row_mistakes
        if code := row.values.get("code"):
            if code in codes:
                mistakes.append(row.mistake("code", "twice"))
            codes.add(code)
    if mistakes:
        raise Refused(mistakes)
    return items


def _unset(table: TableFormat, row: Row) -> dict[str, Any]:
    """The values of a new item's needed fields whose column may be empty, where it is there."""
    names = {name: table.columns.get(name, name) for name in table.model.model_fields}
    empty = [name for name, column in names.items() if column in table.empty and column in row.values]
    return {name: table.parse[name]("") for name in empty}


def _unclear(table: TableFormat, row: Row, said: Mapping[str, str | None]) -> Iterator[Mistake]:
    """Empty cells that might be meant as "as above" or as "for every one"."""
    for name in table.all_when_empty:
        column = table.columns.get(name, name)
        if said[name] is None and column in row.values:
            yield row.mistake(column, "empty_cell")
    if table.part == "deadlines" and said["step"] is None and "step" in row.values:
        yield row.mistake("step", "missing")


def _rule_before(table: TableFormat, values: Mapping[str, Any], rules: Sequence[BaseModel]) -> BaseModel | None:
    """The rule that names the same: a row without a column such as text_months keeps its value."""
    named = _names_of_rules(table)
    key = {name: values.get(name, table.model.model_fields[name].default) for name in named}
    return next((rule for rule in rules if rule.model_dump(include=set(named)) == key), None)


def _rules_out_of_reach(table: TableFormat, rows: Sequence[Row], rules: Sequence[BaseModel]) -> list[BaseModel]:
    """Rules that no row of a table with these columns could name: they are not replaced by it."""
    columns = {name for row in rows for name in row.values}
    absent = [name for name in _names_of_rules(table) if name not in columns]
    defaults = {name: table.model.model_fields[name].default for name in absent}
    return [rule for rule in rules if rule.model_dump(include=set(absent)) != defaults]


def _names_of_rules(table: TableFormat) -> list[str]:
    """What a rule is for: its fields that are words."""
    return [name for name in table.model.model_fields if name in ("kind", "ground", "urgent", "step", "outcome")]


def export_table(connection: Connection, name: str) -> Iterator[list[str]]:
    """What is stored as rows of such a table, its columns first; an import of them changes nothing."""
    catalogue = store.catalogue(connection)
    if name == "holidays":
        yield ["date"]
        yield from ([day.isoformat()] for day in catalogue.holidays)
        return
    table = FORMATS[name]
    fields = list(table.model.model_fields)
    yield [table.columns.get(field, field) for field in fields]
    for item in getattr(catalogue, table.part):
        values = item.model_dump(mode="json")
        yield [_cell(field, values[field]) for field in fields]


def _cell(field: str, value: Any) -> str:
    match value:
        case None | "" | []:
            return tables.EMPTYING[0]
        case bool():
            return "1" if value else "0"
        case list():
            return json.dumps(value, ensure_ascii=False) if field == "questions" else "|".join(value)
    return str(value)


def _mistakes_in_rows(
    table: TableFormat, rows: Sequence[Row], items: Sequence[Any], fields: Sequence[Mapping[str, Any]]
) -> list[Mistake]:
    """The problems that the catalogue would have, each at the row it comes from; at the file, when it comes from none."""
    by_code = {getattr(item, "code", str(at)): row for at, (row, item) in enumerate(zip(rows, items, strict=True))}
    mistakes = []
    for field in fields:
        path = str(field["field"]).removeprefix(f"{table.part}.")
        code = field.get("item", path.split(".")[0])
        row = by_code.get(code)
        name = path[len(code) + 1 :].split(".")[0] if row is not None else ""
        limits = {key: value for key, value in field.items() if key not in ("field", "item")}
        if row is not None:
            mistakes.append(row.mistake(table.columns.get(name, name) or None, **limits))
        else:
            mistakes.append(Mistake(None, str(field["field"]), limits))
    return mistakes


def _import_holidays(connection: Connection, catalogue: Catalogue, path: Path) -> Counts:
    """Days are added; a lunar and a solar holiday may fall on the same one."""
    days, mistakes = set(), []
    rows = tables.read(path, ("date",), ("name_fa", "name_en", "certain"))
    for row in rows:
        day = _day(row.values["date"])
        if day is None:
            mistakes.append(row.mistake("date", "not_a_day"))
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


def main(arguments: Sequence[str]) -> int:
    """0; 1 when the table was refused."""
    parser = argparse.ArgumentParser(prog="peygir import", description="A table of the office into the catalogue.")
    parser.add_argument("what", choices=TABLES)
    importing.add_arguments(parser)
    options = parser.parse_args(arguments)
    database = Database(url_of("intake"), pool_size=1)
    if options.write:
        return importing.write_table(database, options.file, export_table, options.what)
    counts = importing.import_whole(database, options.dry_run, import_table, options.what, options.file)
    if counts is None:
        return 1
    summary = f"intake: {options.what}: {counts.new} new, {counts.changed} changed, {counts.same} as before"
    print(summary if counts.version is None or options.dry_run else f"{summary}; catalogue {counts.version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
