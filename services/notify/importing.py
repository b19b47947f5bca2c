"""Imports a table of texts of messages: `python -m services.notify.importing FILE [--dry-run]`.

Columns: channel, name, text_fa, text_en. A row gives a text other words, or with both languages empty those that are shipped;
texts that are not in the file stay. All rows are taken or none. Needs DATABASE_URL_NOTIFY.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from backbone.storage.database import Database
from backbone.storage.migrate import url_of
from backbone.tables import reading as tables
from backbone.tables.reading import Mistake, Refused
from contracts.errors import InvalidField
from services.notify.notifications.registry import shipped_registry
from services.notify.wording.templates import shipped_templates
from services.notify.wording.use_cases import TextUseCases

COMMAND = "import notification-texts"


@dataclass(frozen=True)
class ImportResult:
    changed: int
    same: int


def import_table(connection: Connection, path: Path) -> ImportResult:
    """The whole table, in the caller's transaction. Refused, row by row, when anything is wrong."""
    rows = tables.read(path, ("channel", "name", "text_fa", "text_en"), ())
    numbers: dict[tuple[str, str], int] = {}
    texts: dict[tuple[str, str], dict[str, str | None]] = {}
    mistakes: list[Mistake] = []
    for row in rows:
        key = (row.values["channel"], row.values["name"])
        if key in numbers:
            mistakes.append(Mistake(row.number, "name", {"reason": "twice"}))
        numbers[key] = row.number
        texts[key] = {"fa": row.values["text_fa"] or None, "en": row.values["text_en"] or None}
    try:
        use_cases = TextUseCases(shipped_registry(), shipped_templates())
        changed = use_cases.import_texts(connection, COMMAND, texts)
    except InvalidField as error:
        for field in error.params["fields"]:
            limits = {name: value for name, value in field.items() if name not in ("item", "field")}
            mistakes.append(Mistake(numbers[tuple(field["item"])], field["field"], limits))
    if mistakes:
        raise Refused(sorted(mistakes, key=lambda mistake: mistake.row or 0))
    return ImportResult(changed, len(rows) - changed)


class _DryRun(Exception):
    """Ends the transaction without its effect."""


def main(arguments: Sequence[str]) -> int:
    """0; 1 when the table was refused."""
    parser = argparse.ArgumentParser(
        prog="peygir import notification-texts", description="Imports a table of texts of messages into notify."
    )
    parser.add_argument("file", type=Path, help="CSV (UTF-8) or XLSX; the first row names the columns")
    parser.add_argument("--dry-run", action="store_true", help="only report what is wrong, and what would change")
    options = parser.parse_args(arguments)
    database = Database(url_of("notify"), pool_size=1)
    try:
        with database.transaction() as connection:
            result = import_table(connection, options.file)
            if options.dry_run:
                raise _DryRun
    except Refused as refused:
        refused.print_mistakes()
        return 1
    except _DryRun:
        print("dry run: nothing was changed")
    print(f"notify: notification-texts: {result.changed} changed, {result.same} as before")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
