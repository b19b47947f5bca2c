"""A table of the words of messages into notify: `python -m services.notify.importing FILE [--dry-run]`.

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
from services.notify.texts import Texts

COMMAND = "import notification-texts"


@dataclass(frozen=True)
class Done:
    changed: int
    same: int


def take(connection: Connection, path: Path) -> Done:
    """The whole table, in the caller's transaction. Refused, row by row, when anything is wrong."""
    rows = tables.read(path, ("channel", "name", "text_fa", "text_en"), ())
    numbers: dict[tuple[str, str], int] = {}
    given, wrong = {}, []
    for row in rows:
        key = (row.values["channel"], row.values["name"])
        if key in numbers:
            wrong.append(Mistake(row.number, "name", {"reason": "twice"}))
        numbers[key] = row.number
        given[key] = {"fa": row.values["text_fa"] or None, "en": row.values["text_en"] or None}
    try:
        changed = Texts().take(connection, COMMAND, given)
    except InvalidField as error:
        for field in error.params["fields"]:
            limits = {name: value for name, value in field.items() if name not in ("item", "field")}
            wrong.append(Mistake(numbers[tuple(field["item"])], field["field"], limits))
    if wrong:
        raise Refused(sorted(wrong, key=lambda one: one.row or 0))
    return Done(changed, len(rows) - changed)


class _DryRun(Exception):
    """Ends the transaction without its effect."""


def main(arguments: Sequence[str]) -> int:
    """0; 1 when the table was refused."""
    parser = argparse.ArgumentParser(
        prog="peygir import notification-texts", description="A table of the words of messages into notify."
    )
    parser.add_argument("file", type=Path, help="CSV (UTF-8) or XLSX; the first row names the columns")
    parser.add_argument("--dry-run", action="store_true", help="only tell what is wrong, and what would change")
    options = parser.parse_args(arguments)
    database = Database(url_of("notify"), pool_size=1)
    try:
        with database.transaction() as connection:
            done = take(connection, options.file)
            if options.dry_run:
                raise _DryRun
    except Refused as refused:
        refused.print_mistakes()
        return 1
    except _DryRun:
        print("dry run: nothing was changed")
    print(f"notify: notification-texts: {done.changed} changed, {done.same} as before")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
