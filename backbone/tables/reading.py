"""Tables of the office, CSV or XLSX, as rows of text: what `peygir import` reads.

A CSV file is UTF-8, UTF-16 or Windows-1256, with or without BOM, separated by commas, semicolons or tabs; of a workbook the first
sheet is read, as its cells show: a merged cell stands for all the cells that it covers. The first row with anything in it names
the columns, in any order. Empty rows are passed over.

Of what a table says, three things are told apart (`Row.said`): a column that is not there, or an empty cell, says nothing, and
what is there already is kept; a dash or «خالی» says that it is to be empty; anything else is the value.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backbone.persian.date_text import digits
from backbone.tables.writing import unguarded
from contracts.vocabulary import Language
from texts.fields import field_text
from texts.loading import area

TEXTS = area("tables")
MOST_SECONDS = 60.0
"""So long a table is waited for, however busy the machine is."""
EMPTYING = ("خالی", "-", "–", "—", "empty")  # the dashes that spreadsheets make of "-"
"""What a cell says to make something empty: the first of them in tables that are exported."""
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Mistake:
    """What is wrong, and where: `row` None when it is the whole file, `column` None when it is the whole row.

    `field`: reason and limits, as in the `fields` of an error. `sheet`: of a workbook.
    """

    row: int | None
    column: str | None
    field: Mapping[str, Any]
    sheet: str | None = dataclass_field(default=None, compare=False)

    def text(self, lang: Language) -> str:
        place = TEXTS.text(lang, "row", row=digits(str(self.row), lang)) if self.row else TEXTS.text(lang, "file")
        if self.sheet:
            place = TEXTS.text(lang, "sheet", place=place, sheet=self.sheet)
        if self.column:
            place = TEXTS.text(lang, "column", place=place, column=self.column)
        return f"{place}: {field_text(self.field, lang)}"


@dataclass(frozen=True)
class Row:
    """`number` as a person counts them: the names of the columns are row 1. `headings`: by column, how its name was typed."""

    number: int
    values: Mapping[str, str]
    sheet: str | None = dataclass_field(default=None, compare=False)
    headings: Mapping[str, str] = dataclass_field(default_factory=dict, compare=False)

    def said(self, column: str) -> str | None:
        """What the row says of this column: None when it says nothing (no such column, or an empty cell), "" when it is to be
        empty (`EMPTYING`), otherwise the cell."""
        text = self.values.get(column, "")
        if text.casefold() in EMPTYING:
            return ""
        return text or None

    def mistake(self, column: str | None, reason: str, **limits: Any) -> Mistake:
        """One in this row, with the column as it was typed."""
        heading = self.headings.get(column, column) if column else None
        return Mistake(self.number, heading, {**limits, "reason": reason}, self.sheet)


class Refused(Exception):
    """A table that cannot be taken; nothing of it was."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda mistake: (mistake.row or 0, mistake.column or ""))
        super().__init__(f"{len(mistakes)} mistakes")

    def print_mistakes(self) -> None:
        """Every mistake on standard error, in both languages."""
        for mistake in self.mistakes:
            print(mistake.text(Language.EN), mistake.text(Language.FA), sep="\n  ", file=sys.stderr)
        print(
            *(TEXTS["nothing_changed"].in_language(language) for language in ("en", "fa")), sep="\n  ", file=sys.stderr
        )


def read(path: Path, needed: Iterable[str], optional: Iterable[str] = ()) -> list[Row]:
    """The rows of a table with these columns. Refused when it cannot be read, lacks a column, or has one that nobody knows."""
    needed, permitted = list(needed), {*needed, *optional}
    lines, sheet = _lines(path)
    heading = next((at for at, cells in enumerate(lines) if any(cells)), None)
    if heading is None:
        raise Refused([Mistake(None, None, {"reason": "empty_table"}, sheet)])
    typed = lines[heading]
    names = [_column(name, permitted) for name in typed]

    def mistake(name: str | None, reason: str) -> Mistake:
        return Mistake(heading + 1, name or None, {"reason": reason}, sheet)

    wrong = [mistake(name, "missing_column") for name in needed if name not in names]
    wrong += [
        mistake(as_typed, "unknown_column")
        for name, as_typed in zip(names, typed, strict=True)
        if name not in permitted
    ]
    wrong += [mistake(name, "twice") for name in set(names) if names.count(name) > 1]
    headings = dict(zip(names, typed, strict=True))
    rows = []
    for number, cells in enumerate(lines[heading + 1 :], start=heading + 2):
        if not any(cells):
            continue
        if any(cells[len(names) :]):
            wrong.append(Mistake(number, None, {"reason": "more_cells_than_columns"}, sheet))
        padded = [*map(unguarded, cells), *[""] * len(names)]
        rows.append(Row(number, dict(zip(names, padded, strict=False)), sheet, headings))
    if not rows and not wrong:
        wrong.append(Mistake(None, None, {"reason": "empty_table"}, sheet))
    if wrong:
        raise Refused(wrong)
    return rows


def _column(typed: str, permitted: set[str]) -> str:
    """The column that a heading names, in whatever case and with spaces for underscores; as typed, when there is none."""
    name = "_".join(typed.casefold().replace("-", " ").replace("_", " ").split())
    return name if name in permitted else typed


def mistakes_of(error: ValidationError, row: Row, columns: Mapping[str, str]) -> list[Mistake]:
    """What pydantic found wrong with a row. `columns`: where a field stands, when its column is named otherwise."""
    mistakes = []
    for detail in error.errors(include_url=False, include_input=False):
        name = str(detail["loc"][0]) if detail["loc"] else None
        limits = {key: value for key, value in (detail.get("ctx") or {}).items() if isinstance(value, int | str)}
        column = columns.get(name, name) if name else None
        mistakes.append(row.mistake(column, str(detail["type"]), **limits))
    return mistakes


def yes_or_no(text: str) -> bool | str:
    """1, 0, true, false, yes, no, بله, خیر; anything else as it is, for the model to refuse."""
    return {
        "1": True,
        "true": True,
        "yes": True,
        "بله": True,
        "0": False,
        "false": False,
        "no": False,
        "خیر": False,
    }.get(text.casefold(), text)


def _lines(path: Path) -> tuple[list[list[str]], str | None]:
    """All rows and the worksheet's name, read in a process of its own with bounded memory and time
    (`backbone.tables.reader_process`). Refused."""
    command = [
        sys.executable,
        "-m",
        "backbone.tables.reader_process",
        "xlsx" if path.suffix.lower() == ".xlsx" else "csv",
    ]
    environment = {"LC_ALL": "C.UTF-8", "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        with path.open("rb") as file:
            done = subprocess.run(
                command,
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env=environment,
                timeout=MOST_SECONDS,
                check=False,
            )
    except FileNotFoundError:
        raise Refused([Mistake(None, None, {"reason": "no_such_file"})]) from None
    except OSError:
        raise Refused([Mistake(None, None, {"reason": "not_a_table"})]) from None
    except subprocess.TimeoutExpired:
        raise Refused([Mistake(None, None, {"reason": "takes_too_long"})]) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        # It was ended from outside: by the limit of its time, or since there was no memory to end properly in.
        late = -done.returncode in (signal.SIGXCPU, signal.SIGKILL)
        raise Refused(
            [Mistake(None, None, {"reason": "takes_too_long" if late else "takes_too_much_memory"})]
        ) from None
    if "rows" not in answer:
        raise Refused([Mistake(None, None, answer)])
    lines: list[list[str]] = answer["rows"]
    return lines, answer["sheet"]
