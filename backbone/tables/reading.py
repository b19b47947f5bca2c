"""Tables of the office, CSV or XLSX, as rows of text: what `peygir import` reads.

A CSV file is UTF-8, with or without BOM; of a workbook the first sheet is read, as its cells show. The first row names the
columns. Empty rows are passed over.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backbone.persian.date_text import digits
from contracts.vocabulary import Language
from texts.fields import field_text
from texts.loading import area

TEXTS = area("tables")
MOST_SECONDS = 60.0
"""So long a table is waited for, however busy the machine is."""
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Row:
    """`number` as a person counts them: the names of the columns are row 1."""

    number: int
    values: Mapping[str, str]


@dataclass(frozen=True)
class Mistake:
    """What is wrong, and where: `row` None when it is the whole file, `column` None when it is the whole row.

    `field`: reason and limits, as in the `fields` of an error.
    """

    row: int | None
    column: str | None
    field: Mapping[str, Any]

    def text(self, lang: Language) -> str:
        place = TEXTS.text(lang, "row", row=digits(str(self.row), lang)) if self.row else TEXTS.text(lang, "file")
        if self.column:
            place = TEXTS.text(lang, "column", place=place, column=self.column)
        return f"{place}: {field_text(self.field, lang)}"


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
    lines = _lines(path)
    if not lines:
        raise Refused([Mistake(None, None, {"reason": "empty_table"})])
    names = lines[0]
    while names and not names[-1]:
        names.pop()
    wrong = [Mistake(1, name, {"reason": "missing_column"}) for name in needed if name not in names]
    wrong += [Mistake(1, name or None, {"reason": "unknown_column"}) for name in names if name not in permitted]
    wrong += [Mistake(1, name, {"reason": "twice"}) for name in set(names) if names.count(name) > 1]
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cells):
            continue
        if any(cells[len(names) :]):
            wrong.append(Mistake(number, None, {"reason": "too_many_cells"}))
        padded = [*cells, *[""] * len(names)]
        rows.append(Row(number, dict(zip(names, padded, strict=False))))
    if not rows and not wrong:
        wrong.append(Mistake(None, None, {"reason": "empty_table"}))
    if wrong:
        raise Refused(wrong)
    return rows


def mistakes_of(error: ValidationError, row: Row, columns: Mapping[str, str]) -> list[Mistake]:
    """What pydantic found wrong with a row. `columns`: where a field stands, when its column is named otherwise."""
    mistakes = []
    for detail in error.errors(include_url=False, include_input=False):
        name = str(detail["loc"][0]) if detail["loc"] else None
        limits = {key: value for key, value in (detail.get("ctx") or {}).items() if isinstance(value, int | str)}
        column = columns.get(name, name) if name else None
        mistakes.append(Mistake(row.number, column, {**limits, "reason": str(detail["type"])}))
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


def _lines(path: Path) -> list[list[str]]:
    """All rows, read in a process of its own with bounded memory and time (`backbone.tables.reader_process`). Refused."""
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
    return lines
