"""What the commands that import a table have in common: `peygir import WHAT FILE [--dry-run]`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from backbone.storage.database import Database
from backbone.tables.reading import Refused
from backbone.tables.writing import BOM, csv_line

Result = TypeVar("Result")
Given = ParamSpec("Given")


class _DryRun(Exception):
    """Ends the transaction without its effect."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`file`, `dry_run` and `write`."""
    parser.add_argument("file", type=Path, help="CSV or XLSX; the first row names the columns")
    parser.add_argument("--dry-run", action="store_true", help="only report what is wrong, and what would change")
    parser.add_argument(
        "--write", action="store_true", help="write what there is into FILE, as CSV to change and import"
    )


def write_table(
    database: Database,
    path: Path,
    rows_of: Callable[Concatenate[Connection, Given], Iterable[Sequence[str]]],
    *given: Given.args,
    **named: Given.kwargs,
) -> int:
    """The rows of `rows_of(connection, *given)` as a CSV file; 0."""
    with database.read() as connection, path.open("wb") as file:
        file.write(BOM)
        for row in rows_of(connection, *given, **named):
            file.write(csv_line(row))
    return 0


def import_whole(
    database: Database,
    dry_run: bool,
    import_table: Callable[Concatenate[Connection, Given], Result],
    *given: Given.args,
    **named: Given.kwargs,
) -> Result | None:
    """What `import_table(connection, *given)` answers, in one transaction; with `dry_run` nothing of it stays. None when the
    table is refused: what is wrong with it is then on standard error."""
    try:
        with database.transaction() as connection:
            result = import_table(connection, *given, **named)
            if dry_run:
                raise _DryRun
    except Refused as refused:
        refused.print_mistakes()
        return None
    except _DryRun:
        print("dry run: nothing was changed")
    return result
