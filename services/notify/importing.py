"""Imports a table of texts of messages: `python -m services.notify.importing FILE [--dry-run]`.

Columns: channel, name, text_fa, text_en. A row gives a text other words, or with a dash or «خالی» in both languages those
that are shipped; texts that are not in the file stay, and of a text the language whose column is not there or whose cell is
empty. All rows are taken or none. Needs DATABASE_URL_NOTIFY."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from backbone.tables import importing
from backbone.tables import reading as tables
from backbone.tables.reading import Mistake, Refused, Row
from contracts.errors import InvalidField
from contracts.vocabulary import Language
from services.notify.notifications.registry import shipped_registry
from services.notify.wording.templates import shipped_templates
from services.notify.wording.use_cases import TextUseCases

COMMAND = "import notification-texts"
COLUMNS = ("channel", "name", "text_fa", "text_en")


@dataclass(frozen=True)
class ImportResult:
    changed: int
    same: int


def import_table(connection: Connection, path: Path) -> ImportResult:
    """The whole table, in the caller's transaction. Refused, row by row, when anything is wrong."""
    rows = tables.read(path, COLUMNS[:2], COLUMNS[2:])
    by_key: dict[tuple[str, str], Row] = {}
    texts: dict[tuple[str, str], dict[str, str]] = {}
    mistakes: list[Mistake] = []
    for row in rows:
        key = (row.values["channel"], row.values["name"])
        if key in by_key:
            mistakes.append(row.mistake("name", "twice"))
        by_key[key] = row
        said = {language: row.said(f"text_{language}") for language in Language}
        texts[key] = {language.value: text for language, text in said.items() if text is not None}
    try:
        use_cases = TextUseCases(shipped_registry(), shipped_templates())
        changed = use_cases.import_texts(connection, COMMAND, texts)
    except InvalidField as error:
        for field in error.params["fields"]:
            limits = {name: value for name, value in field.items() if name not in ("item", "field")}
            mistakes.append(by_key[tuple(field["item"])].mistake(field["field"], **limits))
    if mistakes:
        raise Refused(sorted(mistakes, key=lambda mistake: mistake.row or 0))
    return ImportResult(changed, len(rows) - changed)


def export_table(connection: Connection) -> Iterator[list[str]]:
    """All texts that the administrator may change as rows of such a table, its columns first."""
    yield list(COLUMNS)
    for channel, name, fa, en in TextUseCases(shipped_registry(), shipped_templates()).changeable_texts(connection):
        yield [channel, name, fa or tables.EMPTYING[0], en or tables.EMPTYING[0]]


def main(arguments: Sequence[str]) -> int:
    """0; 1 when the table was refused."""
    parser = argparse.ArgumentParser(
        prog="peygir import notification-texts", description="Imports a table of texts of messages into notify."
    )
    importing.add_arguments(parser)
    options = parser.parse_args(arguments)
    database = Database(url_of("notify"), pool_size=1)
    if options.write:
        return importing.write_table(database, options.file, export_table)
    result = importing.import_whole(database, options.dry_run, import_table, options.file)
    if result is None:
        return 1
    print(f"notify: notification-texts: {result.changed} changed, {result.same} as before")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
